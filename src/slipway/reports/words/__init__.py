"""The sentences and numbers in which reports state facts."""
