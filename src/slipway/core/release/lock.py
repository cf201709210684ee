"""A lock file, as pip reads it with `--require-hashes`: which version of each package, and the hashes of its files."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_PIN = re.compile(r"==[^*,]+")


@dataclass(frozen=True)
class Pin:
    """A package at one version. hashed: whether it has hashes. text: its lines, as they are written."""

    name: str
    version: str
    hashed: bool
    text: str


def pins(lock: str) -> list[Pin]:
    """Return what a lock pins, in its order; a package may be there more than once, for different platforms.

    Raises ValueError naming the first line that is no package at one version.
    """
    found = []
    for text in re.sub(r"\\\r?\n", "\0", lock).splitlines():
        words = re.sub(r"(^|\s)#.*", "", text).replace("\0", " ").strip()
        if words:
            found.append(_pin(words, text.replace("\0", "\\\n")))
    return found


def amiss(lock: str, exactly: Mapping[str, str], some: Iterable[str]) -> list[str]:
    """Return what keeps a lock from being installed with hashes and from serving a model; nothing when it can.

    exactly: packages and the versions that they have to have. some: packages that have to be there.
    """
    try:
        found = pins(lock)
    except ValueError as error:
        return [str(error)]
    by_name: dict[str, set[str]] = {}
    for pin in found:
        by_name.setdefault(pin.name, set()).add(pin.version)
    bare = [pin.name for pin in found if not pin.hashed]
    absent = sorted({canonicalize_name(name) for name in (*exactly, *some)} - by_name.keys())
    others = [
        f"it pins {name} {', '.join(sorted(by_name[key]))}, and the model was made with {version}"
        for name, version in exactly.items()
        if (key := canonicalize_name(name)) in by_name and version not in by_name[key]
    ]
    return [
        *([f"without hashes are {_some(bare)}"] if bare else []),
        *([f"it does not pin {_some(absent)}"] if absent else []),
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


def _some(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
