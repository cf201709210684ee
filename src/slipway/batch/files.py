"""Scoring of a table into a file, a chunk at a time; the output appears whole or not at all."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from slipway.batch.answering import Answering, BatchAnswers
from slipway.batch.columns import Categories, Fields, Forms, conform
from slipway.batch.sinks import SINKS
from slipway.errors import FileUnusable
from slipway.files import whole_file
from slipway.sources import OpenTable, to_frame

CHUNK_ROWS = 50_000


@dataclass(frozen=True)
class ScoredFile:
    """The result of scoring a table.

    Attributes:
        rows: The number of rows.
        compiled: Whether a plan answered.
        why_not: Why no plan answered; empty with a plan.
        left: The number of rows that the plan left to the model.
    """

    rows: int
    compiled: bool
    why_not: str
    left: int


def score_file(
    model: Any,
    inputs: Fields,
    table: OpenTable,
    output: Path,
    metadata: Mapping[str, str],
    on_rows: Callable[[int], object],
    known: Categories = MappingProxyType({}),
    forms: Forms = MappingProxyType({}),
) -> ScoredFile:
    """Score a table into a CSV or Parquet file; memory is bounded by a chunk of rows.

    The output has the input's columns, `prediction`, and for a classifier one `probability_CLASS` a class. Raises FileUnusable,
    and DataUnusable that names column and row; no output is written then.

    Args:
        model: The fitted model.
        inputs: The inputs of the model.
        table: The table to read.
        output: The file to write.
        metadata: Facts for the metadata of a Parquet output, or for OUTPUT.meta.json beside a CSV output.
        on_rows: Called with the number of rows of each chunk that is written.
        known: The known categories by column, as for `conform`.
        forms: The forms by column, as for `conform`.
    """
    require_sink(output)
    sink = SINKS[output.suffix]
    answering = Answering(model)
    try:
        with whole_file(output) as draft:
            with sink.open(draft, metadata) as writer:
                rows = 0
                for chunk in chunks(table, inputs, forms):
                    cast = conform(chunk, inputs, rows, known, forms)
                    writer.write(with_answers(answering(cast), model, cast, chunk, typed=sink.typed))
                    rows += len(chunk)
                    on_rows(len(chunk))
            if not rows:
                raise FileUnusable(f"{table.shown} has no rows")
        if not sink.keeps_metadata:
            output.with_name(f"{output.name}.meta.json").write_text(json.dumps(dict(metadata), indent=2))
        return ScoredFile(rows, answering.compiled, answering.why_not, answering.left)
    except OSError as error:
        raise FileUnusable(f"{output} cannot be written: {error.strerror or error}") from error


def require_sink(path: Path) -> None:
    """Raise FileUnusable for a file that cannot be written, by its ending."""
    if path.suffix not in SINKS:
        raise FileUnusable(f"{path} ends in '{path.suffix}'; allowed is {', '.join(SINKS)}")


def with_answers(
    answers: BatchAnswers, model: Any, rows: pd.DataFrame, chunk: pd.DataFrame, *, typed: bool
) -> pd.DataFrame:
    """Return a chunk with the answers to its rows; with `typed` its columns have the model's types, the same in every chunk.

    Args:
        answers: the answers.
        model: the model, whose classes name the columns of probabilities.
        rows: the chunk as the model was asked.
        chunk: the rows as they were given.
        typed: whether to take the columns of `rows` in place of those of `chunk`.
    """
    given = chunk.copy(deep=False)
    for name in rows if typed else ():
        if name in chunk:
            given[name] = rows[name]
    scored = given.assign(prediction=answers.predictions)
    if answers.probabilities is not None:
        for i, label in enumerate(model.classes_):
            scored[f"probability_{label}"] = answers.probabilities[:, i]
    return scored


def chunks(table: OpenTable, inputs: Fields, forms: Forms) -> Iterator[pd.DataFrame]:
    """Yield the rows of a table, CHUNK_ROWS at a time; columns that are no numbers of the model stay as they are written."""
    numeric = {name for name, (kind, _) in inputs.items() if kind not in ("string", "datetime")} - set(forms)
    # As they are written, since a type that is guessed anew in each chunk could change.
    text = {name for name in table.names if name not in numeric}
    for batch in table.batches(as_text=text, rows=CHUNK_ROWS):
        chunk = to_frame([batch], table.names)
        if len(chunk):  # a header alone gives a chunk without rows
            yield chunk
