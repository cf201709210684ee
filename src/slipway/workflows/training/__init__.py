"""The parts of `slipway run`: from rows that hold their contract to a winner with its evidence."""
