"""One module a command, and rooms for the parts that commands share."""
