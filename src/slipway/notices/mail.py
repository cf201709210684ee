"""The channel by e-mail: SMTP with TLS, and a Message-ID of the notice's id, by which a mailbox knows a repeat."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path

from slipway.notices.channel import Attempt, failed, refused, sent
from slipway.notices.notice import Notice


@dataclass(frozen=True)
class Mail:
    """A channel.

    Attributes:
        host: the mail server.
        port: its port.
        tls: `starttls`, `tls` from the first byte, or `none`.
        sender: the address that it comes from.
        to: the addresses that it goes to.
        user: the name for the login; empty for no login.
        password: the password for the login.
        timeout_s: how long each step may take.
        ca: a file of certificates to trust in place of the usual ones.
    """

    host: str
    port: int
    tls: str
    sender: str
    to: tuple[str, ...]
    user: str
    password: str = field(repr=False)
    timeout_s: float
    ca: Path | None = None

    def send(self, notice: Notice) -> Attempt:
        try:
            with self._connection() as server:
                not_taken = server.send_message(self._message(notice), self.sender, list(self.to))
        except smtplib.SMTPRecipientsRefused as error:
            return _by_code(max(code for code, _ in error.recipients.values()), "no recipient was taken")
        except smtplib.SMTPResponseException as error:
            return _by_code(error.smtp_code, type(error).__name__.removeprefix("SMTP"))
        except smtplib.SMTPNotSupportedError:
            return refused("the mail server offers no STARTTLS or no login; see `tls` of the channel")
        except ssl.SSLError:
            return failed("TLS failed: the certificate is not trusted, or the mail server speaks no TLS at this port")
        except smtplib.SMTPException as error:
            if isinstance(error.__context__, TimeoutError):  # smtplib takes a late reply for a lost connection
                return failed(f"no answer within {self.timeout_s:g} s")
            return failed(f"the mail server broke off ({type(error).__name__})")
        except TimeoutError:
            return failed(f"no answer within {self.timeout_s:g} s")
        except OSError as error:
            return failed(f"no connection ({error.strerror or type(error).__name__})")
        return sent(f"taken, but not for {len(not_taken)} of {len(self.to)} recipients" if not_taken else "taken")

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        server = self._connected()
        try:
            if self.tls == "starttls":
                server.starttls(context=self._context())
            if self.user:
                server.login(self.user, self.password)
            yield server
            with suppress(smtplib.SMTPException, OSError):  # the message is taken: a lost goodbye changes nothing
                server.quit()
        finally:
            server.close()

    def _connected(self) -> smtplib.SMTP:
        if self.tls == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_s, context=self._context())
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout_s)

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca) if self.ca else None)

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = " ".join(_sendable(f"[slipway] {notice.title}").split())  # a line break begins a header
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message["Date"] = formatdate(notice.at_ms / 1000)
        message["Message-ID"] = f"<{notice.id}@slipway>"
        message["X-Slipway-Id"], message["Auto-Submitted"] = notice.id, "auto-generated"
        link = f"\n\n{notice.link}" if notice.link else ""
        message.set_content(f"{_sendable(notice.text)}{link}\n")
        return message


def _sendable(text: str) -> str:
    """Return a text without halves of characters, which no mail can hold."""
    return text.encode("utf-8", "replace").decode()


def _by_code(code: int, what: str) -> Attempt:
    """Return the outcome of an SMTP reply: 5xx is for good, 4xx and -1, a lost connection, is not."""
    return refused(f"reply {code}: {what}") if code >= 500 else failed(f"reply {code}: {what}")
