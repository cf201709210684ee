"""The files of a version: how they are stored with a run, fetched, verified, and kept on this disk."""
