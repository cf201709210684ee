"""The rules of a release: movements, judgements, the ledger and the lock of a version's packages."""
