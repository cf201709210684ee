"""A draft tried on the sampled rows, as a run would: contract, split and leak audit."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier, DummyRegressor

from slipway.core.casts import in_plain_form
from slipway.core.forms import Form
from slipway.core.prediction import classes_of, predict
from slipway.core.spec import NUMBERS, Data, Experiment
from slipway.core.statistics.metrics import METRICS
from slipway.data import Leak, audit, check_contract, in_order, labelled, split
from slipway.data.profile import Doubt, TableProfile
from slipway.data.profile.values import without_marks
from slipway.errors import DataUnusable
from slipway.search import planned


def tried(profile: TableProfile, experiment: Experiment) -> TableProfile:
    """Return the profile as the rows themselves correct it.

    A feature that alone gives the target away is kept from models, and a split that leaves a part without rows or without a
    class is replaced by a random one. Whatever would still refuse the run becomes a Doubt.
    """
    frame, violations = check_contract(_rows(profile, experiment), experiment.data, now=datetime(2000, 1, 1))
    if violations:
        told = [Doubt(violation.column, f"{violation.rule}: {violation.count} rows") for violation in violations]
        return profile.with_doubts(*told)
    frame = in_order(labelled(frame, experiment.data)[0], experiment.data)
    try:
        classes = classes_of(frame[experiment.data.target], experiment.task, experiment.data.positive)
        parts = split(frame, planned(experiment, frame))
    except (DataUnusable, ValueError) as error:
        return _unsplit(profile, str(error))
    profile = replace(profile, baseline=_baseline(parts.development, parts.test, experiment, classes))
    leaks = audit(parts.train, pd.concat([parts.validation, parts.test]), experiment, classes)
    return _without_leaks(profile, leaks)


def _baseline(development: pd.DataFrame, test: pd.DataFrame, experiment: Experiment, classes: Sequence[Any]) -> float:
    """Return the value of the search metric of a model that looks at no column."""
    task, target = experiment.task, experiment.data.target
    kind = DummyClassifier(strategy="prior") if task.is_classification else DummyRegressor(strategy="mean")
    model = kind.fit(development[[target]], development[target])
    outcome = predict(model, test[[target]], test[target], task, classes)
    return float(METRICS[experiment.search.metric].prepare(outcome)(np.ones(outcome.rows)))


def _rows(profile: TableProfile, experiment: Experiment) -> pd.DataFrame:
    """Return the sampled rows as the source would be read: declared columns, without marks for missing values."""
    facts, data = profile.survey, experiment.data
    declared = [*([data.id] if data.id and data.id not in data.columns else []), *data.columns]
    rows = {name: without_marks(facts.sample.frame[name], facts.missing) for name in declared}
    return pd.DataFrame({name: _by_the_dialect(values, name, data) for name, values in rows.items()})


def _by_the_dialect(values: pd.Series, name: str, data: Data) -> pd.Series:
    """Return numbers in the marks of a file's dialect as plain ones; a column with a form of its own is read by its form."""
    column, source = data.columns.get(name), data.source
    if column is None or column.form or column.type not in NUMBERS:
        return values
    return in_plain_form(values, Form(column.type, source.decimal or ".", source.thousands or ""))


def _unsplit(profile: TableProfile, why: str) -> TableProfile:
    if profile.split["method"] == "random":
        return profile.with_doubts(Doubt("rows", f"a run will be refused: {why}"))
    return profile.split_at_random(f"a split by {profile.split['method']} does not fit: {why}")


def _without_leaks(profile: TableProfile, leaks: list[Leak]) -> TableProfile:
    for leak in (each for each in leaks if each.fatal):
        for name in leak.columns:
            message = f"{leak.message}; it is no feature until somebody says that it is known in time"
            profile = profile.kept_from_models(name, "gives the target away").with_doubts(Doubt(name, message))
    near = [leak for leak in leaks if not leak.fatal and "very much about the target" in leak.message]
    more = [Doubt(", ".join(leak.columns), f"{leak.message}; is it known in time?") for leak in near]
    return replace(profile, doubts=(*profile.doubts, *(doubt for doubt in more if doubt not in profile.doubts)))
