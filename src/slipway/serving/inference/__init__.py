"""Requests to a model are answered from its plan, or by a back that holds the model."""
