"""The supervisor starts a front by name, over a pickle: no type checker sees whether their arguments agree."""

import os
from pathlib import Path

import pytest
from tests.helpers.waiting import wait_for

from slipway.core.variants import VariantRole
from slipway.processes import child_environment
from slipway.serving.config import Capture, ServingConfig, VariantConfig
from slipway.serving.http.sockets import listen
from slipway.serving.supervisor.supervisor import Supervisor

STARTED = """
import inspect
from pathlib import Path
from slipway.serving.front.process import front

def started(**given):
    try:
        inspect.signature(front).bind(**given)
        found = "ok"
    except TypeError as error:
        found = str(error)
    draft = Path(__file__).with_name("draft")
    draft.write_text(found)
    draft.rename(Path(__file__).with_name("found"))
    given["control"].recv_bytes()
"""


@pytest.mark.parametrize("role", [None, *VariantRole])
def test_a_front_takes_the_arguments_that_the_supervisor_gives(tmp_path: Path, role: VariantRole | None) -> None:
    (tmp_path / "standing_in.py").write_text(STARTED)
    env = {"PYTHONPATH": os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))}
    config = ServingConfig(variant_config=VariantConfig(role, "Staging", 0.5) if role else None)
    supervisor = Supervisor(
        config,
        ["m"],
        listen("127.0.0.1", 0),
        child_environment(env),
        tmp_path / "serve.log",
        front="standing_in:started",
        capture=Capture(1.0, "no:writer", tmp_path / "capture"),
    )
    supervisor.start()
    try:
        wait_for(lambda: (tmp_path / "found").exists())
        assert (tmp_path / "found").read_text() == "ok"
    finally:
        supervisor.stop()
