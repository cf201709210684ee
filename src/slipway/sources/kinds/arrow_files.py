"""The reader of Parquet and Arrow files, in folders with hive partitions too."""

from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from slipway.core.spec import Format
from slipway.errors import DataUnusable
from slipway.sources.files import Files
from slipway.sources.table import Wanted

# What pyarrow reads ahead by default is sixteen batches of each of four files: gigabytes, where rows are wide.
_AHEAD = {"batch_size": 65_536, "batch_readahead": 2, "fragment_readahead": 1}
_OF_PANDAS = "__index_level_"


class ArrowReader:
    """Parquet or Arrow files with one schema; a column that a file lacks is missing there."""

    def __init__(self, files: Files, kind: Format):
        form = ds.ParquetFileFormat() if kind is Format.PARQUET else ds.IpcFileFormat()
        fragments = [
            form.make_fragment(piece.path, piece.place, partition_expression=_equal(piece.partition))
            for piece in files.pieces
        ]
        schema = _schema([fragment.physical_schema for fragment in fragments], files)
        own = dict.fromkeys(name for piece in files.pieces for name in piece.partition)
        for name in own:  # a file may hold the column too, as Spark's do not and pandas' sometimes do
            at = schema.get_field_index(name)
            field = pa.field(name, pa.string())
            schema = schema.set(at, field) if at >= 0 else schema.append(field)
        self._data = ds.FileSystemDataset(fragments, schema, form)
        self.changed = files.changed
        self.close = files.close

    def names(self) -> Sequence[str]:
        return [name for name in self._data.schema.names if not name.startswith(_OF_PANDAS)]

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        yield from self._data.to_batches(columns=list(wanted.columns), filter=self._until(wanted), **_AHEAD)

    def _until(self, wanted: Wanted) -> Any:
        """Return the filter of row groups; None where the column is no time, which is compared after it was read."""
        if wanted.until is None:
            return None
        name, moment = wanted.until
        kind = self._data.schema.field(name).type
        if not pa.types.is_timestamp(kind):
            return None
        return pc.field(name) <= pa.scalar(moment.replace(tzinfo=UTC) if kind.tz else moment, kind)


def _equal(partition: Any) -> Any:
    whole = None
    for name, value in partition.items():
        field = pc.field(name)
        one = field.is_null() if value is None else field == value
        whole = one if whole is None else whole & one
    return whole


def _schema(schemas: Sequence[pa.Schema], files: Files) -> pa.Schema:
    """Return the schema that all files fit into: whole numbers become floats where another file has floats."""
    bare = [schema.remove_metadata() for schema in schemas]
    try:
        return pa.unify_schemas(bare, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        for schema, piece in zip(bare, files.pieces, strict=True):
            for field in schema:
                _require_agreeing(bare[0], field, files.pieces[0].name, piece.name)
        raise


def _require_agreeing(first: pa.Schema, field: pa.Field, name: str, other: str) -> None:
    at = first.get_field_index(field.name)
    if at < 0:
        return
    try:
        pa.unify_schemas([pa.schema([first.field(at)]), pa.schema([field])], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise DataUnusable(
            f"column {field.name} is {first.field(at).type} in {name} and {field.type} in {other}; a column has one type"
        ) from None
