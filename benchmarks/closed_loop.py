"""A client that asks as fast as it is answered, over kept connections, and costs little itself. Runs as a process of its own.

python closed_loop.py HOST PORT CLIENTS SECONDS < body  →  one line of JSON: requests, failed, seconds, p50_ms, p99_ms, cpu_s
"""

import asyncio
import json
import sys
import time
from typing import Any

import numpy as np
import uvloop


class Client(asyncio.Protocol):
    """One connection: the next request leaves when the answer to the former has arrived."""

    def __init__(self, request: bytes, until: float, taken: list[float], done: "asyncio.Future[None]"):
        self.request, self.until, self.taken, self.done = request, until, taken, done
        self.failed, self.got, self.wanted = 0, 0, 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.began = time.perf_counter()
        self.got = self.wanted = 0
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if not self.wanted:
            head = data.index(b"\r\n\r\n") + 4
            at = data.lower().index(b"content-length: ") + 16
            self.wanted = head + int(data[at : data.index(b"\r\n", at)])
            self.failed += not data.startswith(b"HTTP/1.1 200 ")
        self.got += len(data)
        if self.got < self.wanted:
            return
        now = time.perf_counter()
        self.taken.append(now - self.began)
        if now < self.until:
            self.ask()
        elif not self.done.done():
            self.done.set_result(None)
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionResetError("the server closed the connection"))


async def main(host: str, port: int, clients: int, seconds: float, body: bytes) -> dict[str, Any]:
    lines = [
        "POST /invocations HTTP/1.1",
        f"host: {host}",
        f"content-length: {len(body)}",
        "content-type: application/json",
    ]
    head = "\r\n".join([*lines, "", ""])
    loop, taken = asyncio.get_running_loop(), list[float]()
    began, cpu = time.perf_counter(), time.process_time()
    made: list[Client] = []
    for _ in range(clients):
        client = Client(head.encode() + body, began + seconds, taken, loop.create_future())
        made.append(client)
        await loop.create_connection(lambda client=client: client, host, port)
    await asyncio.gather(*(client.done for client in made))
    took = time.perf_counter() - began
    p50, p99 = np.percentile(taken, [50, 99]) * 1000
    return {
        "requests": len(taken),
        "failed": sum(client.failed for client in made),
        "seconds": took,
        "p50_ms": float(p50),
        "p99_ms": float(p99),
        "cpu_s": time.process_time() - cpu,
    }


if __name__ == "__main__":
    host, port, clients, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    print(json.dumps(uvloop.run(main(host, port, clients, seconds, sys.stdin.buffer.read()))))
