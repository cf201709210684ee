"""The files of a version: stored with a run, fetched, verified, and cached on this disk."""
