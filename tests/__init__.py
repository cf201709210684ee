"""The tests, a package of this name so that no other one on the path takes its place: some wheels bring one."""
