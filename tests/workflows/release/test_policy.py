"""The commands on the release policy, as docs/promotion.md has them."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from slipway.cli import main
from slipway.core.spec import Experiment
from slipway.core.spec._yaml import read_policy
from slipway.registry.trust import AUTHOR, DIGEST

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
DOCS = Path(__file__).parents[3] / "docs" / "promotion.md"
SECTION = DOCS.read_text().split("## The release policy")[1].split("\n## ")[0]
NAME = "flight_delays"


@pytest.fixture
def run(
    store: MlflowClient,
    tested_run: Any,
    declare: Callable[..., Experiment],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str]]:
    """Return a function that runs a command as somebody, beside a store with version 1 of ana; it returns code and output."""
    tested, evidence = tested_run(declare(gates={"thresholds": {"roc_auc": 0.7}, "approval": {"number": 1}}))
    store.create_registered_model(NAME)
    store.create_experiment(f"{NAME}/promotions", artifact_location=str(tmp_path / "promotions"))
    store.create_model_version(NAME, "s3://models/1", tested, tags={DIGEST: "digest", AUTHOR: "ana", **evidence})
    monkeypatch.chdir(tmp_path)

    def call(who: str, *words: str) -> tuple[int, str]:
        monkeypatch.setenv("SLIPWAY_USER", who)
        code = main([*words, "--tracking-uri", store.tracking_uri, "--project", str(tmp_path)])
        told = capsys.readouterr()
        return code, told.err if code else told.out

    return call


def test_the_policy_of_the_documentation_can_be_read() -> None:
    (text,) = re.findall(r"^```yaml policy.yaml\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)
    policy = read_policy(text)
    assert policy.change.approvals == 1 and policy.promoters == ["pia"]


def test_the_commands_of_the_documentation_draft_set_show_and_approve_a_policy(
    run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    lines = [line for line in SECTION.splitlines() if line.startswith("slipway policy ")]
    draft, set_, show, approve, as_admin = (shlex.split(line.partition(" > ")[0])[1:] for line in lines)
    code, text = run("rita", *draft)
    assert code == 0, text
    (tmp_path / "policy.yaml").write_text(text)
    assert "metric: roc_auc" in text and "not_worse_than_champion:\n    margin: 0.0" in text
    assert "has no release policy: each version goes by its own declaration" in run("rita", *show)[1]
    code, text = run("rita", *set_)
    assert code == 0 and text.startswith("release policy set: the first"), text
    code, text = run("rita", *show)
    assert "in force: the release policy that rita set on" in text and read_policy(text).gates.thresholds
    assert run("rita", *approve)[0] == 1
    code, text = run("ben", *as_admin)
    assert code == 1 and "nobody has to log in on this server, so nobody is an admin of it" in text
    assert run("ben", *show, "--as-admin")[0] == 2
    code, text = run("ben", *approve)
    assert (code, text.strip()) == (0, "release policy approved")
    assert "approved by ben" in run("rita", *show)[1]
    assert '"approved_by": [\n      "ben"\n    ]' in run("rita", *show, "--json")[1]
    (tmp_path / "policy.yaml").write_text("gates: {approvals: 1}")
    code, text = run("rita", *set_)
    assert code == 2 and "policy.yaml:1: gates.approvals: unknown key" in text
    assert run("rita", *set_, "--approve")[0] == 2
    code, text = run("rita", *show, "--set", "nowhere.yaml", "--comment", "x")
    assert code == 3 and text.strip().endswith("nowhere.yaml cannot be read: No such file or directory")
    for what in (("--set", "policy.yaml"), ("--approve",), ("--approve", "--comment", " ")):
        code, text = run("rita", *show, *what)
        assert code == 2 and "give it with --comment" in text, text
