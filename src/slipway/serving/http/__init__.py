"""HTTP/1.1 on sockets: requests read within limits, answers written in their order."""
