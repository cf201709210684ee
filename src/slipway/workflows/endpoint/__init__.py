"""The parts of `slipway serve`: a service that follows the registry, and how it loads a version."""
