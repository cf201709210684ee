"""A home as one file, and a home that takes the place of another."""
