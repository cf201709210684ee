"""Addresses of tables: a path of this machine, or a URL whose user and password come from the environment.

No error here repeats what an address holds before its `@`: a piece of it may be a password.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:\d*)?")
_SECRET = re.compile(
    r"[?&]([^=&]*(?:password|passwd|secret|token|signature|credential|api_?key|access_?key|accountkey|[-_]key)[^=&]*"
    r"|sig|key|pwd|pass|auth|authorization|jwt)=",
    re.IGNORECASE,
)
# A password may hold a / or an @ that nobody wrote as %2F or %40, so everything up to the last @ goes.
_USER = re.compile(r"(?<=://)\S*@")
_VALUE = re.compile(rf"(?P<key>{_SECRET.pattern})[^&\s]*", re.IGNORECASE)
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|\[::1\]")


@dataclass(frozen=True)
class Url:
    """The address of a table, taken apart.

    Attributes:
        scheme: "" for a path of this machine.
        user: the user as it is declared; "" for none.
        password: the password as it is declared, which is `${NAME}` or "".
        host: the host with its port, or the bucket.
        path: what follows the host, with its query.
    """

    scheme: str
    user: str
    password: str
    host: str
    path: str

    @property
    def shown(self) -> str:
        """The address without user and password."""
        return f"{self.scheme}://{self.host}{self.path}" if self.scheme else self.path

    @property
    def file(self) -> str:
        """The path without a query."""
        return self.path.partition("?")[0] if self.scheme in ("http", "https") else self.path

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine."""
        return (
            _LOOPBACK.fullmatch(self.host.rpartition(":")[0] if re.search(r":\d*$", self.host) else self.host)
            is not None
        )


def parse_url(given: str) -> Url:
    """Take an address apart. Raises ValueError for a secret that is written in it, and for one that cannot be read."""
    match = _URL.fullmatch(given)
    if match is None:
        return Url("", "", "", "", given)
    scheme, authority, path = match[1].lower(), match[2], match[3]
    info, _, host = authority.rpartition("@")
    user, _, password = info.partition(":")
    if password and not _VARIABLE.fullmatch(password):
        raise ValueError(
            f"the {scheme}:// URL holds a password; name a variable of the environment in its place, as in "
            f"{scheme}://{'${USER}' if not user or '$' in user else 'USER'}:${{PASSWORD}}@HOST/…"
        )
    if not _PORT.fullmatch(host):
        raise ValueError(
            f"the {scheme}:// URL cannot be read: between its host and its path stands something that is no port; "
            "a password is named by a variable of the environment, as in ${PASSWORD}"
        )
    if secret := _SECRET.search(path):
        raise ValueError(
            f"the {scheme}:// URL holds '{secret[1]}', which is a secret; name a user and ${{PASSWORD}} before its host instead"
        )
    return Url(scheme, user, password, host, path)


def without_secrets(text: str) -> str:
    """Return a text, such as the value of a setting, without users and passwords in URLs, and without secrets in queries."""
    return _VALUE.sub(r"\g<key>***", _USER.sub("", text))


def variables_of(url: Url) -> Iterator[str]:
    """Yield the names of the variables of the environment that an address names."""
    for part in (url.user, url.password):
        yield from (match[1] for match in _VARIABLE.finditer(part))


def filled(part: str, values: dict[str, str]) -> str:
    """Return a user or a password with the values of the variables that it names."""
    return _VARIABLE.sub(lambda match: values[match[1]], part)
