"""What a long command says while it works: on stderr, bars only where somebody looks."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say what is being done, and how long it took when it is over."""
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
    """Say something that is worth knowing and stops nothing."""
    print(f"  {text}", file=sys.stderr, flush=True)


@contextmanager
def bytes_bar(total: int, text: str) -> "Iterator[tqdm[None]]":
    """A progress bar of bytes that is shown when it takes longer than two seconds."""
    look: dict[str, Any] = {"unit": "B", "unit_scale": True, "unit_divisor": 1024, "delay": 2, "dynamic_ncols": True}
    with tqdm(total=total, desc=f"  {text}", disable=None, file=sys.stderr, **look) as shown:
        yield shown


@contextmanager
def bar(total: int, text: str) -> "Iterator[tqdm[None]]":
    """A progress bar; invisible when stderr is no terminal."""
    with tqdm(total=total, desc=f"  {text}", disable=None, leave=True, dynamic_ncols=True, file=sys.stderr) as shown:
        yield shown
