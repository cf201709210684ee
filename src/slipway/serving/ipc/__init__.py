"""Messages between the processes of an endpoint, and the way that they travel."""
