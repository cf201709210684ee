"""The process that holds a fitted model."""
