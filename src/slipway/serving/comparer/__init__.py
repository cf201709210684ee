"""The process that compares a second version's answers with those of the primary one."""
