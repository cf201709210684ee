"""The catalogue says of each gate what `check`, the model card and the documentation say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slipway.core.gates import CATALOGUE, every_gate, gates_before
from slipway.core.promises import promises
from slipway.core.spec import Experiment, Gates
from slipway.types import Stage

Declare = Callable[..., Experiment]
DOCS = Path(__file__).parents[3] / "docs" / "promotion.md"
RIPE: dict[str, Any] = {
    "scope": {"goal": "Say it.", "decision": "Do it.", "owner": "us@example.com", "maturity": "production"},
    "sla": {"p99_ms": 50, "availability": 0.99, "report": "daily"},
    "monitor": {"metric": "roc_auc", "floor": 0.55},
    "evaluation": {"slices": ["port"]},
    "gates": {
        "thresholds": {"roc_auc": 0.6, "log_loss": 0.5}, "calibration": {"error": 0.05}, "beats_baseline": {"margin": 0.02},
        "approval": {"approvers": ["ana", "ben"]}, "own": ["gates:few_alarms"],
    },
}  # fmt: skip


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_the_documentation_has_each_gate_as_the_catalogue_says_it(entry: Any) -> None:
    assert f"| `{entry.name}` | {entry.stands} | {entry.sentence} |" in DOCS.read_text().splitlines()


def test_the_documentation_has_no_other_gate() -> None:
    rows = [
        line
        for line in DOCS.read_text().split("## The gates")[1].split("\n## ")[0].splitlines()
        if line.startswith("| `")
    ]
    assert len(rows) == len(CATALOGUE)


def test_each_gate_has_its_own_section_or_one_that_is_there(declare: Declare) -> None:
    sections = set(Gates.model_fields) - {"own", "without"}
    assert {
        entry.section.removeprefix("gates.") for entry in CATALOGUE if entry.section.startswith("gates.")
    } == sections
    for entry in CATALOGUE:
        value: Any = declare(**RIPE)
        for key in entry.section.split("."):
            value = getattr(value, key)


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_no_gate_of_an_experiments_own_takes_the_name_of_one_of_the_catalogue(entry: Any, declare: Declare) -> None:
    with pytest.raises(ValueError, match="is the name of another gate"):
        declare(gates={"own": [f"gates:{entry.name}"]})


def test_every_gate_says_what_it_demands_or_why_it_does_not_stand(declare: Declare) -> None:
    ripe = declare(**RIPE | {"gates": RIPE["gates"] | {"without": {"slices": "one port only"}}})
    told = {gate.name: gate for gate in every_gate(ripe)}
    assert list(told) == [*(entry.name for entry in CATALOGUE), "few_alarms"]
    standing = [name for name, gate in told.items() if Stage.PRODUCTION in gate.stages]
    assert standing == [*gates_before(ripe, Stage.PRODUCTION), "few_alarms"]
    assert told["thresholds"].demand.endswith(" (roc_auc at least 0.6, log_loss at most 0.5)")
    assert told["beats_baseline"].demand.endswith(" (margin 0.02)")
    assert told["not_worse_than_champion"].demand.endswith(" (margin 0)")
    assert told["latency"].demand.endswith(" (p99_ms 50)")
    assert told["approval"].demand.endswith(" (number 1, approvers ana, ben)")
    assert told["slices"].demand == "left out: one port only" and told["slices"].asked_for
    assert told["size"].demand == "not asked for; gates.size asks for it" and not told["size"].asked_for


def test_what_nothing_reads_is_told_as_not_measured_yet(declare: Declare) -> None:
    told = {promise.key: promise.measured for promise in promises(declare(**RIPE))}
    assert told == {
        "sla.p99_ms": "measured by the gate latency", "sla.availability": "not measured yet", "sla.report": "not measured yet",
        "monitor": "not measured yet",
    }  # fmt: skip
    unasked = declare(sla={"p99_ms": 50})
    assert [str(promise) for promise in promises(unasked)] == [
        "sla.p99_ms 50 (not measured; gates.latency asks for it)"
    ]
    without: dict[str, Any] = RIPE["gates"] | {"without": {"latency": "asked once a day"}}
    (left_out, *_) = promises(declare(**RIPE | {"gates": without}))
    assert left_out.measured == "not measured; gates.without leaves the gate latency out"
    (laxer, *_) = promises(declare(**RIPE | {"gates": RIPE["gates"] | {"latency": {"p99_ms": 500}}}))
    assert str(laxer) == "sla.p99_ms 50 (measured by the gate latency, which allows 500)"
    schema = Experiment.model_json_schema()["$defs"]
    for section, keys in {"Sla": ("availability", "report"), "Monitor": ("floor", "window_days")}.items():
        assert all("not measured yet" in schema[section]["properties"][key]["description"] for key in keys)
