"""Serving a registered version over HTTP."""
