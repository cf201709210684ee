"""The proposals of a search, from hyperopt's tree-structured Parzen estimator, one point at a time.

`hyperopt.fmin` owns its loop, and polls once a second when trials run in parallel. With ask and tell the study owns the loop:
any number of trials may run, the proposer learns a result at once, and an interrupted study can go on.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
from hyperopt import JOB_STATE_DONE, STATUS_FAIL, STATUS_OK, Trials, space_eval, tpe
from hyperopt.base import Domain
from hyperopt.fmin import generate_trial

from slipway.core.space import Choice
from slipway.core.spec import Candidate
from slipway.search.tpe import hyperopt_space, plain_params


@dataclass(frozen=True)
class Proposal:
    """One point of the space to try.

    Attributes:
        number: The number of the proposal, from 1, in the order of asking.
        candidate: The name of the candidate.
        params: The parameters of the candidate.
        share: The share of the training rows to fit on.
    """

    number: int
    candidate: str
    params: Mapping[str, Any]
    share: float = 1.0


class Proposer:
    """The memory of a study: its proposals and their losses. The same seed and losses give the same proposals."""

    def __init__(self, candidates: Mapping[str, Candidate], seed: int) -> None:
        self._candidates = dict(candidates)
        self._space = hyperopt_space(self._candidates)
        self._domain = Domain(lambda point: point, self._space)
        self._trials = Trials()
        self._documents: dict[int, dict[str, Any]] = {}
        self._rng = np.random.default_rng(seed)
        # The first points of all candidates, then the second ones: a search that is cut off has tried each candidate.
        starts = [[(name, dict(point)) for point in each.start] for name, each in self._candidates.items()]
        self._start = deque(point for several in zip_longest(*starts) for point in several if point is not None)

    def ask(self) -> Proposal:
        """Return the next point: first those that the candidates start with, then hyperopt's.

        The point counts as running until `tell` gives its loss.
        """
        if self._start:
            candidate, params = self._start.popleft()
            return Proposal(self._place(candidate, params), candidate, params)
        (number,) = self._trials.new_trial_ids(1)
        self._trials.refresh()
        (document,) = tpe.suggest([number], self._domain, self._trials, self._next_seed())
        self._insert(document)
        drawn = space_eval(self._space, {key: values[0] for key, values in document["misc"]["vals"].items() if values})
        name = drawn["candidate"]
        return Proposal(int(number) + 1, name, plain_params(self._candidates[name], drawn["params"]))

    def tell(self, number: int, loss: float | None) -> None:
        """Record the loss of a point, smaller is better; None for a failed point."""
        document = self._documents[number]
        document["result"] = {"status": STATUS_FAIL} if loss is None else {"status": STATUS_OK, "loss": loss}
        document["state"] = JOB_STATE_DONE
        self._trials.refresh()

    def remember(self, candidate: str, params: Mapping[str, Any], loss: float | None) -> int:
        """Record a point that was tried before, as if it were asked and told now; return its number."""
        if (candidate, dict(params)) in self._start:
            self._start.remove((candidate, dict(params)))
        number = self._place(candidate, params)
        self.tell(number, loss)
        return number

    def _place(self, candidate: str, params: Mapping[str, Any]) -> int:
        """Put a point of our own among hyperopt's, as if hyperopt had proposed it; return its number."""
        (tid,) = self._trials.new_trial_ids(1)
        self._next_seed()  # the seed that the proposal of a point takes, so that a resumed search goes on as a whole one
        document = generate_trial(tid, {})
        values = {"candidate": [list(self._candidates).index(candidate)], **self._drawn(candidate, params)}
        labels = [f"{name}.{key}" for name, c in self._candidates.items() for key in c.space]
        document["misc"]["vals"] = {label: values.get(label, []) for label in ["candidate", *labels]}
        document["misc"]["idxs"] = {label: [tid] if values.get(label) else [] for label in ["candidate", *labels]}
        self._insert(document)
        return int(tid) + 1

    def _insert(self, document: dict[str, Any]) -> None:
        self._trials.insert_trial_docs([document])
        self._trials.refresh()
        self._documents[int(document["tid"]) + 1] = document

    def _drawn(self, candidate: str, params: Mapping[str, Any]) -> dict[str, list[Any]]:
        space = self._candidates[candidate].space
        return {
            f"{candidate}.{key}": [d.options.index(params[key]) if isinstance(d, Choice) else params[key]]
            for key, d in space.items()
        }

    def _next_seed(self) -> int:
        return int(self._rng.integers(2**31 - 1))
