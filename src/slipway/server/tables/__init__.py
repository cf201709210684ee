"""The questions that the board asks the server's own databases by SQL, since MLflow answers them for one model at a time."""
