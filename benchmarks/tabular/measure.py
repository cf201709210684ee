"""One system on one table, in a process of its own: python -m tabular.measure FUNCTION FOLDER SECONDS OUTPUT.

Writes the answers to the test rows to OUTPUT.npz and what was measured to OUTPUT.json.
"""

import importlib
import json
import statistics
import sys
import time
from pathlib import Path

import pandas as pd

from tabular.predict import Predict
from tabular.task import read_given, read_test

WARM, ASKED = 3, 30


def main(function: str, folder: str, seconds: str, output: str) -> None:
    module, _, name = function.partition(":")
    fit = getattr(importlib.import_module(module), name)
    predict = fit(read_given(Path(folder), float(seconds)))
    fitted_at = time.time()
    test = read_test(Path(folder))
    answers = predict(test)
    answers.write(Path(f"{output}.npz"))
    measured = {"fitted_at": fitted_at, "row_ms": one_row_ms(predict, test)}
    Path(f"{output}.json").write_text(json.dumps(measured), encoding="utf-8")


def one_row_ms(predict: Predict, test: pd.DataFrame) -> float:
    """The median time of an answer to one row, in this process, with all that the system does with a row."""
    rows = [test.iloc[[i % len(test)]] for i in range(WARM + ASKED)]
    took = []
    for row in rows:
        clock = time.perf_counter()
        predict(row)
        took.append(1000 * (time.perf_counter() - clock))
    return statistics.median(took[WARM:])


if __name__ == "__main__":
    main(*sys.argv[1:])
