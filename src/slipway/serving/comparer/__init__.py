"""The process that compares the answers of a variant with those of the primary."""
