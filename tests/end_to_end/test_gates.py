"""Gates run without moving anything, approvals, gates of the experiment's own, the newest rows, measured latency."""

import shutil
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from requests import HTTPError

from slipway.core.release.transitions import Action

if TYPE_CHECKING:
    from conftest import Library

OWN = """
from slipway.types import Verdict


def few_alarms(evidence):
    share = float(evidence.challenger.predicted.mean())
    return Verdict("few_alarms", share < 0.9, f"{share:.0%} of the loans are reminded", {"share": share})


def fails(evidence):
    raise KeyError("branch")


def by_rows(evidence):
    return len(evidence.rows) > 10, f"{len(evidence.rows)} rows"
"""

ASKED = """gates:
  thresholds: {roc_auc: 0.6}
  beats_baseline: {margin: 0.02}
  not_worse_than_champion: {margin: 0.05}
  approval: {approvers: [ben, cleo]}
  own: ["gates:few_alarms", "gates:by_rows"]
"""
GATES = """gates:
  thresholds: {roc_auc: 0.6}
  beats_baseline: {margin: 0.02}
  not_worse_than_champion: {margin: 0.02}
"""


MEASURED = """gates:
  thresholds: {roc_auc: 0.6}
  size: {megabytes: 20}
  latency: {p99_ms: 5000}
  reproducible: {}
"""


@pytest.fixture(scope="module")
def guarded(library: "Library") -> str:
    """An experiment that asks for everything, with one version, by ana."""
    name = library.vary("late_loans", "guarded", (GATES, ASKED), ("loans.csv", "loans_guarded.csv"))
    (library.spec(name).parent / "gates.py").write_text(OWN)
    pd.read_csv(library.project / "loans.csv").to_csv(library.project / "loans_guarded.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLIPWAY_USER", "ana")
        library.done("register", name, library.copied_run(name, "late_loans"))
    return name


def verdicts(told: dict) -> dict[str, bool]:
    return {verdict["gate"]: verdict["passed"] for verdict in told["verdicts"]}


def test_gates_say_all_that_was_asked_and_move_nothing(library: "Library", guarded: str) -> None:
    said = library.slipway("gates", guarded, 1, "--json")
    assert said.code == 1  # nobody has approved yet
    told = said.json
    assert (
        "First version: better than the best baseline" in told["decision"]
        and "it waits for 1 approval" in told["decision"]
    )
    passed = verdicts(told)
    assert [gate for gate, good in passed.items() if not good] == ["approval"]
    assert {"few_alarms", "by_rows"} <= passed.keys()
    assert library.stages(guarded) == {1: "None"}
    (entry,) = library.runs(f"{guarded}/promotions")
    assert entry.data.tags["slipway.action"] == Action.JUDGE and entry.data.tags["slipway.evidence"] == told["evidence"]
    kept = {artifact.path for artifact in library.client.list_artifacts(entry.info.run_id, "evidence")}
    assert kept == {"evidence/case.json", "evidence/test.parquet"}
    assert library.done("history", guarded, "--verify")["verified"]


def test_latency_size_and_a_second_fit_are_measured(library: "Library") -> None:
    name = library.registered("measured", (GATES, MEASURED), of="late_loans")
    told = library.done("gates", name, 1)
    numbers = {verdict["gate"]: verdict["numbers"] for verdict in told["verdicts"]}
    latency = numbers["latency"]
    assert 0 < latency["p50_ms"] <= latency["p99_ms"] < 5000 and latency["requests"] == 500
    assert 0 < numbers["size"]["megabytes"] < 20
    assert (numbers["reproducible"]["different"], numbers["reproducible"]["rows"]) == (0, 375)


def test_a_version_waits_for_somebody_who_is_not_its_author(library: "Library", guarded: str) -> None:
    refused = library.slipway("promote", guarded, 1, "Production")
    assert refused.code == 1 and "approval: nobody has approved this evidence; 1 is needed" in refused.err
    with pytest.MonkeyPatch.context() as patch:
        for user, complaint in (("ana", "ana is the author of version 1"), ("dan", "not among those who may approve")):
            patch.setenv("SLIPWAY_USER", user)
            said = library.slipway("approve", guarded, 1, "--comment", "fine")
            assert said.code == 1 and complaint in said.err
        patch.setenv("SLIPWAY_USER", "ben")
        assert library.slipway("approve", guarded, 1, "--comment", " ").code == 1
        assert library.slipway("approve", guarded, 1).code == 2
        approved = library.done("approve", guarded, 1, "--comment", "read the slices")
        assert (approved["action"], approved["by"], approved["comment"]) == ("approve", "ben", "read the slices")
        assert "ben has approved this evidence already" in library.slipway("approve", guarded, 1, "--comment", "x").err
    moved = library.done("promote", guarded, 1, "Production", "--comment", "as approved")
    assert verdicts(moved)["approval"] and moved["evidence"] == approved["evidence"]
    assert library.stages(guarded) == {1: "Production"}
    told = library.slipway("history", guarded).out
    assert "version 1 approved for Production, by ben — read the slices" in told and "approval: approved by ben" in told
    assert library.done("history", guarded, "--verify")["verified"]


def test_an_approval_expires_when_the_evidence_changes(library: "Library", guarded: str) -> None:
    """The same model registered again; new rows come in between, so that what ben said yes to is no longer what is judged."""
    first = library.client.get_model_version(guarded, "1")
    stored = first.source.removeprefix("models:/")
    library.client.create_model_version(guarded, first.source, first.run_id, tags=first.tags, model_id=stored)
    judged = library.slipway("gates", guarded, 2, "--json").json
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLIPWAY_USER", "cleo")
        library.done("approve", guarded, 2, "--comment", "the same as before")
    table = pd.read_csv(library.project / "loans.csv")
    later = table.tail(200).assign(
        loan=[f"N{i}" for i in range(200)], lent_on=pd.date_range("2026-01-02", periods=200, freq="5h").astype(str)
    )
    pd.concat([table, later]).to_csv(library.project / "loans_guarded.csv", index=False)
    refused = library.slipway("promote", guarded, 2, "Production", "--force")
    assert refused.code == 1 and "nobody has approved this evidence" in refused.err
    again = library.slipway("gates", guarded, 2, "--json").json
    champion = next(v for v in again["verdicts"] if v["gate"] == "not_worse_than_champion")
    assert again["evidence"] != judged["evidence"]
    assert "on the newest 200 rows, since 2026-01-02 00:00:00, no different" in champion["reason"]
    assert library.stages(guarded) == {1: "Production", 2: "None"}


def test_the_champion_is_not_got_rid_of_by_emptying_production(library: "Library") -> None:
    name = library.registered("emptied")
    text = library.spec(name).read_text()
    library.spec(name).write_text(text.replace("late_before: {type: int}", "late_before: {type: int, feature: false}"))
    library.done("run", name, "--executor", "serial", "--trials", 1)
    library.done("promote", name, 1, "Production")
    assert "in Production already" in library.slipway("gates", name, 1).err
    refused = library.slipway("promote", name, 1, "Staging")
    assert refused.code == 1 and "promote another version there, roll back, or archive it" in refused.err
    assert library.slipway("promote", name, 2, "Production").code == 1
    assert library.stages(name) == {1: "Production", 2: "None"}
    assert "version 1 archived; nothing is in Production now" in library.slipway("archive", name, 1).out
    refused = library.slipway("promote", name, 2, "Production")
    assert (
        refused.code == 1 and "than version 1, which was in Production last\n    the low end has to be" in refused.err
    )
    library.done("promote", name, 1, "Production")  # it has nobody to be held against but itself


def test_evidence_that_is_altered_or_taken_out_afterwards_is_named(library: "Library") -> None:
    name = library.registered("kept_evidence")
    library.done("promote", name, 1, "Staging")
    (entry,) = library.runs(f"{name}/promotions")
    assert library.done("history", name, "--verify")["verified"]
    evidence = library.home / "artifacts" / entry.info.experiment_id / entry.info.run_id / "artifacts" / "evidence"
    (evidence / "case.json").write_text("{}")
    (found,) = library.slipway("history", name, "--verify", "--json").json["findings"]
    assert found["kind"] == "altered" and "the evidence of 'version 1 → Staging'" in found["message"]
    shutil.rmtree(evidence)
    (found,) = library.slipway("history", name, "--verify", "--json").json["findings"]
    assert found["kind"] == "missing" and "is gone" in found["message"]


def test_the_own_gate_that_fails_is_a_refusal_with_its_error(library: "Library") -> None:
    own = GATES + '  own: ["gates:fails", "gates:nowhere"]\n'
    name = library.registered("own_fails", (GATES, own), of="late_loans")
    (library.spec(name).parent / "gates.py").write_text(OWN)
    refused = library.slipway("promote", name, 1, "Production")
    assert refused.code == 1 and "fails: gates:fails failed: KeyError: 'branch'" in refused.err
    assert "has no function 'nowhere'" in refused.err and "Traceback" not in refused.err


def test_test_rows_that_were_changed_afterwards_are_no_evidence(library: "Library") -> None:
    name = library.registered("forged")
    version = library.client.get_model_version(name, "1")
    forged = '{"target": "days_kept", "classes": [], "baselines": {}}'
    with pytest.raises(HTTPError, match="of the search that it was made by"):
        library.client.log_text(version.run_id, forged, "evidence/facts.json")
    (evidence,) = (library.home / "artifacts").rglob(f"{version.run_id}/artifacts/evidence")
    (evidence / "facts.json").write_text(forged)
    refused = library.slipway("promote", name, 1, "Staging")
    assert refused.code == 1 and "is not what was registered with it" in refused.err
