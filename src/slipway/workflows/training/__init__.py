"""The parts of `slipway run`: from rows that keep their contract to a winner with its run artifacts."""
