import inspect
from pathlib import Path

import pandas as pd
import pytest

from slipway import errors
from slipway.core.release.transitions import stage_named
from slipway.errors import (
    ContractBroken,
    DataUnusable,
    PromotionRefused,
    SlipwayError,
    SpecInvalid,
    UnknownName,
    UnknownVersion,
    did_you_mean,
    for_reasons,
)
from slipway.settings import read_settings
from slipway.types import Problem, Stage, Verdict, Violation
from slipway.workflows.project import declared
from slipway.workflows.training.prepare import prepare

ROWS = "late,minutes,port\n" + "".join(f"{i % 2},{i},{'AB'[i % 3 % 2]}\n" for i in range(60))
SPEC = """\
name: ferries
scope: {goal: Say which ferries are late.}
task: binary
data:
  source: {csv: rows.csv}
  target: late
  columns: {late: {type: int}, minutes: {type: float}, port: {type: category}}
split: {method: random}
search: {metric: roc_auc, candidates: {tree: {estimator: sklearn.tree.DecisionTreeClassifier}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one experiment, `ferries`, that is all right."""
    folder = tmp_path / "experiments" / "ferries"
    folder.mkdir(parents=True)
    (folder / "experiment.yaml").write_text(SPEC)
    (folder / "rows.csv").write_text(ROWS)
    return tmp_path


def prepared(project: Path) -> pd.DataFrame:
    return prepare(declared(read_settings({}, project=project), "ferries")).frame


def kinds() -> list[type[SlipwayError]]:
    return [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SlipwayError)]


def test_the_tree_at_the_top_of_the_module_draws_every_error_there_is() -> None:
    drawn = [line.split("──")[1].split()[0] for line in (errors.__doc__ or "").splitlines() if "──" in line]
    assert sorted([*drawn, "SlipwayError"]) == sorted(kind.__name__ for kind in kinds())


def test_every_error_is_a_refusal_a_wrong_use_or_something_outside() -> None:
    branches = (errors.Refusal, errors.UsageError, errors.OutsideError)
    assert all(sum(issubclass(kind, branch) for branch in branches) == (kind is not SlipwayError) for kind in kinds())


@pytest.mark.parametrize(
    ("asked", "known", "said"),
    [
        ("flihgt", ["flights", "ferries"], "; did you mean 'flights'? There is: flights, ferries"),
        ("zebra", ["flights", "ferries"], "; there is: flights, ferries"),
        ("x", [], "; there is none yet"),
        ("7", range(1, 16), "; did you mean '7'? There is: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 3 more"),
    ],
)
def test_what_does_not_exist_is_told_with_what_does(asked: str, known: list, said: str) -> None:
    assert did_you_mean(asked, known) == said
    assert str(UnknownName("thing", asked, known, "Look again")) == f"there is no thing '{asked}'{said}. Look again"


def test_a_hint_with_a_misspelt_name_is_left_out_where_the_nearest_is_told() -> None:
    def said(name: str) -> str:
        return str(UnknownName("registered model", name, ["rides"], f"Train it with `slipway run {name}`"))

    assert said("rids") == "there is no registered model 'rids'; did you mean 'rides'? There is: rides"
    assert said("boats") == "there is no registered model 'boats'; there is: rides. Train it with `slipway run boats`"


@pytest.mark.parametrize(
    ("known", "there"), [([2, 1], "there are 1, 2"), ([1], "there is 1"), ([], "there is none yet. Train")]
)
def test_a_version_that_does_not_exist_is_told_with_those_there_are(known: list[int], there: str) -> None:
    hint = "" if known else "Train"
    assert str(UnknownVersion("rides", 99, known, hint)) == f"there is no version 99 of rides; {there}"


def test_a_refused_promotion_tells_only_what_failed_and_what_to_do() -> None:
    verdicts = [Verdict("thresholds", True, "fine"), Verdict("signature", False, "callers would break")]
    said = str(PromotionRefused("ferries", 3, "Production", verdicts))
    assert said.splitlines()[:2] == [
        "ferries version 3 is refused Production; nothing was moved:",
        "  signature: callers would break",
    ]
    assert "fine" not in said and "slipway history ferries" in said


def test_a_broken_contract_tells_every_violation() -> None:
    said = str(ContractBroken("ferries", [Violation("a", "too low", 2, ((0, 1), (3, 2))), Violation("b", "gone", 1)]))
    assert "in 2 place(s)" in said
    assert "  a: too low: 2 row(s) (row 0: 1, row 3: 2)\n  b: gone: 1 row(s)\n" in said


def test_an_invalid_file_tells_each_problem_with_file_and_line() -> None:
    said = str(SpecInvalid("a/experiment.yaml", [Problem(3, "task", "found 'x'"), Problem(9, "", "not YAML")]))
    assert said.splitlines()[1:] == ["  a/experiment.yaml:3: task: found 'x'", "  a/experiment.yaml:9: not YAML"]


def test_a_good_experiment_is_prepared(project: Path) -> None:
    assert len(prepared(project)) == 60


@pytest.mark.parametrize("name", ["ferrys", "Ferries", "../experiments/ferries", "", "."])
def test_an_experiment_that_does_not_exist_is_told_with_the_nearest(project: Path, name: str) -> None:
    with pytest.raises(UnknownName, match=f"there is no experiment '{name}'.*here is: ferries.*{project}/experiments"):
        declared(read_settings({}, project=project), name)
    with pytest.raises(UnknownName, match="did you mean 'ferries'"):
        declared(read_settings({}, project=project), "ferrys")


def test_a_project_without_experiments_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="there is no experiment 'ferries'; there is none yet"):
        declared(read_settings({}, project=tmp_path), "ferries")


def test_an_experiment_has_the_name_of_its_folder(project: Path) -> None:
    (project / "experiments/ferries").rename(project / "experiments/boats")
    with pytest.raises(SpecInvalid, match="name: found 'ferries'; it has to be the folder's name, 'boats'"):
        declared(read_settings({}, project=project), "boats")


def test_a_file_that_is_no_text_is_told_by_its_name(project: Path) -> None:
    (project / "experiments/ferries/experiment.yaml").write_bytes(b"name: \xff")
    with pytest.raises(errors.FileUnusable, match=r"experiment\.yaml cannot be read"):
        declared(read_settings({}, project=project), "ferries")


@pytest.mark.parametrize(
    ("rows", "kind", "said"),
    [
        (None, errors.FileUnusable, "there is no file .*rows.csv"),
        ("", errors.DataUnusable, "rows.csv is empty"),
        ("late,minutes,port\n", DataUnusable, "the source of 'ferries' has no rows; nothing was trained"),
        ("late,port\n1,A\n", ContractBroken, "minutes: the column is missing; there is: late, port"),
        (
            ROWS.replace("0,", "1,"),
            DataUnusable,
            r"late: a binary task needs two classes in its target; found 1: \[1\]",
        ),
        (ROWS.replace("1,3,", "2,3,"), DataUnusable, "found 3"),
        (ROWS.replace(",A", ",").replace(",B", ","), ContractBroken, r"port: missing, .* 60 row\(s\)"),
        (ROWS.replace(",7,", ",inf,"), ContractBroken, r"minutes: not a finite number: 1 row\(s\) \(row 7: inf\)"),
        (ROWS.replace(",7,", ",seven,"), ContractBroken, "minutes: not of type float: .*row 7: 'seven'"),
        ("late,minutes,port\n1,1,A\n0,2,B\n", DataUnusable, "2 rows cannot be split at random"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_data_that_cannot_be_learned_from_is_refused_before_anything_is_trained(
    project: Path, rows: str | None, kind: type[SlipwayError], said: str
) -> None:
    path = project / "experiments/ferries/rows.csv"
    path.unlink() if rows is None else path.write_text(rows)
    with pytest.raises(kind, match=said):
        prepared(project)


def test_an_id_that_is_not_unique_is_refused(project: Path) -> None:
    spec = project / "experiments/ferries/experiment.yaml"
    spec.write_text(SPEC.replace("  target: late\n", "  target: late\n  id: port\n"))
    with pytest.raises(ContractBroken, match=r"port: not unique: 60 row\(s\) \(row 0: 'A', row 1: 'B'"):
        prepared(project)


def test_a_positive_class_that_does_not_occur_is_refused(project: Path) -> None:
    spec = project / "experiments/ferries/experiment.yaml"
    spec.write_text(SPEC.replace("  target: late\n", "  target: late\n  positive: 7\n"))
    with pytest.raises(DataUnusable, match=r"late: the positive class 7 is not among the classes \[0, 1\]"):
        prepared(project)


@pytest.mark.parametrize("text", ["Production", "production", "PRODUCTION"])
def test_a_stage_is_known_however_it_is_capitalised(text: str) -> None:
    assert stage_named(text) is Stage.PRODUCTION


def test_a_stage_that_does_not_exist_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as raised:
        stage_named("Prodcution")
    known = "None, Staging, Production, Archived"
    assert str(raised.value) == f"there is no stage 'Prodcution'; did you mean 'Production'? There is: {known}"


def test_what_is_said_of_a_server_holds_nobodys_password() -> None:
    said = str(errors.NoServer("no tracking server answers at http://me:s3cr@t@ml.example:5000/a@b (Timeout)"))
    assert said == "no tracking server answers at http://ml.example:5000/a@b (Timeout)"


def test_a_refusal_is_one_line_a_reason_and_one_short_reason_stays_on_its_line() -> None:
    assert for_reasons("it is not approved", ["ana is the author"]) == "it is not approved: ana is the author"
    both = for_reasons("it is not approved", ["ana is the author", "edi may"])
    assert both == "it is not approved:\n  ana is the author\n  edi may"
    long = f"policy: {'weaker ' * 15}; {'train ' * 5}; or approve it"
    first, *more = for_reasons("it is refused", [long], always=True).splitlines()
    assert first == "it is refused:" and [line.strip() for line in more] == [part.strip() for part in long.split("; ")]
    verdicts = [Verdict("policy", False, long.removeprefix("policy: ")), Verdict("size", False, "9 MB")]
    assert "\n    or approve it\n  size: 9 MB\nRead" in str(PromotionRefused("loans", 2, "Production", verdicts))
