"""Commands that stay up, as those who start them hear them."""

import json
import subprocess
from collections.abc import Callable
from typing import Any


def read_json(process: "subprocess.Popen[str]", log: Callable[[], str] = str) -> Any:
    """Return what a command with --json says once it answers. log: what to tell when it ends before."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line == "}\n":
            return json.loads(text)
    raise AssertionError(f"it ended before it answered: {text}{log()}")
