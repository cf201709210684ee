"""What is said when a model, or some rows, are not for the plan."""

from slipway.errors import OutsideError


class NotCompilable(OutsideError):
    """A model has a step that no plan is made of. The model itself answers as ever, only slower."""

    def __init__(self, step: str, why: str):
        self.step, self.why = step, why
        super().__init__(f"{step} is not compiled: {why}. The original pipeline has to answer.")


class LeftToOriginal(ValueError):
    """Some rows are for the original model alone: it raises on them, or reads them in a way that the plan does not follow.

    Nothing is answered in part: the request as a whole has to be given to the original, which then answers or raises.

    row: number of the first such row, from 0. why: what it is about that row, without its values.
    """

    def __init__(self, row: int, why: str):
        self.row, self.why = row, why
        super().__init__(f"row {row}: {why}; the original model has to be asked")
