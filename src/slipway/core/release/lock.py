"""A lock file, as pip reads it with `--require-hashes`: one version of each package, and the hashes of its files."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from slipway.errors import some_of

_PIN = re.compile(r"==[^*,]+")


@dataclass(frozen=True)
class Pin:
    """A package at one version.

    Attributes:
        name: the canonical name of the package.
        version: its version.
        hashed: whether the lock has hashes for it.
        text: its lines in the lock, as they are written.
    """

    name: str
    version: str
    hashed: bool
    text: str


def pins(lock: str) -> list[Pin]:
    """Return the pins of a lock, in its order; a package may have several, for different platforms.

    Raises ValueError, which names the first line that does not pin a package to one version.
    """
    pinned = []
    for text in re.sub(r"\\\r?\n", "\0", lock).splitlines():
        words = re.sub(r"(^|\s)#.*", "", text).replace("\0", " ").strip()
        if words:
            pinned.append(_pin(words, text.replace("\0", "\\\n")))
    return pinned


def amiss(lock: str, exactly: Mapping[str, str], some: Iterable[str]) -> list[str]:
    """Return the reasons why a lock cannot be installed with hashes, or cannot serve a model; none when it can.

    Args:
        lock: the text of the lock.
        exactly: packages, with the versions that they have to have.
        some: packages that have to be there, at any version.
    """
    try:
        pinned = pins(lock)
    except ValueError as error:
        return [str(error)]
    by_name: dict[str, set[str]] = {}
    for pin in pinned:
        by_name.setdefault(pin.name, set()).add(pin.version)
    bare = [pin.name for pin in pinned if not pin.hashed]
    absent = sorted({canonicalize_name(name) for name in (*exactly, *some)} - by_name.keys())
    others = [
        f"it pins {name} {', '.join(sorted(by_name[key]))}, and the model was made with {version}"
        for name, version in exactly.items()
        if (key := canonicalize_name(name)) in by_name and version not in by_name[key]
    ]
    return [
        *([f"without hashes are {some_of(bare, 8)}"] if bare else []),
        *([f"it does not pin {some_of(absent, 8)}"] if absent else []),
        *others,
    ]


def _pin(words: str, text: str) -> Pin:
    requirement, *hashes = re.split(r"\s--hash[= ]", words)
    try:
        read = Requirement(requirement.strip())
    except InvalidRequirement:
        raise ValueError(f"it holds a line that pins no package: {requirement.strip()[:80]}") from None
    if not _PIN.fullmatch(str(read.specifier)) or read.url:
        raise ValueError(f"it does not pin {read.name} to one version: {requirement.strip()[:80]}")
    return Pin(canonicalize_name(read.name), str(read.specifier).removeprefix("=="), bool(hashes), text)
