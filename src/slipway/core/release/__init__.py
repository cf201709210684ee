"""The rules of a release: transitions, judgements, the ledger and the lock of a version's packages."""
