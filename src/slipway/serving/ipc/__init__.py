"""Messages between the processes of an endpoint, and how they travel."""
