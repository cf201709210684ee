"""The rules of Slipway as pure functions and values: no MLflow, no files, no clock, no environment."""
