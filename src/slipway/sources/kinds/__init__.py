"""The readers of tables, one a kind."""
