"""A server that answers the same bytes to whatever it reads: what is left is the client, the sockets and the kernel.

python nothing.py HOST PORT
"""

import select
import socket
import sys

_BODY = b'{"predictions": [1]}'
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)


def main(host: str, port: int) -> None:
    listener = socket.create_server((host, port), backlog=128)
    events, connections = select.epoll(), {}
    events.register(listener, select.EPOLLIN)
    while True:
        for number, _ in events.poll():
            if number == listener.fileno():
                connection, _address = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[connection.fileno()] = connection
                events.register(connection, select.EPOLLIN)
            elif connections[number].recv(65536):  # a request of one row arrives in one piece
                connections[number].send(_ANSWER)
            else:
                connections.pop(number).close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
