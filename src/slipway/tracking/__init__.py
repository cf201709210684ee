"""MLflow tracking: the embedded server, and the runs that Slipway writes."""
