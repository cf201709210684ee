"""The workflows of a release, one file a command: register, judge, move, and read the history."""
