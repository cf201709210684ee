"""The process that answers HTTP requests."""
