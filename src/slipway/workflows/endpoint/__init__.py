"""The parts of `slipway serve`: a service, its step with the registry, and the loading of a version."""
