"""MLflow's scoring protocol: well-formed JSON read fast, limits of size and depth, and reasons for a refusal."""
