"""A client that asks as fast as it is answered, over kept connections, and costs little itself. Runs as a process of its own.

python closed_loop.py HOST PORT CLIENTS SECONDS polls|sleeps < request  →  one line of JSON, see `figures`

The request is sent as it is. This is sockets and epoll alone: each thing more that it did would be taken from the server, which
shares the cores with it. One that polls takes a core for itself and sees an answer when it is there; one that sleeps has to be
woken up first.
"""

import json
import select
import socket
import sys
import time
from collections.abc import Sequence

STALL_S = 0.035
"""A delayed acknowledgement takes 40 ms; an answer that takes this long may have waited for one."""

_AT_ONCE = 1 << 16


class Client:
    """One connection: the next request leaves when the answer to the former has arrived."""

    def __init__(self, host: str, port: int, request: bytes):
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.request, self.failed = memoryview(request), 0
        self.left, self.got, self.wanted, self.asked_at = self.request[:0], 0, 0, 0.0

    def ask(self) -> bool:
        """Send a request; returns whether all of it has left."""
        self.left, self.got, self.wanted = self.request, 0, 0
        self.asked_at = time.perf_counter()
        return self.send()

    def send(self) -> bool:
        self.left = self.left[self.socket.send(self.left) :]
        return not self.left

    def answered(self) -> bool:
        """Read what has come; returns whether the answer is complete."""
        data = self.socket.recv(_AT_ONCE)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        if not self.wanted:
            head = data.index(b"\r\n\r\n") + 4
            at = data[:head].lower().index(b"content-length: ") + 16
            self.wanted = head + int(data[at : data.index(b"\r\n", at)])
            self.failed += not data.startswith(b"HTTP/1.1 200 ")
        self.got += len(data)
        return self.got >= self.wanted


def ask_all(clients: Sequence[Client], seconds: float, *, polls: bool) -> list[float]:
    """Keep all clients asking for that long; returns what each answer took, in seconds."""
    wait_s = 0 if polls else None
    taken: list[float] = []
    events, by_number = select.epoll(), {client.socket.fileno(): client for client in clients}
    until = time.perf_counter() + seconds
    asking = len(clients)
    for number, client in by_number.items():
        events.register(number, select.EPOLLIN if client.ask() else select.EPOLLOUT)
    while asking:
        for number, event in events.poll(wait_s):
            client = by_number[number]
            if event & select.EPOLLOUT:
                if client.send():
                    events.modify(number, select.EPOLLIN)
            elif client.answered():
                now = time.perf_counter()
                taken.append(now - client.asked_at)
                if now >= until:
                    asking -= 1
                elif not client.ask():
                    events.modify(number, select.EPOLLOUT)
    return taken


def figures(taken: Sequence[float], seconds: float, failed: int, cpu_s: float) -> dict[str, float]:
    """Return requests, failed, seconds, rps, p50_ms, p99_ms, max_ms, over_35ms (how many took longer), cpu_s (the client's)."""
    ordered = sorted(taken)
    return {
        "requests": len(ordered),
        "failed": failed,
        "seconds": seconds,
        "rps": len(ordered) / seconds,
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[len(ordered) * 99 // 100] * 1000,
        "max_ms": ordered[-1] * 1000,
        "over_35ms": sum(each > STALL_S for each in ordered),
        "cpu_s": cpu_s,
    }


def main(host: str, port: str, count: str, seconds: str, how: str) -> None:
    request = sys.stdin.buffer.read()
    clients = [Client(host, int(port), request) for _ in range(int(count))]
    began, cpu = time.perf_counter(), time.process_time()
    taken = ask_all(clients, float(seconds), polls=how == "polls")
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps(figures(taken, took, sum(client.failed for client in clients), cpu)))


if __name__ == "__main__":
    main(*sys.argv[1:])
