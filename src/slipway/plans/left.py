"""What is said of rows that are not for the plan."""


class LeftToOriginal(ValueError):
    """Some rows are for the original model alone: it raises on them, or reads them in a way that the plan does not follow.

    Nothing is answered in part: the request as a whole has to be given to the original, which then answers or raises.

    row: number of the first such row, from 0. why: what it is about that row, without its values.
    """

    def __init__(self, row: int, why: str):
        self.row, self.why = row, why
        super().__init__(f"row {row}: {why}; the original model has to be asked")
