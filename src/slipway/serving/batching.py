"""Single rows that are asked for at the same time are answered by one call of the model, with the bytes of one call each."""

import threading
from collections.abc import Iterable, Sequence
from functools import cached_property

from slipway.serving.held import Held
from slipway.serving.scoring import Scoring
from slipway.serving.wire import Answer, Ask


class Batching:
    """What a back answers with. max_rows: of a request that is no JSON; JSON was counted before it came here."""

    def __init__(self, held: Held, max_rows: int):
        self._held, self._max_rows = held, max_rows
        self._making = threading.Lock()

    @property
    def scoring(self) -> Scoring:
        """MLflow's way to answer; made when it is first asked for."""
        with self._making:
            return self._scoring

    @cached_property
    def _scoring(self) -> Scoring:
        return Scoring(self._held)

    def answers(self, asks: Sequence[Ask]) -> Iterable[tuple[int, Answer]]:
        """Answer requests; each answer comes with the place of its request, as soon as it is there."""
        for number, ask in enumerate(asks):
            yield number, self.scoring.answer(ask)
