"""Slipway inside MLflow's tracking server: the guard, and the API by which a guarded model is judged, approved and moved."""
