"""Scoring of one file into another, a chunk at a time; the output appears whole or not at all."""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from slipway.batch.answering import Answering
from slipway.batch.columns import Categories, Fields, Forms, conform
from slipway.batch.sinks import SINKS
from slipway.errors import FileUnusable
from slipway.files import whole_file
from slipway.types import MISSING_IN_CSV

CHUNK_ROWS = 50_000
_READ = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True)
class ScoredFile:
    """The result of scoring a file.

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
    source: Path,
    output: Path,
    metadata: Mapping[str, str],
    on_rows: Callable[[int], object],
    known: Categories = MappingProxyType({}),
    forms: Forms = MappingProxyType({}),
) -> ScoredFile:
    """Score a CSV or Parquet file; memory is bounded by a chunk of rows.

    The output has the input's columns, `prediction`, and for a classifier one `probability_CLASS` a class. Raises FileUnusable,
    and DataUnusable that names column and row; no output is written then.

    Args:
        model: The fitted model.
        inputs: The inputs of the model.
        source: The file to read.
        output: The file to write.
        metadata: Facts for the metadata of a Parquet output, or for OUTPUT.meta.json beside a CSV output.
        on_rows: Called with the number of rows of each chunk that is written.
        known: The known categories by column, as for `conform`.
        forms: The forms by column, as for `conform`.
    """
    require_kind(source, _READ)
    require_kind(output, tuple(SINKS))
    sink = SINKS[output.suffix]
    answering = Answering(model)
    try:
        with whole_file(output) as draft:
            with sink.open(draft, metadata) as writer:
                rows = 0
                for chunk in filter(len, _chunks(source, inputs, forms)):  # a header alone gives a chunk without rows
                    cast = conform(chunk, inputs, rows, known, forms)
                    writer.write(_scored(answering, model, cast, chunk, typed=sink.typed))
                    rows += len(chunk)
                    on_rows(len(chunk))
            if not rows:
                raise FileUnusable(f"{source} has no rows")
        if not sink.keeps_metadata:
            output.with_name(f"{output.name}.meta.json").write_text(json.dumps(dict(metadata), indent=2))
        return ScoredFile(rows, answering.compiled, answering.why_not, answering.left)
    except OSError as error:
        raise FileUnusable(f"{output} cannot be written: {error.strerror or error}") from error


def require_kind(path: Path, kinds: tuple[str, ...]) -> None:
    """Raise FileUnusable for a file whose name has none of the allowed endings."""
    if not str(path).endswith(kinds):
        raise FileUnusable(f"{path} ends in '{path.suffix}'; allowed is {', '.join(kinds)}")


def _scored(answering: Answering, model: Any, rows: pd.DataFrame, chunk: pd.DataFrame, *, typed: bool) -> pd.DataFrame:
    """Return the chunk with its predictions; with `typed` its columns have the model's types, the same in every chunk."""
    answers = answering(rows)
    given = chunk.copy(deep=False)
    for name in rows if typed else ():
        if name in chunk:
            given[name] = rows[name]
    scored = given.assign(prediction=answers.predictions)
    if answers.probabilities is not None:
        for i, label in enumerate(model.classes_):
            scored[f"probability_{label}"] = answers.probabilities[:, i]
    return scored


def _chunks(source: Path, inputs: Fields, forms: Forms) -> Iterator[pd.DataFrame]:
    try:
        if source.suffix == ".parquet":
            with pq.ParquetFile(source) as file:
                yield from (batch.to_pandas() for batch in file.iter_batches(CHUNK_ROWS))
        else:
            numeric = {name for name, (kind, _) in inputs.items() if kind not in ("string", "datetime")} - set(forms)
            # Columns that are not numbers of the model stay as written: a type guessed anew in each chunk could change.
            text = {str(name): str for name in pd.read_csv(source, nrows=0).columns if name not in numeric}
            missing = list(MISSING_IN_CSV)
            with pd.read_csv(
                source, dtype=text, chunksize=CHUNK_ROWS, keep_default_na=False, na_values=missing
            ) as chunks:
                yield from chunks
    except FileNotFoundError:
        raise FileUnusable(f"there is no file {source}") from None
    except pd.errors.EmptyDataError:
        raise FileUnusable(f"{source} is empty; a header line with the column names is the least it needs") from None
    except (OSError, EOFError, zlib.error, pa.ArrowException, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise FileUnusable(f"{source} cannot be read: {str(error).splitlines()[0]}") from error
