"""The supervisor: the process that starts all others of an endpoint, and replaces them."""
