"""The form of every result: a sheet in a notebook, the text of the command anywhere else."""

from typing import Any, Self

from slipway.reports.notebook import Sheet


class Shown:
    """A result of a workflow that a notebook shows as a Sheet; its `repr` is its `str`, which the command prints.

    A subclass is a subclass of the result's class, too, and has `sheet`.
    """

    @classmethod
    def of(cls, result: Any) -> Self:
        """Return a result of a workflow as an object of this class."""
        return cls(**vars(result))

    @property
    def sheet(self) -> Sheet:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return self.sheet.as_html()

    def __repr__(self) -> str:
        return str(self)
