"""The exchange of a home's content: after a kill at any moment, the old or the new content is there, never half of each.

HOME/.restore/new      the new content, while it is written and checked; the home is untouched
HOME/.restore/plan     written in one step when all of `new` is good: from here on the new content counts
HOME/replaced-TIME/    the old content

After the plan is written, entries are renamed one by one. A rest is renamed by the next command that opens the home.
"""

import itertools
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from os.path import lexists
from pathlib import Path

from slipway.files import whole_file
from slipway.tracking.home import is_kept

_STAYS = {"logs", "capture", "server.lock", ".restore"}


@dataclass(frozen=True)
class _Plan:
    """The entries of the home that are renamed. aside: the folder for the old content."""

    aside: str
    old: list[str]
    new: list[str]


def stage(home: Path) -> Path:
    """Make an empty folder in `home` for the new content, and return it. Raises FileExistsError where one is left."""
    folder = home / ".restore" / "new"
    folder.mkdir(parents=True)
    return folder


def occupied(home: Path) -> list[str]:
    """Return the names of the entries of `home` that a backup would keep."""
    return sorted(path.name for path in home.iterdir() if is_kept(path.name))


def is_cut_off(home: Path) -> bool:
    """Say whether an exchange is under way, or was killed."""
    return (home / ".restore").exists()


def exchange(home: Path, now: str) -> Path | None:
    """Put the staged content into the place of the old; return the folder of the old content, None where there was none.

    now: a time for the name of that folder. Puts everything back and raises OSError when an entry cannot be renamed.
    """
    old = [path.name for path in home.iterdir() if path.name not in _STAYS and not path.name.startswith("replaced-")]
    aside = next(name for name in _numbered(f"replaced-{now}") if not (home / name).exists())
    plan = _Plan(aside, sorted(old), sorted(path.name for path in (home / ".restore" / "new").iterdir()))
    with whole_file(home / ".restore" / "plan") as draft:
        draft.write_text(json.dumps(asdict(plan)), encoding="utf-8")
    try:
        _forward(home, plan)
    except OSError:
        _backward(home, plan)
        raise
    return home / plan.aside if old else None


def finish(home: Path) -> None:
    """Bring an exchange that was cut off to its end: content without a plan is taken away, content with one is put in place."""
    try:
        plan = _Plan(**json.loads((home / ".restore" / "plan").read_text(encoding="utf-8")))
    except FileNotFoundError:
        shutil.rmtree(home / ".restore", ignore_errors=True)
        return
    _forward(home, plan)


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in itertools.count(2))


def _forward(home: Path, plan: _Plan) -> None:
    """Rename the entries that are not in their place yet; after a kill at any point, a second call ends the work."""
    new, aside = home / ".restore" / "new", home / plan.aside
    if plan.old:
        aside.mkdir(exist_ok=True)
    for name in plan.old:
        if not lexists(aside / name) and lexists(home / name):
            (home / name).rename(aside / name)
    for name in plan.new:
        if lexists(new / name):
            (new / name).rename(home / name)
    (home / ".restore" / "plan").unlink()
    shutil.rmtree(home / ".restore", ignore_errors=True)


def _backward(home: Path, plan: _Plan) -> None:
    new, aside = home / ".restore" / "new", home / plan.aside
    for name in plan.new:
        if not lexists(new / name) and lexists(home / name) and (name not in plan.old or lexists(aside / name)):
            (home / name).rename(new / name)
    for name in plan.old:
        if lexists(aside / name):
            (aside / name).rename(home / name)
    (home / ".restore" / "plan").unlink()
    shutil.rmtree(home / ".restore", ignore_errors=True)
    if plan.old:
        aside.rmdir()
