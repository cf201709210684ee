"""Progress of long commands: on stderr, with bars on a terminal only, or below the cell of a notebook."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from slipway.cells import CellBar, CellLine, in_notebook


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say what is being done, and at the end how long it took."""
    with _cell_step(text) if in_notebook() else _step(text):
        yield


def note(text: str) -> None:
    """Say something that does not stop the command."""
    if in_notebook():
        CellLine(f"  {text}")
    else:
        print(f"  {text}", file=sys.stderr, flush=True)


@contextmanager
def bytes_bar(total: int, text: str) -> "Iterator[tqdm[None]]":
    """Give a progress bar of bytes, which is shown when the work takes longer than two seconds."""
    with _bar(total, text, unit="B", unit_scale=True, unit_divisor=1024, delay=2) as shown:
        yield shown


@contextmanager
def bar(total: int, text: str) -> "Iterator[tqdm[None]]":
    """Give a progress bar, which is invisible when stderr is neither a terminal nor a notebook's."""
    with _bar(total, text, leave=True) as shown:
        yield shown


def _bar(total: int, text: str, **look: Any) -> "tqdm[None]":
    kind = CellBar if in_notebook() else tqdm
    return kind(total=total, desc=f"  {text}", disable=None, dynamic_ncols=True, file=sys.stderr, **look)


@contextmanager
def _cell_step(text: str) -> Iterator[None]:
    line = CellLine(f"… {text}")
    clock = time.perf_counter()
    try:
        yield
    except BaseException:
        line.say(f"✗ {text}")
        raise
    line.say(f"✓ {text} · {time.perf_counter() - clock:.1f} s")


@contextmanager
def _step(text: str) -> Iterator[None]:
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
