"""A plain function before the automatic preprocessing: its columns are encoded, and it travels with the model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.helpers.small_run import SmallRun, run_small

from slipway.core.spec import Experiment
from slipway.errors import CodeInvalid, UntrustedModel
from slipway.registry.trust import stored_and_loaded
from slipway.search import build_pipeline, check_candidate
from slipway.workflows.project import Declared, travelling_code
from slipway.workflows.training.prepare import check_code, prepare, question_of
from slipway.workflows.training.rehearsal import rehearse

CODE = """
import pandas as pd


def ratios(rows):
    return rows.assign(ratio=rows["paid"] / rows["due"], month=rows["when"].dt.month, loud=rows["remark"].str.isupper(),
                       first=rows["remark"].str[:1]).drop(columns=["when"])


def nothing(rows):
    return None


def fewer(rows):
    return rows.iloc[1:]


def inplace(rows):
    rows["ratio"] = 1
    return rows


def broken(rows):
    return rows["nowhere"]


def no_columns(rows):
    return rows[[]]
"""
TYPES = {"late": "int", "paid": "float", "due": "float", "remark": "text", "when": "datetime"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the functions, and with rows whose target follows from a ratio alone."""
    made = tmp_path_factory.mktemp("before")
    (made / "ratios_code.py").write_text(CODE)
    rng = np.random.default_rng(0)
    paid, due = rng.lognormal(0, 1, 800), rng.lognormal(0, 1, 800)
    late = (paid / due + rng.normal(0, 0.3, 800) < 1).astype(int)
    rows = {"late": late, "paid": paid, "due": due, "remark": rng.choice(["YES", "no"], 800), "when": "2013-01-01"}
    pd.DataFrame(rows).to_csv(made / "rows.csv", index=False)
    return made


def declared(declare: Callable[..., Experiment], folder: Path, function: str, trusted: bool = True) -> Declared:
    columns = {name: {"type": kind, "known": "the log"} for name, kind in TYPES.items()}
    candidate = {"estimator": "sklearn.tree.DecisionTreeClassifier", "params": {"max_depth": 1}, "before": function}
    search: dict[str, Any] = {"metric": "roc_auc", "candidates": {"tree": candidate}}
    if trusted:
        search["trusted_types"] = ["ratios_code.ratios"]
    data = {"source": {"csv": "rows.csv"}, "target": "late", "columns": columns}
    return Declared(folder, "", declare(data=data, search=search))


@pytest.fixture(scope="module")
def run(declare: Callable[..., Experiment], folder: Path) -> SmallRun:
    return run_small(declared(declare, folder, "ratios_code:ratios"))


def test_one_cut_of_the_ratio_answers_what_no_cut_of_a_column_could(run: SmallRun) -> None:
    assert run.evaluated.intervals["roc_auc"].value > 0.85
    taken = {name for _, _, names in run.model[1].transformers_ for name in names}
    assert {"ratio", "month", "paid", "due", "loud"} <= taken


def test_callers_send_the_columns_of_the_contract(run: SmallRun) -> None:
    assert run.evaluated.inputs == ("paid", "due", "remark", "when")
    assert [path.name for path in travelling_code(run.spec, run.trial)] == ["ratios_code.py"]


def test_it_is_stored_and_loaded_where_its_type_is_trusted(run: SmallRun) -> None:
    rows = run.prepared.splits.test[list(run.evaluated.inputs)]
    loaded = stored_and_loaded(run.model, ["ratios_code.ratios"])
    assert np.array_equal(loaded.predict_proba(rows), run.model.predict_proba(rows))


def test_a_function_that_is_not_trusted_is_refused_before_the_search(
    declare: Callable[..., Experiment], folder: Path
) -> None:
    spec = declared(declare, folder, "ratios_code:ratios", trusted=False)
    with pytest.raises(UntrustedModel, match=r"ratios_code\.ratios.*search\.trusted_types"):
        rehearse(question_of(spec, prepare(spec)), ())


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("nothing", "for 3 rows it returned NoneType"),
        ("fewer", "for 3 rows it returned 2 rows"),
        ("inplace", "changes the rows that it is given; return new ones"),
        ("broken", "failed on made-up rows of the columns paid, due, remark, when: KeyError"),
        ("no_columns", "leaves no column"),
        ("ratio", "did you mean 'ratios'"),
    ],
)
def test_what_does_not_give_features_for_features_is_refused(
    declare: Callable[..., Experiment], folder: Path, function: str, said: str
) -> None:
    with pytest.raises(CodeInvalid, match=f"candidate 'tree': .*{said}"):
        check_code(declared(declare, folder, f"ratios_code:{function}"))


def test_a_pipeline_of_its_own_has_no_function_before(declare: Callable[..., Experiment]) -> None:
    candidate = {"pipeline": "features:made", "before": "features:ratios"}
    with pytest.raises(ValueError, match="call the function in your pipeline"):
        declare(search={"metric": "roc_auc", "candidates": {"one": candidate}})


def test_without_it_nothing_changes(declare: Callable[..., Experiment], tmp_path: Path) -> None:
    experiment = declare()
    check_candidate(tmp_path, experiment, "logistic")
    assert [name for name, _ in build_pipeline(tmp_path, experiment, "logistic", {"C": 1}).steps] == [
        "columns",
        "estimator",
    ]
