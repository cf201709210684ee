"""The demands on the versions of a model as its ledger keeps them: release policies, and what was declared again."""
