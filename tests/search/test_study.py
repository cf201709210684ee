import time
from dataclasses import replace

import pytest

from slipway.core.spec import Experiment, Halving
from slipway.core.trials import Trial
from slipway.errors import SearchFailed
from slipway.search import Budget, best_of, search


def experiment(space, metric="roc_auc"):
    return Experiment.model_validate(
        {
            "name": "made_up",
            "scope": {"goal": "to be tested"},
            "task": "binary",
            "data": {
                "source": {"csv": "x.csv"},
                "target": "y",
                "columns": {"x": {"type": "float"}, "y": {"type": "int"}},
            },
            "split": {"method": "random"},
            "search": {
                "metric": metric,
                "candidates": {"one": {"estimator": "sklearn.linear_model.LogisticRegression", "space": space}},
            },
        }
    )


WIDE = {"C": {"log_uniform": [0.01, 10]}}


class Instant:
    """An executor that answers at once; up to `capacity` are out, and the newest is finished first."""

    def __init__(self, score, capacity=1):
        self.capacity, self._score, self._out = capacity, score, []
        self.most_out = 0

    def submit(self, proposal):
        self._out.append(proposal)
        self.most_out = max(self.most_out, len(self._out))

    def next_finished(self):
        proposal = self._out.pop()
        score = self._score(proposal)
        return Trial(proposal.number, proposal.candidate, score, proposal.params, error="" if score else "no score")

    def close(self):
        pass


class InShares(Instant):
    """One that says on how many of the rows it was, as halving needs it."""

    def next_finished(self):
        share = self._out[-1].share
        return replace(super().next_finished(), share=share)


def test_the_budget_of_trials_is_used_and_no_more_are_out_than_fit():
    executor = Instant(lambda proposal: proposal.params["C"], capacity=4)
    trials = search(experiment(WIDE), executor, Budget(11, 60), lambda trial: None)
    assert sorted(trial.number for trial in trials) == list(range(1, 12))
    assert executor.most_out == 4


def test_trials_of_the_past_count_and_new_ones_fill_the_gaps_in_their_numbers():
    past = [Trial(1, "one", 0.7, {"C": 1.0}), Trial(4, "one", None, {"C": 2.0}, error="no score")]
    seen = []
    trials = search(experiment(WIDE), Instant(lambda p: p.params["C"]), Budget(5, 60), seen.append, past)
    assert [trial.number for trial in trials] == [1, 4, 2, 3, 5]
    assert [trial.number for trial in seen] == [2, 3, 5]


def test_nothing_is_tried_twice_and_a_space_without_more_ends_the_search():
    small = {"penalty": {"choice": ["l1", "l2", None]}}
    trials = search(experiment(small), Instant(lambda p: 0.5), Budget(50, 60), lambda trial: None)
    assert sorted(str(trial.params["penalty"]) for trial in trials) == ["None", "l1", "l2"]


def test_patience_ends_a_search_that_finds_nothing_better():
    trials = search(experiment(WIDE), Instant(lambda p: 0.5), Budget(50, 60, patience=5), lambda trial: None)
    assert len(trials) == 6


def test_patience_starts_anew_with_each_better_trial():
    trials = search(experiment(WIDE), Instant(lambda p: p.number / 100), Budget(20, 60, patience=3), lambda trial: None)
    assert len(trials) == 20


def test_no_trial_starts_after_the_time():
    with pytest.raises(SearchFailed, match="timeout_s"):
        search(experiment(WIDE), Instant(lambda p: 0.5), Budget(5, 0.0), lambda trial: None)


def test_a_search_in_which_all_fail_says_what_failed():
    with pytest.raises(SearchFailed, match="all 3 trials failed:\n  one: no score"):
        search(experiment(WIDE), Instant(lambda p: None), Budget(3, 60), lambda trial: None)


def failure(space, executor, budget, past=()):
    with pytest.raises(SearchFailed) as told:
        search(space, executor, budget, lambda trial: None, past)
    return str(told.value).splitlines()[0]


def test_a_search_in_which_all_fail_says_why_fewer_were_tried_than_were_asked_for():
    five = experiment({"C": {"choice": [1, 2, 3, 4, 5]}})
    assert failure(five, Instant(lambda p: None), Budget(6, 60)) == (
        "all 5 trials failed (6 were asked for; the space has nothing else to try):"
    )

    def slow(proposal):
        time.sleep(0.2)

    said = failure(experiment(WIDE), Instant(slow), Budget(60, 0.1))
    assert said == "the only trial failed (60 were asked for; the time, search.timeout_s, was over):"


def test_trials_that_failed_before_are_counted_and_told_apart():
    past = [Trial(1, "one", None, {"C": 1.0}, error="no score"), Trial(2, "one", None, {"C": 2.0}, error="no score")]
    said = failure(experiment(WIDE), Instant(lambda p: None), Budget(6, 60), past)
    assert said == "all 6 trials failed (2 of them in the search that is resumed):"


def test_trials_that_were_let_go_did_not_fail():
    halved = experiment(WIDE)
    search_of = halved.search.model_copy(update={"halving": Halving(factor=3, min_share=0.3)})
    executor = InShares(lambda p: None if p.share == 1 else 1 / p.number)
    said = failure(halved.model_copy(update={"search": search_of}), executor, Budget(6, 60))
    assert said == "no trial came to the end: 1 of 6 trials failed, 5 were stopped early on fewer rows:"


def test_a_failed_trial_does_not_stop_the_search():
    trials = search(
        experiment(WIDE), Instant(lambda p: None if p.number % 2 else 0.6), Budget(6, 60), lambda trial: None
    )
    assert [trial.failed for trial in trials] == [True, False] * 3


def halved(space=WIDE):
    whole = experiment(space).as_dict()
    return Experiment.model_validate(whole | {"search": whole["search"] | {"halving": {"factor": 3, "min_share": 0.1}}})


class Halved(Instant):
    """Scores worse on fewer rows, and notes the shares that were asked for."""

    def __init__(self, capacity=1):
        super().__init__(None, capacity)
        self.fits = []

    def next_finished(self):
        proposal = self._out.pop()
        self.fits.append((proposal.number, proposal.share))
        score = proposal.params["C"] / 20 + 0.3 * proposal.share
        return Trial(proposal.number, proposal.candidate, score, proposal.params, 1.0, share=proposal.share)


@pytest.mark.parametrize("capacity", [1, 4])
def test_halving_lets_most_go_after_few_rows_and_the_best_see_all(capacity):
    executor, told = Halved(capacity), []
    trials = search(halved(), executor, Budget(40, 60), told.append)
    assert sorted(trial.number for trial in trials) == list(range(1, 41)) and told == trials
    complete = [trial for trial in trials if trial.complete]
    assert 1 <= len(complete) <= 15
    assert best_of(trials, "roc_auc").complete
    rows_seen = sum(share for _, share in executor.fits)
    assert rows_seen < 25  # of 40, had all been fitted on all rows
    for trial in trials:
        shares = [share for number, share in executor.fits if number == trial.number]
        assert [*(share for share, _ in trial.rungs), trial.share] == shares
        assert trial.duration_s == len(shares)


def test_a_trial_that_fails_on_more_rows_has_failed():
    class FailsLater(Halved):
        def next_finished(self):
            trial = super().next_finished()
            return trial if trial.share < 1 else Trial(trial.number, "one", None, trial.params, error="too many rows")

    with pytest.raises(SearchFailed, match="too many rows"):
        search(halved(), FailsLater(), Budget(3, 60), lambda trial: None)


def test_what_was_let_go_before_is_remembered_by_a_search_that_goes_on():
    first = search(halved(), Halved(), Budget(20, 60), lambda trial: None)
    executor = Halved()
    trials = search(halved(), executor, Budget(24, 60), lambda trial: None, first)
    assert trials[:20] == sorted(first, key=lambda trial: trial.number)
    assert {number for number, _ in executor.fits} == {21, 22, 23, 24}
