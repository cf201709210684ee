"""Receivers of notices on 127.0.0.1: a web-hook and a mail server, which answer as a test wants, and remember what they got."""

import base64
import contextlib
import datetime
import email
import email.policy
import ipaddress
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Receiver:
    """A server at a port. answers: what it does with the next notices, one each; then it takes them.

    An answer is a status, or what is called with the receiver before the notice is taken.
    """

    port: int = 0
    answers: list[Any] = field(default_factory=list)
    got: list[Any] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    news: threading.Condition = field(default_factory=threading.Condition)

    def next_status(self) -> int:
        answer = self.answers.pop(0) if self.answers else 200
        if callable(answer):
            answer()
            return 200
        return int(answer)

    def take(self, what: Any) -> None:
        with self.news:
            self.got.append(what)
            self.news.notify_all()

    def wait_for(self, enough: Callable[[], bool], timeout_s: float = 60.0) -> None:
        with self.news:
            assert self.news.wait_for(enough, timeout_s), self.got


@contextmanager
def web_hook(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.next_status()
            receiver.take((dict(self.headers.items()), body, status))
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with _listening(server, receiver):
        yield receiver


@contextmanager
def mail_server(
    tls: ssl.SSLContext | None = None, *, from_the_start: bool = False, login: tuple[str, str] | None = None
) -> Iterator[Receiver]:
    """A mail server of few words: EHLO, STARTTLS, AUTH PLAIN, MAIL, RCPT, DATA, QUIT."""
    receiver = Receiver()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.ExitStack() as opened:
                self.talk(opened)

        def talk(self, opened: contextlib.ExitStack) -> None:
            def encrypted(plain: Any) -> Any:
                assert tls is not None
                return opened.enter_context(tls.wrap_socket(plain, server_side=True))

            connection = encrypted(self.request) if from_the_start else self.request
            stream, known, to = opened.enter_context(connection.makefile("rb")), login is None, list[str]()

            def say(text: str) -> None:
                connection.sendall(f"{text}\r\n".encode())

            say("220 here")
            while line := stream.readline().decode().strip():
                word, _, rest = line.partition(" ")
                if word.upper() == "EHLO":
                    offers = ["here", *(["STARTTLS"] if tls and not from_the_start else []), "AUTH PLAIN"]
                    for offer in offers[:-1]:
                        say(f"250-{offer}")
                    say(f"250 {offers[-1]}")
                elif word.upper() == "STARTTLS":
                    say("220 go on")
                    connection = encrypted(connection)
                    stream = opened.enter_context(connection.makefile("rb"))
                elif word.upper() == "AUTH":
                    given = base64.b64decode(rest.split()[1]).decode().split("\0")[1:]
                    known = login is not None and tuple(given) == login
                    say("235 welcome" if known else "535 who?")
                elif word.upper() == "RCPT":
                    to.append(rest)
                    say("250 yes" if known else "530 who?")
                elif word.upper() == "DATA":
                    say("354 go on")
                    lines = []
                    while (data := stream.readline()) not in (b".\r\n", b""):
                        lines.append(data)
                    status = {200: 250, 500: 451, 400: 554}.get(told := receiver.next_status(), told)
                    receiver.take((to, email.message_from_bytes(b"".join(lines), policy=email.policy.default), status))
                    say(f"{status} done")
                else:
                    say("221 bye" if word.upper() == "QUIT" else "250 yes")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads, allow_reuse_address = True, True

        def handle_error(self, *_: Any) -> None: ...

    server = Server(("127.0.0.1", 0), Handler)
    with _listening(server, receiver):
        yield receiver


@contextmanager
def _listening(server: socketserver.TCPServer, receiver: Receiver) -> Iterator[None]:
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of 127.0.0.1 that it signs itself, and the context of a server that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.fromtimestamp(time.time(), datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    file, secret = folder / "receiver.pem", folder / "receiver.key"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return file, context
