"""What a version was made of, and what changed between two versions: declaration, data, code and packages."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

ABSENT = "–"
_LONGEST = 240
_SHORT = 12
_SCP = re.compile(r"^(?:[\w.-]+@)?(?P<host>[\w.-]+):(?!/)(?P<path>.+)$")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True)
class Ingredients:
    """What a version was made of, as its run recorded it.

    Attributes:
        declaration: the keys and values of experiment.yaml as they were in force, defaults included.
        data: the facts of the data by name, such as the source and the number of rows.
        code: the facts of the code by name, such as the digest of the experiment's own code.
        packages: the requirements of the model, one a line.
        commit: the commit of the project; empty where it was no checkout.
        remote: the address of the project's git remote; empty where none is known.
    """

    declaration: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    packages: Sequence[str] = ()
    commit: str = ""
    remote: str = ""


@dataclass(frozen=True)
class Change:
    """One line that differs. A value that one side does not have is ABSENT."""

    what: str
    before: str
    now: str

    @property
    def kind(self) -> str:
        return "added" if self.before == ABSENT else "removed" if self.now == ABSENT else "changed"

    def as_dict(self) -> dict[str, str]:
        return {"what": self.what, "before": self.before, "now": self.now, "kind": self.kind}


@dataclass(frozen=True)
class Changes:
    """The lines that differ between two versions.

    Attributes:
        declaration: the keys of experiment.yaml as dotted paths, in the order of the file.
        data: the facts of the data.
        code: the commit and the facts of the code.
        packages: the packages, by their names.
        unknown: the parts that are not recorded of both, so that nothing can be said of them.
        link: the page that compares the two commits; empty where the host of the remote is not known to have one.
    """

    declaration: tuple[Change, ...] = ()
    data: tuple[Change, ...] = ()
    code: tuple[Change, ...] = ()
    packages: tuple[Change, ...] = ()
    unknown: tuple[str, ...] = ()
    link: str = ""

    def __bool__(self) -> bool:
        return any((self.declaration, self.data, self.code, self.packages))

    def as_dict(self) -> dict[str, Any]:
        parts = {part: getattr(self, part) for part in ("declaration", "data", "code", "packages")}
        lists = {part: [change.as_dict() for change in changes] for part, changes in parts.items()}
        return {**lists, "unknown": list(self.unknown), "commits": self.link or None}


def changes(before: Ingredients, now: Ingredients) -> Changes:
    """Return what changed from one version to another one."""
    code = {"commit": before.commit[:_SHORT], **before.code}, {"commit": now.commit[:_SHORT], **now.code}
    declarations = flat(before.declaration), flat(now.declaration)
    packages = _packages(before.packages), _packages(now.packages)
    sides = {"declaration": declarations, "data": (before.data, now.data), "packages": packages}
    unknown = tuple(part for part, pair in sides.items() if not all(pair))
    known = {part: between(*pair) for part, pair in sides.items() if part not in unknown}
    return Changes(
        **known,
        code=between(*code),
        unknown=unknown,
        link=compare_link(now.remote or before.remote, before.commit, now.commit),
    )


def flat(values: Mapping[str, Any]) -> dict[str, str]:
    """Return nested keys as dotted paths with their values in words; keys without a value are left out."""
    found: dict[str, str] = {}
    for key, value in values.items():
        found |= _flat(str(key), value)
    return found


def web_page(remote: str) -> str:
    """Return the https address of a repository by its remote; empty for a path, or for an address that is none.

    A name or a password in the remote is left out.
    """
    found = _SCP.match(remote) if "://" not in remote else None
    if found:
        host, path = found["host"], found["path"]
    else:
        parts = urlsplit(remote)
        if parts.scheme not in ("http", "https", "ssh", "git") or not parts.hostname:
            return ""
        # A port of ssh says nothing about the web server.
        port = f":{parts.port}" if parts.scheme in ("http", "https") and _port(parts) else ""
        host, path = f"{parts.hostname}{port}", parts.path
    path = path.strip("/").removesuffix(".git")
    return f"https://{host}/{quote(path)}" if path else ""


def compare_link(remote: str, before: str, now: str) -> str:
    """Return the page of GitHub, GitLab or Bitbucket that compares two commits; empty where there is none to name."""
    page = web_page(remote)
    if not page or before == now or not (_COMMIT.fullmatch(before) and _COMMIT.fullmatch(now)):
        return ""
    host = urlsplit(page).hostname or ""
    if "github" in host:
        return f"{page}/compare/{before}...{now}"
    if "gitlab" in host:
        return f"{page}/-/compare/{before}...{now}"
    return f"{page}/branches/compare/{now}%0D{before}" if "bitbucket" in host else ""


def _port(parts: Any) -> int | None:
    try:
        return int(parts.port) if parts.port else None
    except ValueError:
        return None


def between(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the lines that differ, in the order of `now`; a line that is gone comes after the one that it followed."""
    found = []
    for name in _in_order(list(before), list(now)):
        pair = before.get(name) or ABSENT, now.get(name) or ABSENT
        if pair[0] != pair[1]:
            found.append(Change(name, *pair))
    return tuple(found)


def _in_order(before: Sequence[str], now: Sequence[str]) -> list[str]:
    order, known = list(now), set(now)
    for place, name in enumerate(before):
        if name not in known:
            after = before[place - 1] if place else None
            order.insert(order.index(after) + 1 if after in order else 0, name)
    return order


def _flat(path: str, value: Any) -> dict[str, str]:
    if isinstance(value, Mapping):
        return {inner: text for key, each in value.items() for inner, text in _flat(f"{path}.{key}", each).items()}
    if isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        return {
            key: text for place, each in enumerate(value, 1) for key, text in _flat(f"{path}.{place}", each).items()
        }
    text = _spelled(value)
    return {path: text} if text else {}


def _spelled(value: Any) -> str:
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(_spelled(each) for each in value) if isinstance(value, list) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _packages(lines: Sequence[str]) -> dict[str, str]:
    """Return the version of each package by its name; a line without a version is its own."""
    found = {}
    for line in sorted(lines, key=str.lower):
        name, pinned, version = line.partition("==")
        found[name.strip().lower()] = version.strip() if pinned else line.strip()
    return found
