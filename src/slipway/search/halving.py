"""Successive halving: weak trials end after a fit on few rows, because full fits of weak trials are the largest waste.

In the asynchronous form (Li et al., A System for Massively Parallel Hyperparameter Tuning, 2020) no trial waits: a trial is
judged, when it reaches a share of the rows, against the trials that have reached that share before.
"""

from bisect import bisect_right, insort

from slipway.core.spec import Halving


class Rungs:
    """The losses of trials at each share of the rows, and the rule by which a trial goes on to more rows."""

    def __init__(self, halving: Halving | None) -> None:
        self.shares: tuple[float, ...] = halving.shares if halving else (1.0,)
        self._factor = halving.factor if halving else 1
        self._losses: dict[float, list[float]] = {}

    def note(self, share: float, loss: float) -> None:
        """Add the loss of a trial at a share."""
        insort(self._losses.setdefault(share, []), loss)

    def next_share(self, share: float, loss: float) -> float | None:
        """Return the next share of a trial; None after all rows, or outside of the best 1/factor at this share.

        A trial that is better than all before always goes on, so some trial reaches all rows. Among equal losses the earlier
        one ranks first: where few rows tell nothing, every trial would go on otherwise.
        """
        if share >= 1:
            return None
        seen = self._losses.get(share, [])
        if bisect_right(seen, loss) > max(1, len(seen) // self._factor):
            return None
        return next(larger for larger in self.shares if larger > share)
