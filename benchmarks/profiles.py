"""Where the seconds of a command go: which packages it imports, and in which functions it is."""

import pstats
import re
from collections import Counter
from pathlib import Path

_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)")
_OF_PYTHON = "Python's own"
_FEWEST_S = 0.01


def imported(said: str, most: int = 10) -> str:
    """Return the packages that took longest to import, and in all. said: what `python -X importtime` wrote."""
    found = Counter[str]()
    for own, module in _IMPORT.findall(said):
        top = module.split(".")[0]
        found[".".join(module.split(".")[:2]) if top == "slipway" else top] += int(own)
    all_s = sum(found.values()) / 1e6
    shown = [f"{name} {own / 1e6:.2f}" for name, own in found.most_common(most) if own / 1e6 >= _FEWEST_S]
    return f"imports, {all_s:.2f} s: {', '.join(shown) or 'none that takes long'}"


def busy_in(file: Path, most: int = 10) -> list[str]:
    """Return the functions in which most time was spent, own seconds first. file: as cProfile writes it."""
    stats = pstats.Stats(str(file)).stats  # type: ignore[attr-defined]
    longest = sorted(stats.items(), key=lambda item: -item[1][2])[:most]
    return [
        f"{own:7.2f} s own {whole:7.2f} s in all {calls:9,} ×  {_place(*where)}"
        for where, (_, calls, own, whole, _) in longest
    ]


def _place(file: str, line: int, function: str) -> str:
    name = file.partition("site-packages/")[2] or file.partition("/src/")[2] or Path(file).name
    return f"{name}:{line} {function}" if line else function
