"""Numbers that all processes of an endpoint count in shared memory."""
