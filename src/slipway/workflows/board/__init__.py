"""The facts of the board's pages, gathered from the registry."""
