"""Winners of one trial and of several: fitted once, recorded so that they can be fitted again, threshold and curve included."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import VotingClassifier
from tests.helpers.small_run import declare_small, write_rows

from slipway.compile import compile_model, verify
from slipway.core.trials import Trial
from slipway.registry.trust import stored_and_loaded
from slipway.search import Budget, KeptAnswers, search
from slipway.search.ensemble import combine
from slipway.search.executors import Serial
from slipway.workflows.training.evaluate import evaluate
from slipway.workflows.training.prepare import prepare, question_of
from slipway.workflows.training.winner import fit_chosen, fit_winner, winner_from

CANDIDATES = {
    "logistic": {
        "estimator": "sklearn.linear_model.LogisticRegression",
        "params": {"class_weight": "balanced"},
        "space": {"C": {"choice": [0.01, 1.0]}},
    },
    "boosting": {
        "estimator": "sklearn.ensemble.HistGradientBoostingClassifier",
        "params": {"max_iter": 5, "class_weight": "balanced"},
    },
}
COSTS = {"goal": "Say it.", "costs": {"false_positive": 1, "false_negative": 6}}


class Run:
    """A search of three trials on folds, with the answers that it kept."""

    def __init__(self, declare: Any, folder: Any, **sections: Any) -> None:
        write_rows(folder, rows=900, late=0.2)
        spec = declare_small(declare, folder, CANDIDATES, **sections)
        effort = spec.experiment.search.model_copy(update={"effort": "normal"})
        self.prepared = prepare(replace(spec, experiment=spec.experiment.model_copy(update={"search": effort})))
        self.spec = self.prepared.spec
        self.question = question_of(self.spec, self.prepared)
        self.kept = KeptAnswers("roc_auc")
        executor = Serial(self.question)
        self.trials = search(self.spec.experiment, executor, Budget(3, 600), lambda trial: None, (), self.kept)

    @property
    def together(self) -> Trial:
        """An ensemble of two trials, whether or not it is better."""
        kept = {trial.candidate: trial for trial in self.kept.best_first()}
        return combine(self.question, [kept["boosting"], kept["logistic"]], [1, 2])

    def fitted(self, trial: Trial) -> Any:
        return fit_chosen(self.spec, self.prepared, trial, self.kept)

    def scores(self, model: Any) -> Any:
        return model.predict_proba(self.prepared.splits.test[list(self.spec.experiment.data.features)])


@pytest.fixture(scope="module", params=[{}, {"scope": COSTS}], ids=["plain", "costs"])
def run(request: Any, declare: Any, tmp_path_factory: Any) -> Run:
    return Run(declare, tmp_path_factory.mktemp("small"), **request.param)


def test_few_rows_are_searched_on_folds_and_their_answers_are_kept(run: Run) -> None:
    assert run.spec.experiment.split.folds == 5
    assert len(run.kept.best_first()) == 3
    (best, *_) = run.kept.best_first()
    assert sum(map(len, best.answers.scores)) == len(run.prepared.splits.development)
    assert bool(best.answers.margins) == (run.spec.experiment.scope.costs is not None)


def test_an_ensemble_is_fitted_again_from_its_record(run: Run) -> None:
    model, winner = run.fitted(run.together)
    assert [member.candidate for member in winner.members] == ["logistic", "boosting"]
    again = winner_from(winner.as_tag())
    assert again == winner
    np.testing.assert_array_equal(run.scores(fit_winner(run.spec, run.prepared, again)), run.scores(model))


def test_an_ensemble_is_stored_compiles_and_is_evaluated_as_any_winner(run: Run) -> None:
    model, winner = run.fitted(run.together)
    loaded = stored_and_loaded(model, ())
    rows = run.prepared.splits.test[list(run.spec.experiment.data.features)]
    compiled = compile_model(loaded)
    assert verify(loaded, compiled, rows.iloc[:30]).equal
    encoded = compiled.encode_frame(rows)
    np.testing.assert_array_equal(compiled.predict_proba(encoded), run.scores(model))
    np.testing.assert_array_equal(compiled.predict(encoded), model.predict(rows))
    evaluated = evaluate(model, run.spec, run.prepared, [])
    assert evaluated.intervals["roc_auc"].value > 0.7
    assert (winner.threshold is None) == isinstance(model, VotingClassifier)


def test_a_curve_is_learned_on_the_answers_of_the_search(run: Run) -> None:
    best = next(trial for trial in run.trials if trial.candidate == "boosting")
    model, winner = run.fitted(best)
    without, anew = fit_chosen(run.spec, run.prepared, best)
    assert winner.calibrated == anew.calibrated == (run.spec.experiment.scope.costs is not None)
    np.testing.assert_allclose(run.scores(model), run.scores(without), atol=1e-5)
    again = winner_from(winner.as_tag())
    np.testing.assert_array_equal(run.scores(fit_winner(run.spec, run.prepared, again)), run.scores(model))


def test_the_record_of_an_older_slipway_is_read_and_its_curve_learned_anew(run: Run) -> None:
    tag = {
        "slipway.winner": '{"trial": 1, "candidate": "boosting", "params": {}, "threshold": 0.2, "calibrated": true}'
    }
    if run.spec.experiment.scope.costs is None:
        assert winner_from(tag).curve is None
        return
    scores = run.scores(fit_winner(run.spec, run.prepared, winner_from(tag)))
    best = next(trial for trial in run.trials if trial.candidate == "boosting")
    np.testing.assert_allclose(scores, run.scores(run.fitted(best)[0]), atol=1e-5)
