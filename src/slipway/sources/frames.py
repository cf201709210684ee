"""From Arrow's batches, whose types may differ, to one table and to pandas."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from slipway.core.values import text_of


def column_of(values: Sequence[Any]) -> pa.Array:
    """Return Python values as an Arrow column: of one type where they have one, else as texts. Lists and objects are JSON."""
    plain = [msgspec.json.encode(value).decode() if isinstance(value, list | dict) else value for value in values]
    try:
        return pa.array(plain)
    except (pa.ArrowException, OverflowError):
        return pa.array([None if value is None else str(text_of(value)) for value in plain], pa.string())


def joined(batches: Iterable[pa.RecordBatch], names: Sequence[str]) -> pa.Table:
    """Return batches as one table. A column that is of several types becomes text, if they are not all numbers."""
    parts: list[list[Any]] = [[] for _ in names]
    for batch in batches:
        for column, part in zip(batch.columns, parts, strict=True):
            part.append(column)
    return pa.table([_one_type(part) for part in parts], names=list(names))


def in_batches(batches: Iterable[pa.RecordBatch], names: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of some batches in batches of `rows` rows each; the last has what is left."""
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        held.append(batch)
        count += batch.num_rows
        while count >= rows:
            whole = joined(held, names)
            yield _as_batch(whole.slice(0, rows))
            held, count = whole.slice(rows).to_batches(), count - rows
    if count:
        yield _as_batch(joined(held, names))


def kept_as_text(batch: pa.RecordBatch, as_text: Collection[str]) -> pa.RecordBatch:
    """Return a batch whose whole numbers that count as texts are texts: pandas would make floats of those with gaps."""
    for i, field in enumerate(batch.schema):
        if field.name in as_text and pa.types.is_integer(field.type) and batch.column(i).null_count:
            batch = batch.set_column(i, pa.field(field.name, pa.string()), pc.cast(batch.column(i), pa.string()))
        elif pa.types.is_decimal(field.type):  # by its text: the cast from decimals is off by a last bit
            text = pc.cast(batch.column(i), pa.string())
            kept = text if field.name in as_text else pc.cast(text, pa.float64())
            batch = batch.set_column(i, pa.field(field.name, kept.type), kept)
    return batch


def to_frame(batches: Iterable[pa.RecordBatch], names: Sequence[str]) -> pd.DataFrame:
    """Return batches as one frame. An index that pandas wrote into a file is a column like any other."""
    frame: pd.DataFrame = joined(batches, names).to_pandas(ignore_metadata=True, split_blocks=True, self_destruct=True)
    return frame


def _as_batch(table: pa.Table) -> pa.RecordBatch:
    (batch,) = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]
    return batch


def _one_type(parts: Sequence[pa.Array]) -> Any:
    plain = [part.dictionary_decode() if pa.types.is_dictionary(part.type) else part for part in parts]
    kinds = {part.type for part in plain if not pa.types.is_null(part.type)}
    if len(kinds) > 1:
        kind = pa.string() if not all(map(_is_number, kinds)) else pa.float64()
        return pa.chunked_array([pc.cast(part, kind) for part in plain], kind)
    return pa.chunked_array(
        [pc.cast(part, kind) for kind in kinds or {pa.null()} for part in plain], *(kinds or {pa.null()})
    )


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
