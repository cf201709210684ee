"""The executor of one trial after the other in this process; its searches repeat exactly."""

from collections import deque

from slipway.core.trials import Trial
from slipway.search.proposals import Proposal
from slipway.search.question import Question, run_trial


class Serial:
    """Runs each trial when its result is asked for. Serial cannot stop a trial, so it takes no limits."""

    capacity = 1

    def __init__(self, question: Question) -> None:
        self._question = question
        self._waiting: deque[Proposal] = deque()

    def submit(self, proposal: Proposal) -> None:
        self._waiting.append(proposal)

    def next_finished(self) -> Trial:
        return run_trial(self._question, self._waiting.popleft())

    def close(self) -> None:
        self._waiting.clear()
