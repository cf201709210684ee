"""The back: the process that holds a fitted model, and answers the requests that no plan can."""
