"""The worker's end of a worker process: it reads the data once, then answers proposals until the pipe closes."""

import os
import pickle
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import pandas as pd
import pyarrow as pa
from threadpoolctl import threadpool_limits

from slipway.code import importable
from slipway.search.question import Question, run_trial

_QUESTION, _ROWS = "question.pickle", "rows.arrow"


def share(question: Question, folder: Path) -> None:
    """Write a Question into the folder of the workers; workers map its rows, an Arrow file, instead of copying them."""
    _write_rows(question.rows, folder / _ROWS)
    all_but_rows = (question.folder, question.experiment, tuple(question.classes), tuple(question.folds))
    (folder / _QUESTION).write_bytes(pickle.dumps(all_but_rows))


def serve(pipe: Connection, alive: Connection, folder: Path, threads: int) -> None:
    """Answer each proposal that comes through the pipe with its trial; `alive` closes when the parent is gone."""
    threading.Thread(target=_leave_with_parent, args=[alive], daemon=True).start()
    question = _shared(folder)
    with threadpool_limits(threads), importable(question.folder):
        while True:
            try:
                proposal = pipe.recv()
            except EOFError:
                return
            pipe.send(run_trial(question, proposal))


def _shared(folder: Path) -> Question:
    # Unpickling is safe: the parent wrote this file into a folder that only this user may enter.
    code, experiment, classes, folds = pickle.loads((folder / _QUESTION).read_bytes())  # noqa: S301
    return Question(code, experiment, classes, _read_rows(folder / _ROWS), folds)


def _write_rows(rows: pd.DataFrame, path: Path) -> None:
    table = pa.Table.from_pandas(rows, preserve_index=False)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _read_rows(path: Path) -> pd.DataFrame:
    with pa.memory_map(str(path)) as source:
        rows: pd.DataFrame = pa.ipc.open_file(source).read_all().to_pandas(split_blocks=True)
    return rows


def _leave_with_parent(alive: Connection) -> None:
    """End this process when the parent was killed, even in the middle of a fit."""
    try:
        alive.recv()
    except (EOFError, OSError):
        os._exit(1)
