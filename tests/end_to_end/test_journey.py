"""From a table and an experiment.yaml to scored files: what a run leaves, and how its versions move."""

import contextlib
import hashlib
import io
import json
import re
import runpy
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import pandas as pd
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from conftest import Library

REPOSITORY = Path(__file__).parents[2]
PARENT = "mlflow.parentRunId"


def text_of(library: "Library", run_id: str, path: str) -> str:
    return mlflow.artifacts.load_text(f"runs:/{run_id}/{path}")


def artifacts(library: "Library", run_id: str, folder: str = "") -> set[str]:
    return {entry.path for entry in library.client.list_artifacts(run_id, folder)}


def run_of(library: "Library", name: str, version: int) -> Any:
    return library.client.get_run(library.client.get_model_version(name, str(version)).run_id)


def test_a_run_and_its_trials_are_in_mlflow_under_the_names_of_the_space(library: "Library") -> None:
    parent = run_of(library, "late_loans", library.in_production("late_loans"))
    children = [run for run in library.runs("late_loans") if run.data.tags.get(PARENT) == parent.info.run_id]
    baselines = [run for run in children if run.data.tags["slipway.kind"] == "baseline"]
    trials = [run for run in children if run.data.tags["slipway.kind"] == "trial"]
    trials.sort(key=lambda run: run.info.run_name)  # trials that run side by side may start in any order

    assert [run.data.params for run in baselines] == [{"candidate": "baseline: prior"}]
    assert baselines[0].data.metrics["roc_auc"] == 0.5
    assert baselines[0].info.start_time <= min(run.info.start_time for run in trials)
    assert [run.info.run_name for run in trials] == ["trial 001 stump", "trial 002 stump", "trial 003 stump"]
    for run in (parent, *children):
        assert run.info.status == "FINISHED"
        assert run.info.end_time >= run.info.start_time
    for run in trials:
        assert run.data.params.keys() == {"candidate", "max_depth", "min_samples_leaf"}
        assert 20 <= int(run.data.params["min_samples_leaf"]) <= 60
        assert {"roc_auc", "log_loss", "accuracy", "duration_s"} <= run.data.metrics.keys()

    best = max(trials, key=lambda run: run.data.metrics["roc_auc"])
    measured = parent.data.metrics
    assert parent.data.params == best.data.params
    assert measured["validation_roc_auc"] == best.data.metrics["roc_auc"]
    assert measured["test_roc_auc_low"] < measured["test_roc_auc"] < measured["test_roc_auc_high"]
    assert measured["test_roc_auc.prior"] == 0.5
    assert (measured["trials"], measured["failed_trials"]) == (3, 0)


def test_a_run_says_where_it_came_from(library: "Library") -> None:
    name = "late_loans"
    version = library.client.get_model_version(name, str(library.in_production(name)))
    tags = library.client.get_run(version.run_id).data.tags
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=library.project, capture_output=True, text=True, check=True)
    lock = hashlib.sha256((library.project / "requirements.lock").read_bytes()).hexdigest()

    assert tags["mlflow.source.git.commit"] == tags["slipway.git_commit"] == head.stdout.strip()
    assert (tags["slipway.git_dirty"], tags["slipway.lock_digest"]) == ("false", lock)
    assert (tags["mlflow.user"], tags["slipway.kind"]) == ("reviewer", "search")
    lineage = (
        "experiment",
        "spec_digest",
        "data_digest",
        "code_digest",
        "lock_digest",
        "git_commit",
        "git_dirty",
        "answers_digest",
    )
    assert version.tags == {f"slipway.{key}": tags[f"slipway.{key}"] for key in lineage} | {
        "slipway.author": "reviewer",
        "slipway.artifact_digest": version.tags["slipway.artifact_digest"],
        "slipway.evidence_digest": version.tags["slipway.evidence_digest"],
    }
    assert len(version.tags["slipway.artifact_digest"]) == 64


def test_a_run_keeps_its_declaration_its_leaderboard_its_card_and_its_plots(library: "Library") -> None:
    run_id = run_of(library, "late_loans", library.in_production("late_loans")).info.run_id

    assert text_of(library, run_id, "experiment.yaml") == library.spec("late_loans").read_text()
    assert json.loads(text_of(library, run_id, "experiment.json"))["search"]["metric"] == "roc_auc"
    board = pd.read_csv(io.StringIO(text_of(library, run_id, "leaderboard.csv")))
    assert board["rank"].tolist() == [1, 2, 3]
    assert board["roc_auc"].is_monotonic_decreasing
    table = json.loads(text_of(library, run_id, "leaderboard.json"))
    assert table["columns"] == board.columns.tolist()
    assert [row[table["columns"].index("trial")] for row in table["data"]] == board["trial"].tolist()

    assert {"model_card.html", "model_card.md", "model_card.json", "plots", "evidence"} <= artifacts(library, run_id)
    assert "Say when a book is lent whether it will come back late." in text_of(library, run_id, "model_card.html")
    plots = artifacts(library, run_id, "plots")
    assert {f"plots/{name}.png" for name in ("roc", "calibration", "permutation_importance", "search_history")} <= plots
    for plot in plots:
        assert Path(library.client.download_artifacts(run_id, plot)).read_bytes().startswith(b"\x89PNG")


def test_the_parts_of_the_data_are_inputs_of_the_run_and_the_test_rows_are_its_last(library: "Library") -> None:
    run = run_of(library, "late_loans", library.in_production("late_loans"))

    inputs = {entry.tags[0].value: entry.dataset for entry in run.inputs.dataset_inputs}
    assert inputs.keys() == {"training", "validation", "test"}
    assert len({dataset.digest for dataset in inputs.values()}) == 3
    rows = {context: json.loads(dataset.profile)["num_rows"] for context, dataset in inputs.items()}
    assert rows == {"training": 825, "validation": 300, "test": 375}
    tested = pd.read_parquet(library.client.download_artifacts(run.info.run_id, "evidence/test_rows.parquet"))
    lent = pd.read_csv(library.project / "loans.csv", parse_dates=["lent_on"])["lent_on"].sort_values()
    assert (tested["lent_on"].to_numpy() == lent.tail(375).to_numpy()).all()


@pytest.mark.parametrize(
    ("name", "metric", "baselines"),
    [
        ("next_genre", "accuracy", {"prior"}),
        ("days_kept", "mae", {"mean"}),
        ("own_pipeline", "roc_auc", {"prior", "was_late_before"}),
    ],
)
def test_every_kind_of_experiment_ends_with_a_version_that_its_gates_let_through(
    library: "Library", name: str, metric: str, baselines: set[str]
) -> None:
    version = library.in_production(name)
    run = run_of(library, name, version)
    assert library.stages(name)[version] == "Production"
    assert {f"test_{metric}.{baseline}" for baseline in baselines} <= run.data.metrics.keys()
    assert (library.project / "experiments" / name / "experiment.yaml").read_text() == text_of(
        library, run.info.run_id, "experiment.yaml"
    )


def test_a_trial_carries_the_parameters_of_its_own_candidate_only(library: "Library") -> None:
    library.in_production("next_genre")
    trials = library.runs("next_genre", "trial")
    varied = {run.data.params["candidate"]: set(run.data.params) - {"candidate"} for run in trials}
    assert varied == {"nearest": {"n_neighbors"}, "linear": {"C"}}


def test_versions_move_through_the_stages_and_history_tells_it(library: "Library") -> None:
    name = library.vary("late_loans", "the_story")
    first = library.done("run", name)
    assert (first["version"], first["stage"], first["new"]) == (1, "None", True)
    library.done("promote", name, 1, "Staging", "--comment", "looks right")
    assert aliases(library, name) == {"staging": 1}
    library.done("promote", name, 1, "production")
    assert (library.stages(name), aliases(library, name)) == ({1: "Production"}, {"production": 1})

    library.edit(name, ("max_depth: 2", "max_depth: 1"))
    worse = library.done("run", name, "--trials", 1)
    refused = library.slipway("promote", name, worse["version"], "Production")
    assert (refused.code, refused.out) == (1, "")
    assert "the_story version 2 is refused Production; nothing was moved:" in refused.err
    assert "not_worse_than_champion: roc_auc is worse by" in refused.err
    assert "than version 1 in Production" in refused.err
    assert (library.stages(name), aliases(library, name)) == ({1: "Production", 2: "None"}, {"production": 1})

    library.edit(
        name,
        ("sklearn.tree.DecisionTreeClassifier", "sklearn.linear_model.LogisticRegression"),
        ("params: {max_depth: 1}", "params: {max_iter: 1000}"),
        ("min_samples_leaf: {int: [20, 60]}", "C: {log_uniform: [0.1, 10]}"),
    )
    better = library.done("run", name, "--trials", 2, "--seed", 5)
    moved = library.done("promote", name, better["version"], "Production", "--comment", "logistic")
    assert (moved["version"], moved["replaced"]) == (3, 1)
    assert all(verdict["passed"] for verdict in moved["verdicts"])
    assert library.stages(name) == {1: "Archived", 2: "None", 3: "Production"}
    assert aliases(library, name) == {"production": 3}

    back = library.done("rollback", name, "--comment", "too many reminders")
    assert (back["action"], back["version"], back["replaced"]) == ("rollback", 1, 3)
    assert library.stages(name) == {1: "Production", 2: "None", 3: "Archived"}
    assert aliases(library, name) == {"production": 1}
    again = library.slipway("rollback", name)
    assert again.code == 1
    assert "no version of the_story that was in Production before" in again.err

    library.done("archive", name, 2)
    library.done("archive", name, 1, "--comment", "closed for the summer")
    assert (library.stages(name), aliases(library, name)) == ({1: "Archived", 2: "Archived", 3: "Archived"}, {})
    assert library.slipway("archive", name, 1).code == 1
    story = library.done("history", name)
    told = [(m["action"], m["version"], m["stage"], m["replaced"], m["complete"]) for m in story["movements"]]
    assert told == [
        ("promote", 1, "Staging", None, True),
        ("promote", 1, "Production", None, True),
        ("refuse", 2, "Production", 1, True),
        ("promote", 3, "Production", 1, True),
        ("rollback", 1, "Production", 3, True),
        ("archive", 2, "Archived", None, True),
        ("archive", 1, "Archived", None, True),
    ]
    assert {m["by"] for m in story["movements"]} == {"reviewer"}
    assert [v["gate"] for v in story["movements"][2]["verdicts"] if not v["passed"]] == ["not_worse_than_champion"]
    text = library.slipway("history", name).out
    assert "the_story · no stage is held" in text
    assert "✗ not_worse_than_champion: roc_auc is worse by" in text
    assert "rolled back to version 1, replacing version 3, by reviewer — too many reminders" in text
    digests = {version.tags["slipway.data_digest"] for version in versions(library, name)}
    assert len(digests) == 1


def aliases(library: "Library", name: str) -> dict[str, int]:
    return {alias: int(version) for alias, version in library.client.get_registered_model(name).aliases.items()}


def versions(library: "Library", name: str) -> list[Any]:
    return list(library.client.search_model_versions(f"name = '{name}'"))


def test_a_run_is_registered_once(library: "Library") -> None:
    name = "late_loans"
    number = library.in_production(name)
    run_id = library.client.get_model_version(name, str(number)).run_id
    again = library.done("register", name, run_id)
    assert (again["version"], again["new"]) == (number, False)
    assert len(versions(library, name)) == 1
    other = library.slipway("register", "next_genre", run_id)
    assert other.code == 1
    assert "is of the experiment 'late_loans', not of 'next_genre'" in other.err


def test_the_scripts_of_the_registry_do_what_the_commands_do(
    library: "Library", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = library.vary("days_kept", "by_script")
    run_id = library.copied_run(name, "days_kept")

    def script(action: str, *words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", [action, *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(REPOSITORY / "registry_scripts" / f"{action}.py"), run_name="__main__")
        return int(str(ended.value.code)), capsys.readouterr().out

    code, said = script("register", name, run_id, "--json")
    assert (code, json.loads(said)["version"]) == (0, 1)
    assert script("promote", name, 1, "Production")[0] == 0
    assert library.stages(name) == {1: "Production"}
    assert script("rollback", name)[0] == 1
    assert script("archive", name, 1, "--comment", "tried")[0] == 0
    assert library.stages(name) == {1: "Archived"}
    assert script("rollback", name)[0] == 0  # Production was left empty, so this brings it back
    assert library.stages(name) == {1: "Production"}
    code, said = script("history", name, "--json")
    assert [transition["action"] for transition in json.loads(said)["movements"]] == ["promote", "archive", "rollback"]


def put_to_score(rows: pd.DataFrame, source: Path) -> tuple[str, list[str]]:
    """Write rows by the ending of a file; return the file's address and the flags that it takes."""
    if source.suffix == ".csv":
        rows.to_csv(source, index=False, sep=";")
        return str(source), ["--sep", ";"]
    if source.suffix == ".parquet":
        rows.to_parquet(source, index=False)
        return str(source), []
    with contextlib.closing(sqlite3.connect(source)) as connection:
        rows.to_sql("loans", connection, index=False)
    return f"sqlite:///{source}", ["--table", "loans"]


@pytest.mark.parametrize(
    ("given", "wanted"), [("csv", "csv"), ("csv", "parquet"), ("parquet", "parquet"), ("db", "csv")]
)
def test_a_table_is_scored_with_its_version_in_the_metadata(
    library: "Library", tmp_path: Path, given: str, wanted: str
) -> None:
    number = library.in_production("late_loans")
    version = library.client.get_model_version("late_loans", str(number))
    asked = pd.read_csv(library.project / "loans.csv").drop(columns=["late", "days_kept"]).tail(200)
    source, output = tmp_path / f"asked.{given}", tmp_path / f"scored.{wanted}"
    address, flags = put_to_score(asked, source)

    said = library.done("score", "late_loans", address, output, *flags)
    assert (said["rows"], said["version"], said["run_id"]) == (200, number, version.run_id)
    scored = pd.read_csv(output) if wanted == "csv" else pd.read_parquet(output)
    meta: dict[str, str] = (
        json.loads(output.with_name("scored.csv.meta.json").read_text())
        if wanted == "csv"
        else {key.decode(): value.decode() for key, value in pq.read_metadata(output).metadata.items()}
    )
    assert (meta["slipway.model"], meta["slipway.version"]) == ("late_loans", str(number))
    assert (meta["slipway.stage"], meta["slipway.run_id"]) == ("Production", version.run_id)
    assert meta["slipway.artifact_digest"] == version.tags["slipway.artifact_digest"]

    model = mlflow.sklearn.load_model(f"models:/late_loans/{number}")
    own = model.predict_proba(asked)
    assert scored["loan"].tolist() == asked["loan"].tolist()
    assert scored["prediction"].tolist() == model.predict(asked).tolist()
    assert scored[[f"probability_{label}" for label in model.classes_]].to_numpy() == pytest.approx(own, abs=1e-15)
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_a_large_file_is_scored_by_the_compiled_model_and_the_command_says_so(
    library: "Library", tmp_path: Path
) -> None:
    number = library.in_production("late_loans")
    loans = pd.read_csv(library.project / "loans.csv").drop(columns=["late", "days_kept"])
    asked = pd.concat([loans] * (60_000 // len(loans) + 1), ignore_index=True)
    asked.loc[::7, "branch"] = "nobody has seen this one"
    asked.to_csv(tmp_path / "asked.csv", index=False)
    said = library.slipway("score", "late_loans", tmp_path / "asked.csv", tmp_path / "scored.parquet")
    assert said.code == 0, said.err
    rows, how = said.out.splitlines()
    assert rows.startswith(f"{len(asked):,} rows scored by late_loans version {number}")
    assert how == "by the compiled model, which agreed with it on the table's first rows"
    model = mlflow.sklearn.load_model(f"models:/late_loans/{number}")
    scored = pd.read_parquet(tmp_path / "scored.parquet")
    assert scored["prediction"].tolist() == model.predict(asked).tolist()
    probabilities = scored[[f"probability_{label}" for label in model.classes_]].to_numpy()
    assert probabilities == pytest.approx(model.predict_proba(asked), rel=1e-12, abs=1e-15)

    few = library.done("score", "late_loans", library.project / "loans.csv", tmp_path / "few.csv")
    assert not few["compiled"] and "not worth making for fewer than 50,000 rows" in few["why_not_compiled"]


def test_an_experiment_is_one_page_that_asks_nothing_of_the_network(library: "Library", tmp_path: Path) -> None:
    pytest.importorskip("slipway.workflows.report")
    library.in_production("late_loans")
    page = tmp_path / "late_loans.html"
    assert library.done("report", "late_loans", "--output", page) == {"report": str(page)}
    html = page.read_text()
    assert "Say when a book is lent whether it will come back late." in html
    assert re.findall(r"""(?:src=|<link[^>]*href=|url\()["']?(?!data:)[^"'> ]+|@import""", html) == []
