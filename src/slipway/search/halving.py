"""Successive halving: hopeless candidates are let go after a fit on few rows, since full fits of them are the largest waste.

The asynchronous form (Li et al., A System for Massively Parallel Hyperparameter Tuning, 2020) in which nobody waits: a
trial is judged against those that have come as far as it, when it has.
"""

from bisect import bisect_right, insort

from slipway.core.spec import Halving


class Rungs:
    """The losses that trials had at each share of the rows, and who goes on from there."""

    def __init__(self, halving: Halving | None) -> None:
        self.shares: tuple[float, ...] = halving.shares if halving else (1.0,)
        self._factor = halving.factor if halving else 1
        self._losses: dict[float, list[float]] = {}

    def note(self, share: float, loss: float) -> None:
        """Take in what a trial came to at a share."""
        insort(self._losses.setdefault(share, []), loss)

    def next_share(self, share: float, loss: float) -> float | None:
        """Return the share to go on to, or None: all rows were seen, or it is not among the best 1/factor at this share.

        What is better than all before it always goes on, so that some trial comes to all rows. Of equals the earlier is the
        better: where few rows tell nothing, all would go on otherwise.
        """
        if share >= 1:
            return None
        seen = self._losses.get(share, [])
        if bisect_right(seen, loss) > max(1, len(seen) // self._factor):
            return None
        return next(larger for larger in self.shares if larger > share)
