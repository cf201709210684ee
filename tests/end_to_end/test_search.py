"""What a data scientist relies on: honest folds, thresholds that are served, searches that repeat, leaks that are named."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from conftest import Library

COSTS = (
    "  owner: desk@library.example\n",
    "  owner: desk@library.example\n  costs: {false_positive: 1, false_negative: 6}\n",
)
FOLDS = ("split: {method: time, validation: 0.2, test: 0.25}", "split: {method: time, folds: 3, test: 0.25}")
WIDER = ("min_samples_leaf: {int: [20, 60]}", "min_samples_leaf: {int: [5, 600]}")

LOGISTIC = (
    ("sklearn.tree.DecisionTreeClassifier", "sklearn.linear_model.LogisticRegression"),
    ("params: {max_depth: 2}", "params: {max_iter: 1000, class_weight: balanced}"),
    ("min_samples_leaf: {int: [20, 60]}", "C: {log_uniform: [0.1, 10]}"),
)


def evidence_of(library: "Library", run_id: str) -> pd.DataFrame:
    return pd.read_parquet(library.client.download_artifacts(run_id, "evidence/test_rows.parquet"))


def told_of_trials(library: "Library", name: str) -> list[tuple[Any, ...]]:
    runs = sorted(library.runs(name, "trial"), key=lambda run: int(run.data.tags["slipway.trial"]))
    return [
        (run.data.tags["slipway.params"], run.data.metrics["roc_auc"], run.data.metrics["log_loss"]) for run in runs
    ]


def test_a_trial_is_scored_on_every_fold_and_the_winner_learns_from_all_of_them(library: "Library") -> None:
    name = library.vary("late_loans", "in_folds", FOLDS)
    done = library.done("run", name)
    run = library.client.get_run(done["run_id"])
    contexts = {
        entry.tags[0].value: json.loads(entry.dataset.profile)["num_rows"] for entry in run.inputs.dataset_inputs
    }
    assert contexts == {"development": 1125, "test": 375}
    assert library.done("check", name)["split"].startswith("by lent_on: 3 folds")
    assert run.data.metrics["validation_roc_auc"] == pytest.approx(run.data.metrics["test_roc_auc"], abs=0.1)
    assert library.done("reproduce", name, done["version"])["identical"]


def test_the_threshold_that_costs_least_is_in_the_model_that_anybody_serves(library: "Library") -> None:
    name = library.vary("late_loans", "with_costs", COSTS, *LOGISTIC)
    done = library.done("run", name)
    run = library.client.get_run(done["run_id"])
    winner = json.loads(run.data.tags["slipway.winner"])
    rows = evidence_of(library, done["run_id"])
    asked = rows.drop(columns=["late", "days_kept", "lent_on"])
    stock = mlflow.pyfunc.load_model(f"models:/{name}/{done['version']}")
    likely = mlflow.sklearn.load_model(f"models:/{name}/{done['version']}").predict_proba(asked)[:, 1]

    assert winner["calibrated"]  # weighed classes rank well and give no probabilities
    assert likely.mean() == pytest.approx((rows["late"] == "yes").mean(), abs=0.1)
    assert 0 < winner["threshold"] < 0.4 and winner["threshold"] == run.data.metrics["validation_threshold"]
    assert (stock.predict(asked) == np.where(likely >= winner["threshold"], "yes", "no")).all()
    wrong = stock.predict(asked) != rows["late"]
    cost = np.where(wrong, np.where(rows["late"] == "yes", 6, 1), 0).mean()
    at_half = np.where((likely >= 0.5) != (rows["late"] == "yes"), np.where(rows["late"] == "yes", 6, 1), 0).mean()
    assert run.data.metrics["test_cost"] == pytest.approx(cost) and cost < at_half
    library.done("promote", name, done["version"], "Staging")
    assert library.done("reproduce", name, done["version"])["identical"]


def test_halving_fits_most_trials_on_few_rows_and_a_cut_off_search_goes_on(library: "Library") -> None:
    name = library.vary(
        "late_loans", "halved", ("  trials: 3\n", "  trials: 24\n  halving: {factor: 3, min_share: 0.1}\n"), WIDER
    )
    library.done("run", name, "--trials", 12)
    done = library.done("run", name, "--resume")
    runs = library.runs(name, "trial")
    shares = [run.data.metrics["share"] for run in runs]
    assert done["trials"] == 24 == len(runs)
    assert shares.count(1.0) < 12 and min(shares) == pytest.approx(1 / 9)
    assert next(run for run in runs if run.data.tags["slipway.trial"] == str(winner_number(library, done)))
    assert library.client.get_run(done["run_id"]).data.metrics["trials_stopped_early"] == sum(s < 1 for s in shares)


def winner_number(library: "Library", done: dict[str, Any]) -> int:
    winner = json.loads(library.client.get_run(done["run_id"]).data.tags["slipway.winner"])
    (run,) = (r for r in library.runs(done["name"], "trial") if r.data.tags["slipway.trial"] == str(winner["trial"]))
    assert run.data.metrics["share"] == 1
    return int(winner["trial"])


def test_a_serial_search_repeats_exactly(library: "Library") -> None:
    names = [library.vary("late_loans", f"again_{turn}", WIDER) for turn in ("one", "two")]
    done = [library.done("run", name, "--executor", "serial", "--trials", 6) for name in names]
    assert told_of_trials(library, names[0]) == told_of_trials(library, names[1])
    assert done[0]["test"] == done[1]["test"] and done[0]["params"] == done[1]["params"]


@pytest.mark.parametrize("name", ["late_loans", "next_genre", "days_kept", "own_pipeline"])
def test_a_version_is_reproduced_to_the_last_bit(library: "Library", name: str) -> None:
    version = library.in_production(name)
    said = library.slipway("reproduce", name, version)
    assert said.code == 0, said.err
    assert f"{name} version {version} is reproduced" in said.out and "test rows are identical" in said.out
    done = library.done("reproduce", name, version)
    assert (done["different"], done["largest"]) == (0, 0)
    assert all(metric["recorded"] == metric["now"] for metric in done["metrics"].values())


def test_code_that_was_changed_since_is_said_and_nothing_is_trained(library: "Library") -> None:
    name = library.registered("code_changed", of="own_pipeline")
    features = library.spec(name).with_name("features.py")
    features.write_text(features.read_text() + "\n\nUNUSED = 1\n")
    said = library.slipway("reproduce", name, 1)
    assert said.code == 1 and "are not those of the run" in said.err and "git worktree add" in said.err


def test_data_that_were_changed_since_are_said_and_nothing_is_trained(library: "Library") -> None:
    name = library.vary("late_loans", "data_changed", ("../../loans.csv", "own.csv"))
    rows = library.spec(name).with_name("own.csv")
    loans = pd.read_csv(library.project / "loans.csv")
    loans.to_csv(rows, index=False)
    library.done("register", name, library.copied_run(name, "late_loans"))
    loans[1:].to_csv(rows, index=False)
    said = library.slipway("reproduce", name, 1)
    assert said.code == 1 and "the data of 'data_changed' are not those of the run" in said.err


def test_a_model_that_is_not_what_its_record_says_is_not_reproduced(library: "Library") -> None:
    name = library.vary("late_loans", "forged_record", WIDER)
    done = library.done("register", name, library.copied_run(name, "late_loans"))
    winner = json.loads(library.client.get_run(done["run_id"]).data.tags["slipway.winner"])
    winner["params"]["min_samples_leaf"] += 200
    library.past.set_tag(done["run_id"], "slipway.winner", json.dumps(winner))  # past the server, which refuses it
    said = library.slipway("reproduce", name, done["version"], "--json")
    assert said.code == 1 and said.json["identical"] is False and said.json["different"] > 0
    assert "is NOT reproduced" in library.slipway("reproduce", name, done["version"]).out


def test_a_reviewer_is_shown_slices_groups_and_where_production_answers_otherwise(library: "Library") -> None:
    name = library.registered(
        "for_reviewers",
        COSTS,
        *LOGISTIC,
        ("gates:\n", "evaluation: {slices: [branch, genre, lent_on], sensitive: [student]}\ngates:\n"),
        of="late_loans",
        live=True,
    )
    library.edit(
        name, ("LogisticRegression", "SGDClassifier"), ("max_iter: 1000", "loss: log_loss"), ("C: {", "alpha: {")
    )
    variant = library.done("run", name, "--trials", 2)
    run = library.client.get_run(variant["run_id"])
    folder = Path(library.client.download_artifacts(variant["run_id"], ""))

    parts = pd.read_csv(folder / "slices.csv")
    assert set(parts["column"]) == {"branch", "genre", "lent_on", "student"}
    assert parts.groupby("column")["rows"].sum().unique().tolist() == [375]
    disputed = pd.read_csv(folder / "disagreement.csv")
    assert disputed["score"].sub(disputed["production_score"]).abs().is_monotonic_decreasing
    assert 0 < run.data.metrics["disagreement_with_production"] < 1
    assert 0 <= run.data.metrics["demographic_parity_difference_student"] <= 1
    assert 0 < run.data.metrics["test_calibration_error"] < 0.5
    plots = {path.stem for path in (folder / "plots").iterdir()}
    assert {"slices", "cost", "search_parallel", "search_history", "calibration"} <= plots
    card = (folder / "model_card.html").read_text()
    for said in ("Slices", "Fairness", "student", "apart on average"):
        assert said in card
    note = run.data.tags["mlflow.note.content"].splitlines()
    assert [line.split(":")[0] for line in note if line.startswith("- ")][:4] == [
        "- searched", "- won", "- on the test rows", "- doubt",
    ]  # fmt: skip
    assert "over the baseline prior" in note[4]
    assert library.client.get_model_version(name, "2").description == run.data.tags["mlflow.note.content"]


def test_a_version_in_production_that_cannot_answer_these_rows_is_a_doubt_and_no_failure(library: "Library") -> None:
    name = library.registered("other_columns", of="late_loans", live=True)
    library.edit(name, ("    pages: {type: int, min: 1, known: the catalogue}\n", ""))
    done = library.done("run", name, "--trials", 1)
    card = (Path(library.client.download_artifacts(done["run_id"], "model_card.md"))).read_text()
    assert "Version 1 in Production could not be compared: it cannot be applied to the test rows (KeyError" in card


def test_a_shuffled_target_does_not_beat_the_baseline_and_cannot_be_promoted(library: "Library") -> None:
    name = library.vary(
        "late_loans", "shuffled", ("../../loans.csv", "shuffled.csv"), ("thresholds: {roc_auc: 0.6}", "thresholds: {}")
    )
    loans = pd.read_csv(library.project / "loans.csv")
    loans["late"] = np.random.default_rng(3).permutation(loans["late"])
    loans.to_csv(library.spec(name).with_name("shuffled.csv"), index=False)
    done = library.done("run", name, "--trials", 4)
    note = library.client.get_run(done["run_id"]).data.tags["mlflow.note.content"]
    assert "does not beat the baseline" in note
    said = library.slipway("promote", name, done["version"], "Staging")
    assert said.code == 1 and "does not beat the baseline" in said.err
    assert library.stages(name) == {done["version"]: "None"}


def test_a_copy_of_the_target_with_noise_is_named_and_nothing_is_trained(library: "Library") -> None:
    name = library.vary(
        "late_loans",
        "with_a_copy",
        ("../../loans.csv", "leaking.csv"),
        ("    days_kept:", "    fine_paid: {type: float, known: the till}\n    days_kept:"),
    )
    loans = pd.read_csv(library.project / "loans.csv")
    noise = np.random.default_rng(4).random(len(loans)) < 0.01
    loans["fine_paid"] = ((loans["late"] == "yes") ^ noise).astype(float)
    loans.to_csv(library.spec(name).with_name("leaking.csv"), index=False)
    said = library.slipway("run", name)
    assert said.code == 1
    assert "fine_paid: gives the target away" in said.err and "nothing was trained" in said.err
    assert library.runs(name) == []


def test_ids_of_the_test_that_are_trained_on_are_named(library: "Library") -> None:
    name = library.vary("late_loans", "with_test_ids", ("../../loans.csv", "twice.csv"))
    loans = pd.read_csv(library.project / "loans.csv")
    early = loans.tail(20).assign(lent_on=loans["lent_on"].iloc[0])
    pd.concat([loans, early]).to_csv(library.spec(name).with_name("twice.csv"), index=False)
    said = library.slipway("run", name)
    assert said.code == 1 and "loan: not unique: 40 row(s)" in said.err and "L01480" in said.err

    library.edit(name, ("  id: loan\n", ""))
    checked = library.slipway("check", name)
    assert checked.code == 0 and "20 held-out rows" in checked.out and "equal to training rows" in checked.out


def test_options_that_do_not_go_together_are_named_before_anything_is_read(library: "Library") -> None:
    said = library.slipway("run", "late_loans", "--executor", "serial", "--workers", 2)
    assert said.code == 2
    assert (
        "does not fit the search of 'late_loans': workers: the serial executor" in said.err and "data:" not in said.err
    )


# Trees that each see little, and err each in its own way.
TOGETHER = (
    ("  trials: 3\n", "  effort: fast\n  trials: 6\n  ensemble: auto\n"),
    ("sklearn.tree.DecisionTreeClassifier", "sklearn.tree.ExtraTreeClassifier"),
    ("params: {max_depth: 2}", "params: {max_depth: 4}"),
    ("min_samples_leaf: {int: [20, 60]}", "random_state: {choice: [1, 2, 3, 4, 5, 6]}"),
)


def test_trials_that_answer_together_are_a_version_as_any_other(library: "Library") -> None:
    name = library.vary("late_loans", "together", TOGETHER[0], *TOGETHER[1:])
    assert library.done("check", name)["ensemble"]
    done = library.done("run", name)
    members = done["members"]
    assert len(members) > 1
    assert sum(member["weight"] for member in members) == pytest.approx(1)
    run = library.client.get_run(done["run_id"])
    assert json.loads(run.data.tags["slipway.winner"])["members"] == members
    (together,) = library.runs(name, "ensemble")
    trials = library.runs(name, "trial")
    assert together.data.metrics["roc_auc"] == run.data.metrics["validation_roc_auc"]
    assert together.data.metrics["roc_auc"] > max(trial.data.metrics["roc_auc"] for trial in trials)
    board = pd.read_csv(library.client.download_artifacts(done["run_id"], "leaderboard.csv"))
    assert board.candidate.tolist() == ["ensemble"] + ["stump"] * len(trials)
    assert library.done("reproduce", name, done["version"])["identical"]
    rows = evidence_of(library, done["run_id"]).drop(columns=["late", "days_kept", "lent_on"])
    stock = mlflow.pyfunc.load_model(f"models:/{name}/{done['version']}")
    assert set(stock.predict(rows)) <= {"no", "yes"}
