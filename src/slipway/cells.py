"""Lines and bars of progress below a cell of a notebook."""

import io
import sys
from html import escape
from typing import Any

from tqdm import tqdm

# Colours are those of the notebook, light or dark.
_STYLE = (
    "margin:0;padding:0;border:0;background:none;white-space:pre-wrap;opacity:.75;font:12px/1.5 ui-monospace,monospace"
)


def in_notebook() -> bool:
    """Return whether the caller runs in a cell of a notebook. Whoever has not imported IPython does not."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config


class CellLine:
    """A line below the running cell, whose text may change."""

    def __init__(self, text: str = ""):
        from IPython import display

        self._html: Any = display.HTML
        self._handle: Any = display.display(self._html(_line(text)), display_id=True)  # type: ignore[no-untyped-call]

    def say(self, text: str) -> None:
        """Show another text in place of the present one."""
        self._handle.update(self._html(_line(text)))


class CellBar(tqdm):  # type: ignore[misc]  # tqdm has no types
    """A bar of tqdm as a line below the cell.

    tqdm's own bar for notebooks asks for ipywidgets, and leaves a widget in the saved notebook that few pages can show.
    """

    def __init__(self, **look: Any):
        self._line = CellLine()
        own = {"file": io.StringIO(), "disable": False, "dynamic_ncols": False, "ncols": 90, "ascii": False}
        super().__init__(**{**look, **own})

    def display(self, msg: str | None = None, pos: int | None = None) -> None:  # noqa: ARG002 - as tqdm declares it
        self._line.say(str(self) if msg is None else msg)


def _line(text: str) -> str:
    return f'<pre style="{_STYLE}">{escape(text)}</pre>'
