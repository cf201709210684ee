"""A request for a model → its answer, by the compiled plan or by a process that holds the model."""
