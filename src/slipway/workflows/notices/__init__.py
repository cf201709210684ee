"""The parts of the notices: their configuration, what the ledgers say, and the threads that tell it."""
