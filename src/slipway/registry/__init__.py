"""MLflow's registry: models, versions, stages, and the ledger of their transitions."""
