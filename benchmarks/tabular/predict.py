"""What a system is once it is fitted: a function from rows, as pandas reads them, to answers."""

from collections.abc import Callable

import pandas as pd

from tabular.answers import Answers

Predict = Callable[[pd.DataFrame], Answers]
