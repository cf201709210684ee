"""Reading of captured requests, with the labels that came for them, a segment at a time."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from slipway.capture.segments import LABELS, REQUESTS, files_of, folder_of, name_of
from slipway.capture.tables import LABEL, LABELLED, REQUEST, ROW, TIME
from slipway.errors import FileUnusable

_KEY, _AT = [REQUEST, ROW], "at"


@dataclass(frozen=True)
class Captured:
    """The captured requests of a model.

    Attributes:
        files: The segments, the oldest first.
        schema: Arrow schema of every table of `tables`.
        labels: An Arrow table of the last label of each row.
        dropped: Number of requests that were not captured, by reason.
        since: Requests before this time are left out; None for all.
    """

    files: Sequence[Path]
    schema: Any
    labels: Any
    dropped: dict[str, int]
    since: datetime | None

    def tables(self) -> Iterator[Any]:
        """Yield an Arrow table a segment, the oldest first: a row for each row of a request, with its label, if any."""
        for path in self.files:
            table = _read(path)
            if table is None:
                continue
            if self.since is not None:
                table = table.filter(pc.greater_equal(table[TIME], pa.scalar(self.since, table[TIME].type)))
            if len(table):
                yield self._joined(table)

    @cached_property
    def _keys(self) -> pd.DataFrame:
        keys: pd.DataFrame = self.labels.select(_KEY).to_pandas()
        return keys.assign(**{_AT: range(len(keys))})

    def _joined(self, table: Any) -> Any:
        known = self._keys
        places = table.select(_KEY).to_pandas().merge(known, on=_KEY, how="left", validate="many_to_one")
        at = pa.array(places[_AT].astype("Int64"), pa.int64())
        for name in (LABEL, LABELLED):
            table = table.append_column(name, self.labels[name].take(at))
        return pa.table([_column(table, field) for field in self.schema], schema=self.schema)


def names(folder: Path) -> list[str]:
    """Return the names of the models that have captured requests."""
    return sorted(name_of(path) for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def captured(folder: Path, name: str, since: datetime | None = None) -> Captured:
    """Return the captured requests of a model, to be read later. since: with a time zone; earlier requests are left out.

    Raises FileUnusable when a segment cannot be read.
    """
    base = folder_of(folder, name)
    files = files_of(base, REQUESTS)
    if since is not None:  # a segment may be of a day and begin the day before
        files = [path for path in files if path.parent.name >= f"{since - pd.Timedelta(days=1):%Y-%m-%d}"]
    labels = [table for path in files_of(base, LABELS) if (table := _read(path)) is not None]
    schemas = [(path, schema) for path in files if (schema := _read(path, pq.read_schema)) is not None]
    last = _last(labels)
    fields = [*_fields([schema for _, schema in schemas]), last.schema.field(LABEL), last.schema.field(LABELLED)]
    return Captured(files, pa.schema(fields), last, _dropped(schemas), since)


def read(folder: Path, name: str, since: datetime | None = None) -> pd.DataFrame:
    """Return the captured requests of a model with their labels, a row for each row of a request.

    Raises FileUnusable when a segment cannot be read.
    """
    requests = captured(folder, name, since)
    tables = list(requests.tables())
    table: pd.DataFrame = pa.concat_tables(tables or [requests.schema.empty_table()]).to_pandas()
    return table


def _read(path: Path, how: Any = pq.read_table) -> Any:
    try:
        with path.open("rb") as file:
            return how(file)
    except FileNotFoundError:  # removed meanwhile, to make room for newer ones
        return None
    except (OSError, pa.ArrowException) as error:
        raise FileUnusable(f"the segment {path} cannot be read ({error}); remove it and ask again") from error


def _last(tables: Sequence[Any]) -> Any:
    """Return the labels of all tables: of each row the last one that came."""
    kind = _agreed([table.schema.field(LABEL).type for table in tables]) if tables else pa.null()
    kinds = {REQUEST: pa.string(), ROW: pa.int32(), LABEL: kind, LABELLED: pa.timestamp("us", tz="UTC")}
    schema = pa.schema(list(kinds.items()))
    given = [pa.table([_column(table, field) for field in schema], schema=schema) for table in tables]
    labels = pa.concat_tables([*given, schema.empty_table()]).sort_by(LABELLED)
    keys: pd.DataFrame = labels.select(_KEY).to_pandas()
    return labels.filter(pa.array(~keys.duplicated(keep="last")))


def _dropped(schemas: Sequence[tuple[Path, Any]]) -> dict[str, int]:
    """Return the dropped requests by reason, summed over the services: each segment has the count of its service until then."""
    last: dict[str, dict[str, int]] = {}
    for _, schema in schemas:
        metadata = schema.metadata or {}
        session = last.setdefault(metadata.get(b"slipway.session", b"").decode(), {})
        for reason, count in json.loads(metadata.get(b"slipway.dropped", b"{}")).items():
            session[reason] = max(session.get(reason, 0), count)
    dropped: dict[str, int] = {}
    for session in last.values():
        for reason, count in session.items():
            dropped[reason] = dropped.get(reason, 0) + count
    return dropped


def _fields(schemas: Sequence[Any]) -> list[Any]:
    kinds: dict[str, list[Any]] = {}
    for schema in schemas:
        for field in schema:
            kinds.setdefault(field.name, []).append(field.type)
    return [pa.field(name, _agreed(types)) for name, types in kinds.items()]


def _agreed(kinds: Sequence[Any]) -> Any:
    """Return one type for a column of several versions: text where their types cannot be unified."""
    schemas = [pa.schema([("column", kind)]) for kind in dict.fromkeys(kinds)]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field("column").type
    except pa.ArrowException:
        return pa.string()


def _column(table: Any, field: Any) -> Any:
    if field.name not in table.column_names:
        return pa.nulls(len(table), field.type)
    return table[field.name].cast(field.type)
