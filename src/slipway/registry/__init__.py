"""MLflow's registry: models, versions, stages, and the ledger of what moved."""
