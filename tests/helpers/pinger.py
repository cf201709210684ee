"""Asks /ping again and again in a process of its own, until its standard input ends; then prints the milliseconds as JSON."""

import json
import socket
import sys
import threading
import time


def main(port: int) -> None:
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    took = []
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not ended.wait(0.01):
            began = time.perf_counter()
            connection.sendall(b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
            took.append(1000 * (time.perf_counter() - began))
    json.dump(took, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
