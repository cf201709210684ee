"""Slipway inside MLflow's tracking server: the guard of its stores, the API that judges and moves versions, the board."""
