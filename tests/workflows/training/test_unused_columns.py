"""No model of automatic preprocessing is given times: a note says so, and callers are not asked for them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from slipway.core.spec import Experiment
from slipway.core.spec._yaml import read_experiment
from slipway.errors import SpecInvalid
from slipway.registry.artifacts.models import signature_of
from slipway.search import Question, build_pipeline
from slipway.search.proposals import Proposal
from slipway.search.question import run_trial
from slipway.workflows.check import CheckReport
from slipway.workflows.project import Declared
from slipway.workflows.training.prepare import prepare
from slipway.workflows.training.unused_columns import unused

Declare = Callable[..., Experiment]

OWN = """
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline


def words():
    return make_pipeline(make_column_transformer((CountVectorizer(), "remark")), LogisticRegression())
"""
LOGISTIC = {"estimator": "sklearn.linear_model.LogisticRegression"}
WORDS = {"pipeline": "features:words"}


def declared(declare: Declare, folder: Path, **candidates: Any) -> Declared:
    """120 rows with a text and a time, beside a number that says little; the text tells the late ones."""
    late = np.arange(120) % 2
    minutes = np.random.default_rng(0).normal(size=120)
    remark = np.where(late == 1, "fog again", "clear sky")
    rows = pd.DataFrame({"late": late, "minutes": minutes, "remark": remark, "when": pd.Timestamp("2013-01-01")})
    rows.to_csv(folder / "rows.csv", index=False)
    (folder / "features.py").write_text(OWN)
    types = {"late": "int", "minutes": "float", "remark": "text", "when": "datetime"}
    columns = {name: {"type": kind, "known": "the log"} for name, kind in types.items()}
    data = {"source": {"csv": "rows.csv"}, "target": "late", "columns": columns, "not_leaking": ["remark"]}
    experiment = declare(data=data, search={"metric": "roc_auc", "candidates": candidates})
    return Declared(folder, "", experiment)


def test_check_says_which_columns_are_left_out_why_and_what_to_do(declare: Declare, tmp_path: Path) -> None:
    spec = declared(declare, tmp_path, logistic=LOGISTIC)
    report = CheckReport(spec, prepare(spec))
    assert report.as_dict()["not_used"] == ["when"]
    (said,) = [line for line in str(report).splitlines() if line.startswith("  not used")]
    assert "when (datetime)" in said and "remark" not in said
    assert "automatic preprocessing takes no times" in said and "logistic" in said
    assert "features.py" in said and "feature: false" in said


def test_nothing_is_said_where_every_candidate_has_a_pipeline_of_its_own(declare: Declare, tmp_path: Path) -> None:
    spec = declared(declare, tmp_path, words=WORDS)
    assert unused(spec.experiment) == ""
    report = CheckReport(spec, prepare(spec))
    assert report.as_dict()["not_used"] == [] and "not used" not in str(report)


def test_where_candidates_differ_it_is_said_of_those_that_leave_columns_out(declare: Declare, tmp_path: Path) -> None:
    spec = declared(declare, tmp_path, words=WORDS, logistic=LOGISTIC)
    assert "no model of logistic is given them" in unused(spec.experiment)
    assert CheckReport(spec, prepare(spec)).as_dict()["not_used"] == []  # words may use both


def test_a_signature_asks_for_what_the_candidates_model_is_given(declare: Declare, tmp_path: Path) -> None:
    experiment = declared(declare, tmp_path, words=WORDS, logistic=LOGISTIC).experiment
    asked = {
        name: signature_of(experiment, experiment.inputs_of(name)).inputs.input_names()
        for name in ("words", "logistic")
    }
    assert asked == {"words": ["minutes", "remark", "when"], "logistic": ["minutes", "remark"]}


def test_a_trial_gives_each_candidate_its_own_inputs(declare: Declare, tmp_path: Path) -> None:
    spec = declared(declare, tmp_path, words=WORDS, logistic=LOGISTIC)
    rows = prepare(spec).frame
    question = Question(tmp_path, spec.experiment, (0, 1), rows, [(np.arange(80), np.arange(80, 120))])
    trials = {name: run_trial(question, Proposal(1, name, {})) for name in ("words", "logistic")}
    assert not any(trial.error for trial in trials.values())
    assert trials["words"].score == trials["logistic"].score == 1.0  # the text tells the late ones
    pipeline = build_pipeline(tmp_path, spec.experiment, "logistic", {})
    pipeline.fit(rows[list(spec.experiment.inputs_of("logistic"))], rows["late"])
    assert list(pipeline.feature_names_in_) == ["minutes", "remark"]


def test_an_experiment_of_times_alone_is_refused_with_the_line_of_its_candidate() -> None:
    text = """name: small
scope: {goal: Say it.}
task: binary
data:
  source: {csv: rows.csv}
  target: late
  columns: {late: {type: int}, when: {type: datetime}}
split: {method: random}
search:
  metric: roc_auc
  candidates:
    logistic:
      estimator: sklearn.linear_model.LogisticRegression
"""
    with pytest.raises(SpecInvalid) as raised:
        read_experiment(text)
    (problem,) = raised.value.problems
    assert (problem.line, problem.key) == (13, "search.candidates.logistic.estimator")
    assert "takes no times" in problem.message
    assert read_experiment(
        text.replace("estimator: sklearn.linear_model.LogisticRegression", "pipeline: features:words")
    )
