"""notices.yaml: the channels, which notices each takes, how often it is tried. It names variables; no secret is in it."""

import ipaddress
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from slipway.errors import UsageError
from slipway.notices.channel import Channel
from slipway.notices.chats import Slack, Teams
from slipway.notices.mail import Mail
from slipway.notices.notice import Notice, NoticeKind
from slipway.notices.webhook import Webhook

EVERY = tuple(kind for kind in NoticeKind if kind is not NoticeKind.TEST)


def _not_ours(name: str) -> str:
    if name.startswith("SLIPWAY_"):
        raise ValueError("a variable that begins with SLIPWAY_ is a setting of Slipway; take another name")
    return name


def _plain_url(url: str) -> str:
    parts = _split(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address has no user or password in it; `url_env` names a variable that may")
    return url


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    if (
        parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    ):  # `port` raises ValueError itself
        raise ValueError("an address begins with https:// and names a host")
    return parts


def _absolute(file: Path) -> Path:
    if not file.is_absolute():
        raise ValueError("server and commands run in different folders; name the file by its whole path")
    return file


Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), AfterValidator(_not_ours)]
Address = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$", max_length=254)
]
Url = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_plain_url)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Chosen(_Part):
    """The part of a channel that says which notices go there."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
    notices: tuple[NoticeKind, ...] = Field(EVERY, min_length=1)
    models: tuple[str, ...] = Field(("*",), min_length=1)
    timeout_s: float = Field(10, gt=0, le=120)
    insecure: bool = False
    ca: Annotated[Path, AfterValidator(_absolute)] | None = None

    def takes(self, notice: Notice) -> bool:
        """Say whether a notice goes to this channel."""
        return notice.kind in self.notices and any(fnmatchcase(notice.model, pattern) for pattern in self.models)

    @property
    def words(self) -> str:
        """The kinds and the models, as `slipway up` says them."""
        kinds = "every notice" if set(self.notices) >= set(EVERY) else ", ".join(self.notices)
        return kinds if self.models == ("*",) else f"{kinds} of {', '.join(self.models)}"

    def _require_secure(self, encrypted: bool, host: str) -> None:
        if not encrypted and not self.insecure and not _is_loopback(host):
            raise ValueError(
                f"names and comments would go to {host} unencrypted; use TLS, or say `insecure: true` for a network of your own"
            )


class WebChannel(_Chosen):
    """A channel that posts to an address."""

    kind: Literal["webhook", "slack", "teams"]
    url: Url | None = None
    url_env: Variable | None = None
    secret_env: Variable | None = None

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.url is None) is (self.url_env is None):
            raise ValueError("a channel has one address: either `url` or, where it holds a secret, `url_env`")
        if self.secret_env and self.kind != "webhook":
            raise ValueError(f"`secret_env` signs the notices of a webhook; {self.kind} knows no signature")
        if self.url:
            self._require_encrypted(self.url)
        return self

    @property
    def variables(self) -> list[str]:
        return [name for name in (self.url_env, self.secret_env) if name]

    def channel(self, variables: Mapping[str, str]) -> Channel:
        url = self.url or variables[self.url_env or ""].strip()
        try:
            self._require_encrypted(url)
        except ValueError as error:
            raise UsageError(
                f"the address in {self.url_env} of channel '{self.name}' cannot be used: {error}"
            ) from None
        if self.kind == "webhook":
            secret = variables[self.secret_env] if self.secret_env else ""
            return Webhook(url, secret, self.timeout_s, self.ca)
        return (Slack if self.kind == "slack" else Teams)(url, self.timeout_s, self.ca)

    def _require_encrypted(self, url: str) -> None:
        parts = _split(url)
        self._require_secure(parts.scheme == "https", parts.hostname or "")


class MailChannel(_Chosen):
    """A channel by e-mail."""

    kind: Literal["email"]
    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:_-]+$", max_length=253)]
    port: int = Field(587, ge=1, le=65535)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    sender: Address = Field(alias="from")
    to: tuple[Address, ...] = Field(min_length=1, max_length=50)
    user: str = ""
    password_env: Variable | None = None

    @model_validator(mode="after")
    def _login_and_tls(self) -> Self:
        if bool(self.user) is not bool(self.password_env):
            raise ValueError("a login takes both `user` and `password_env`; leave both out for none")
        self._require_secure(self.tls != "none", self.host)
        return self

    @property
    def variables(self) -> list[str]:
        return [self.password_env] if self.password_env else []

    def channel(self, variables: Mapping[str, str]) -> Channel:
        password = variables[self.password_env] if self.password_env else ""
        return Mail(
            self.host, self.port, self.tls, self.sender, self.to, self.user, password, self.timeout_s, self.ca
        )  # fmt: skip


class Retry(_Part):
    """How often a notice is tried: after `first_s`, then each time twice as late, up to `most_s`, for so many hours."""

    first_s: float = Field(2, gt=0, le=3600)
    most_s: float = Field(3600, gt=0, le=86_400)
    give_up_after_h: float = Field(24, gt=0, le=168)


class NoticesConfig(_Part):
    """The whole file. board: the address by which people reach the board; by default the one that the server has."""

    board: Url | None = None
    channels: tuple[Annotated[WebChannel | MailChannel, Field(discriminator="kind")], ...] = Field(
        min_length=1, max_length=20
    )
    retry: Retry = Retry()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [channel.name for channel in self.channels]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two channels have the name {', '.join(twice)}; each needs a name of its own")
        return self

    def channels_for(self, notice: Notice) -> list[str]:
        """Return the names of the channels that a notice goes to."""
        return [channel.name for channel in self.channels if channel.takes(notice)]

    def open(self, variables: Mapping[str, str]) -> dict[str, Channel]:
        """Return the channels by name, with their secrets. Raises UsageError for a variable that is not set."""
        missing = [
            f"{name} of channel '{channel.name}'"
            for channel in self.channels
            for name in channel.variables
            if not variables.get(name, "").strip()
        ]
        if missing:
            raise UsageError(
                f"the notices need variables that are not set: {', '.join(missing)}; set them where `slipway up` is started"
            )
        if absent := [
            f"{each.ca} of channel '{each.name}'" for each in self.channels if each.ca and not each.ca.is_file()
        ]:
            raise UsageError(f"there is no file {', '.join(absent)}; `ca` names certificates in PEM form")
        return {channel.name: channel.channel(variables) for channel in self.channels}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"
