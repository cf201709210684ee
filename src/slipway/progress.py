"""Progress of long commands on stderr; bars are shown on a terminal only."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print what is being done, and at the end how long it took."""
    shown = sys.stderr.isatty()
    if shown:
        print(f"  {text} …", end="", file=sys.stderr, flush=True)
    clock = time.perf_counter()
    try:
        yield
    except BaseException:
        if shown:
            print(file=sys.stderr)
        raise
    took = time.perf_counter() - clock
    print(f"\r  {text} · {took:.1f} s   " if shown else f"  {text} · {took:.1f} s", file=sys.stderr, flush=True)


def note(text: str) -> None:
    """Print a note that does not stop the command."""
    print(f"  {text}", file=sys.stderr, flush=True)


@contextmanager
def bytes_bar(total: int, text: str) -> "Iterator[tqdm[None]]":
    """Give a progress bar of bytes, which is shown when the work takes longer than two seconds."""
    look: dict[str, Any] = {"unit": "B", "unit_scale": True, "unit_divisor": 1024, "delay": 2, "dynamic_ncols": True}
    with tqdm(total=total, desc=f"  {text}", disable=None, file=sys.stderr, **look) as shown:
        yield shown


@contextmanager
def bar(total: int, text: str) -> "Iterator[tqdm[None]]":
    """Give a progress bar, which is invisible when stderr is not a terminal."""
    with tqdm(total=total, desc=f"  {text}", disable=None, leave=True, dynamic_ncols=True, file=sys.stderr) as shown:
        yield shown
