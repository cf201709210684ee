"""MLflow tracking: the embedded server, and what is written to it."""
