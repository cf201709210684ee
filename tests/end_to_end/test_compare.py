"""Two versions or runs side by side, as a reviewer asks for them before a promotion."""

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from slipway.errors import UsageError
from slipway.workflows._sides import find_two

if TYPE_CHECKING:
    from conftest import Library

NAME = "compared"
LOGISTIC = (
    ("sklearn.tree.DecisionTreeClassifier", "sklearn.linear_model.LogisticRegression"),
    ("params: {max_depth: 2}", "params: {max_iter: 1000}"),
    ("min_samples_leaf: {int: [20, 60]}", "C: {log_uniform: [0.1, 10]}"),
)
LINKS = re.compile(r"""(?:src=|<link[^>]*href=|url\()["']?(?!data:)[^"'> ]+|@import""")


@pytest.fixture(scope="module")
def compared(library: "Library") -> str:
    """Four versions: a stump in Production, a logistic regression, one of fewer rows, one that is not told the genre."""
    library.vary("late_loans", NAME)
    search(library, NAME)
    library.done("promote", NAME, 1, "Production")
    library.edit(NAME, *LOGISTIC)
    search(library, NAME)
    table = pd.read_csv(library.project / "loans.csv")
    table.head(1200).to_csv(library.project / "fewer.csv", index=False)
    library.edit(NAME, ("../../loans.csv", "../../fewer.csv"))
    search(library, NAME, "--trials", 1)
    table.drop(columns="genre").to_csv(library.project / "fewer.csv", index=False)
    library.edit(NAME, ("    genre: {type: category, known: the catalogue}\n", ""))
    search(library, NAME, "--trials", 1)
    return NAME


def search(library: "Library", name: str, *words: object) -> Any:
    return library.done("run", name, "--executor", "serial", *words)


def run_id(library: "Library", name: str, version: int) -> str:
    return str(library.client.get_model_version(name, str(version)).run_id)


def trials(library: "Library", name: str, version: int) -> list[str]:
    search = run_id(library, name, version)
    runs = library.runs(name, "trial")
    return [run.info.run_id for run in runs if run.data.tags["mlflow.parentRunId"] == search]


def evidence_rows(library: "Library", run: str) -> pd.DataFrame:
    return pd.read_parquet(library.client.download_artifacts(run, "evidence/test_rows.parquet"))


def test_two_versions_are_scored_anew_on_the_same_rows(library: "Library", compared: str) -> None:
    told = library.done("compare", compared, 1, 2)
    assert [told[side]["label"] for side in ("left", "right")] == ["version 1", "version 2"]
    assert told["left"]["stage"] == "Production"
    assert told["page"] is None and not Path(f"{compared}-compare.html").exists()
    anew = told["on_same_rows"]
    assert (anew["of"], anew["rows"], anew["trained_on"], anew["doubt"]) == ("version 2", 375, 0, "")

    rows = evidence_rows(library, run_id(library, compared, 2))
    models = [mlflow.sklearn.load_model(f"models:/{compared}/{number}") for number in (1, 2)]
    late = [model.predict_proba(rows)[:, model.classes_.tolist().index("yes")] for model in models]
    answers = [model.predict(rows) for model in models]
    assert anew["disagreement"]["rate"] == pytest.approx(np.mean(answers[0] != answers[1]))
    assert anew["disagreement"]["mean"] == pytest.approx(np.abs(late[0] - late[1]).mean())
    widest = np.argsort(-np.abs(late[0] - late[1]), kind="stable")[:20]
    assert [row["position"] for row in anew["disputed"]] == widest.tolist()
    first, place = anew["disputed"][0], widest[0]
    assert first["values"]["pages"] == rows["pages"][place] and first["values"]["lent_on"] == str(
        rows["lent_on"][place]
    )
    assert first["truth"] == rows["late"][place]
    assert (first["left"]["label"], first["right"]["label"]) == (answers[0][place], answers[1][place])
    assert (first["left"]["score"], first["right"]["score"]) == pytest.approx((late[0][place], late[1][place]))


def test_the_difference_is_the_one_that_the_gate_decides_by(library: "Library", compared: str) -> None:
    by = library.done("compare", compared, 1, 2)["on_same_rows"]["better_by"]["roc_auc"]
    moved = library.done("promote", compared, 2, "Production")
    library.done("rollback", compared)
    (gate,) = (verdict for verdict in moved["verdicts"] if verdict["gate"] == "not_worse_than_champion")
    assert {key: gate["numbers"][key] for key in ("difference", "low", "high")} == {
        "difference": by["value"], "low": by["low"], "high": by["high"]
    }  # fmt: skip
    back = library.done("compare", compared, 2, 1)["on_same_rows"]["better_by"]["roc_auc"]
    assert back == {"value": -by["value"], "low": -by["high"], "high": -by["low"]}


def test_without_sides_it_is_production_and_the_newest_other(library: "Library", compared: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    told = library.done("compare", compared, "--output", page)
    assert (told["left"]["version"], told["right"]["version"], told["page"]) == (1, 4, str(page))
    assert LINKS.findall(page.read_text()) == []


def test_the_text_is_readable_and_the_page_is_written_beside_it(
    library: "Library", compared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = library.slipway("compare", compared, 1, 2, "--project", library.project)
    assert said.code == 0, said.err
    assert re.search(
        r"\nroc_auc: version 2 is better by 0\.\d{4}, 95 % interval 0\.\d{4} to 0\.\d{4}, on 375 rows", said.out
    )
    assert "≠ max_depth" in said.out and "≠ C" in said.out and "≠ specification" in said.out
    assert "\nrecorded on the same rows\n" in said.out
    assert said.out.endswith(f"\npage: {compared}-compare.html\n")
    page = (tmp_path / f"{compared}-compare.html").read_text()
    assert LINKS.findall(page) == []
    assert "version 2 is better by" in page and f"/runs/{run_id(library, compared, 2)}" in page


def test_a_side_is_named_by_number_stage_or_run(library: "Library", compared: str) -> None:
    first, variant = (run_id(library, compared, number) for number in (1, 2))
    sides = {
        "production": "version 1",
        "PRODUCTION": "version 1",
        "2": "version 2",
        variant: f"run {variant[:8]}",
        variant[:8].upper(): f"run {variant[:8]}",
    }
    other = trials(library, compared, 1)[0]  # a trial, since comparing with it scores no model
    for asked, label in sides.items():
        assert library.done("compare", compared, asked, other)["left"]["label"] == label
    of_run = library.done("compare", compared, first[:12], other)["left"]
    assert (of_run["version"], of_run["stage"], of_run["run_id"]) == (1, "Production", first)


def test_trials_have_recorded_numbers_only(library: "Library", compared: str, tmp_path: Path) -> None:
    one, other = trials(library, compared, 1)[:2]
    told = library.done("compare", compared, one[:10], other, "--output", tmp_path / "page.html")
    assert told["on_same_rows"] is None
    assert "a trial keeps no model, only the winner of a search is stored" in told["why_not"]
    assert told["recorded"]["on_same_rows"] is True
    assert told["left"]["validation"].keys() >= {"roc_auc", "log_loss"} and told["left"]["test"] == {}
    assert told["left"]["lineage"] == told["right"]["lineage"] != {}
    assert told["differs"]["params"] == ["min_samples_leaf"]
    assert "a trial keeps no model" in (tmp_path / "page.html").read_text()
    with_winner = library.done("compare", compared, one, 1)
    recorded = library.client.get_run(one).data.metrics["roc_auc"]
    assert with_winner["left"]["validation"]["roc_auc"] == recorded
    assert with_winner["right"]["test"]["roc_auc"]["low"] < with_winner["right"]["test"]["roc_auc"]["value"]


def test_numbers_of_different_data_are_not_compared_but_the_models_are(library: "Library", compared: str) -> None:
    told = library.done("compare", compared, 2, 3)
    assert told["recorded"]["on_same_rows"] is False
    assert "recorded on different data" in told["recorded"]["note"]
    assert "data_digest" in told["differs"]["lineage"]
    anew = told["on_same_rows"]
    # The rows end earlier: of the 300 that version 3 was tested on, version 2 was trained on those before its own test rows.
    newer, older = (evidence_rows(library, run_id(library, compared, number))["lent_on"] for number in (3, 2))
    assert (anew["tested"], anew["rows"], anew["trained_on"]) == (len(newer), (newer >= older.min()).sum(), 0)
    assert 50 <= anew["rows"] < anew["tested"]


def test_of_random_splits_only_rows_are_taken_that_neither_was_trained_on(library: "Library") -> None:
    name = library.registered("compared_genres", of="next_genre")
    search(library, name, "--trials", 1, "--seed", 5)
    anew = library.done("compare", name, 1, 2)["on_same_rows"]
    columns = ["genre", "branch", "pages", "late_before"]
    first, variant = (
        set(evidence_rows(library, run_id(library, name, number))[columns].itertuples(index=False, name=None))
        for number in (1, 2)
    )
    assert (anew["tested"], anew["trained_on"]) == (300, 0)
    assert anew["rows"] == pytest.approx(len(first & variant), abs=3)  # a few rows are in the table twice
    assert anew["disagreement"]["measured"].startswith("total variation distance")
    refused = library.slipway("compare", name)
    assert refused.code == 1
    assert (
        "has no version in Production; there is: version 2 (not in a stage yet), version 1 (not in a stage yet)"
        in refused.err
    )
    assert "slipway compare compared_genres LEFT RIGHT" in refused.err


def test_values_are_compared_by_their_distance_and_rows_that_flatter_are_told(library: "Library") -> None:
    name = library.registered("compared_days", live=True)
    refused = library.slipway("compare", name)
    assert refused.code == 1
    assert "no version beside the one in Production; there is: version 1 (Production)" in refused.err
    branches = {evidence_rows(library, run_id(library, name, 1))["branch"].iloc[0]}
    for seed in range(1, 6):  # until another branch is the one that is tested on
        number = search(library, name, "--trials", 1, "--seed", seed)["version"]
        branches |= set(evidence_rows(library, run_id(library, name, number))["branch"])
        if len(branches) > 1:
            break
    anew = library.done("compare", name, 1, number)["on_same_rows"]
    assert anew["trained_on"] == anew["rows"]
    assert (
        "was trained on all of these rows, or on neighbours of them, and looks better here than it is" in anew["doubt"]
    )
    assert anew["disagreement"]["measured"] == "absolute difference"
    assert all(row["left"]["score"] is None for row in anew["disputed"])
    assert "but version 1 was trained on all of these rows" in library.slipway("compare", name, 1, number).out
    (library.project / f"{name}-compare.html").unlink()


def test_a_model_that_does_not_fit_the_rows_is_told_and_the_rest_is_shown(library: "Library", compared: str) -> None:
    told = library.done("compare", compared, 2, 4)
    anew = told["on_same_rows"]
    assert anew["problems"].keys() == {"version 2"}
    assert "it cannot be applied to the test rows (KeyError: " in anew["problems"]["version 2"]
    assert "genre" in anew["problems"]["version 2"]
    assert anew["left"] == anew["better_by"] == {} and anew["disagreement"] is None
    assert 0.5 < anew["right"]["roc_auc"] < 1
    assert told["left"]["test"].keys() == told["right"]["test"].keys()


def test_what_keeps_models_from_being_scored_is_told(library: "Library") -> None:
    name = library.registered("compared_words", of="late_loans")
    table = pd.read_csv(library.project / "loans.csv")
    words = table["late"].map({"yes": "late", "no": "in time"})
    table.assign(late=words).to_csv(library.project / "words.csv", index=False)
    library.edit(name, ("loans.csv", "words.csv"), ('positive: "yes"', "positive: late"))
    library.edit(name, ('values: ["no", "yes"]', "values: [late, in time]"))
    search(library, name, "--trials", 1)
    problems = library.done("compare", name, 1, 2)["on_same_rows"]["problems"]
    assert problems == {"version 1": "it answers none of the classes of the rows: in time, late"}

    source = library.client.get_model_version(name, "1").source.removeprefix("models:/")
    (stored,) = (library.home / "artifacts").rglob(f"{source}/artifacts/model.skops")
    content = bytearray(stored.read_bytes())
    content[len(content) // 2] ^= 1
    stored.write_bytes(content)
    for left in ("1", run_id(library, name, 1)):  # a run that is registered is verified like its version
        (problem,) = library.done("compare", name, left, 2)["on_same_rows"]["problems"].values()
        assert "is not what was registered: its bytes changed" in problem

    (evidence,) = (library.home / "artifacts").rglob(f"{run_id(library, name, 2)}/artifacts/evidence")
    shutil.rmtree(evidence)
    told = library.done("compare", name, 1, 2)
    assert (told["on_same_rows"], told["why_not"]) == (None, "the test rows of version 2 are not with its run any more")


def test_types_are_trusted_where_this_project_says_so_and_nowhere_else(library: "Library", tmp_path: Path) -> None:
    name = library.registered("compared_own", of="own_pipeline")
    search(library, name, "--trials", 1, "--seed", 5)
    variant = run_id(library, name, 2)
    library.client.delete_model_version(name, "2")  # a run without a version: its model is loaded from the run
    told = library.done("compare", name, 1, variant)
    assert told["right"]["version"] is None and told["on_same_rows"]["problems"] == {}
    away = tmp_path / "away"
    (away / "experiments").mkdir(parents=True)
    problems = library.done("compare", name, 1, variant, "--project", away)["on_same_rows"]["problems"]
    assert len(problems) == 2 and all("features.per_page" in problem for problem in problems.values())
    library.client.delete_logged_model(library.client.get_run(variant).outputs.model_outputs[0].model_id)
    (problem,) = library.done("compare", name, 1, variant)["on_same_rows"]["problems"].values()
    assert problem == "its model is not in MLflow any more"


def test_runs_that_cannot_be_compared_are_told_why(library: "Library", compared: str) -> None:
    experiment = library.client.get_experiment_by_name(compared).experiment_id
    going = library.client.create_run(experiment, run_name="going").info.run_id
    running = library.slipway("compare", compared, going, 1)
    assert running.code == 1 and f"run {going} (going) is still running" in running.err
    library.client.set_terminated(going, "KILLED")
    told = library.done("compare", compared, going, 1)
    assert "not made by `slipway run`" in told["why_not"] and told["recorded"]["on_same_rows"] is None
    library.client.delete_run(going)
    for asked in (going, going[:9]):
        deleted = library.slipway("compare", compared, asked, 1)
        assert deleted.code == 1 and f"run {going} is deleted; restore it" in deleted.err
    other = library.client.create_run(library.client.create_experiment("elsewhere")).info.run_id
    for asked in (other, other[:9]):
        elsewhere = library.slipway("compare", compared, asked, 1)
        assert elsewhere.code == 1 and f"run {other} is of 'elsewhere', not of '{compared}'" in elsewhere.err


def test_a_start_that_two_runs_have_in_common_is_told(library: "Library", compared: str) -> None:
    twins = library.runs(compared)[:2]

    class Twins:
        """The client with an answer that a store would give were ids not random."""

        def __getattr__(self, name: str) -> Any:
            return getattr(library.client, name)

        def search_runs(self, *_: Any, **__: Any) -> list[Any]:
            return twins

    with pytest.raises(UsageError, match=f"more than one run of {compared} starts with abcdef: {twins[0].info.run_id}"):
        find_two(Twins(), compared, "abcdef", "1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("comparred",), 2, f"did you mean '{NAME}'?"),
        ((NAME, 1), 2, "a comparison takes two sides"),
        ((NAME, 1, 1), 2, "both sides are version 1"),
        ((NAME, 1, "Production"), 2, "both sides are version 1"),
        ((NAME, 1, 9), 2, f"there is no version 9 of {NAME}"),
        ((NAME, 1, "Staging"), 2, f"there is no version of {NAME} in 'Staging'"),
        ((NAME, 1, "archived"), 2, "may hold many versions; name the one that is meant by its number"),
        ((NAME, 1, "Prodcution"), 2, "did you mean 'Production'?"),
        ((NAME, 1, "abc12"), 2, "6 or more characters of its start"),
        ((NAME, 1, "0" * 20), 2, f"there is no run of {NAME} that starts with '{'0' * 20}'"),
        ((NAME, 1, "%' OR '1"), 2, f"there is no version, stage or run of {NAME}"),
    ],
)
def test_what_does_not_exist_or_is_the_same_twice_is_told(
    library: "Library", compared: str, words: tuple[object, ...], code: int, said: str
) -> None:
    refused = library.slipway("compare", *words)
    assert (refused.code, refused.out) == (code, "")
    assert said in refused.err


def test_a_run_and_its_own_version_are_the_same(library: "Library", compared: str) -> None:
    run = run_id(library, compared, 2)
    refused = library.slipway("compare", compared, run, 2)
    assert refused.code == 2
    assert f"both sides are run {run[:8]}, which is version 2" in refused.err


def test_a_page_that_cannot_be_written_is_told(library: "Library", compared: str, tmp_path: Path) -> None:
    refused = library.slipway("compare", compared, 1, 2, "--output", tmp_path / "no" / "page.html")
    assert refused.code == 3 and "cannot be written" in refused.err
