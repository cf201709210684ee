"""The reader of a table or a query of a database. Nothing is written: the connection and the transaction are read-only."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from slipway.core.spec import Source
from slipway.core.urls import Url
from slipway.errors import FileUnusable
from slipway.sources.frames import column_of
from slipway.sources.limits import limits_of
from slipway.sources.secrets import Secrets
from slipway.sources.table import Wanted

_ROWS = 20_000
_CONNECT_S = 10
# The oid of each type of times of PostgreSQL, and how a moment is written for it.
_MOMENTS = {1114: "TIMESTAMP '{0:%Y-%m-%d %H:%M:%S.%f}'", 1184: "TIMESTAMPTZ '{0:%Y-%m-%d %H:%M:%S.%f}+00'"}


class SqlReader:
    """A table or a query of SQLite or PostgreSQL, read in one transaction, so that all rows are of one moment."""

    def __init__(self, source: Source, url: Url, folder: Path, secrets: Secrets):
        import sqlalchemy as sa

        self._shown = url.shown
        self._limits = limits_of(source)
        self._deadline = time.monotonic() + self._limits.timeout_s
        self._rows = f"({source.query}\n) AS slipway_rows" if source.query else _table_name(str(source.table))
        self._open = ExitStack()
        self._is_sqlite = url.scheme == "sqlite"
        if self._is_sqlite:
            address, how = _sqlite(folder / url.path.removeprefix("/"))
        else:
            address, how = _postgresql(url, secrets, self._limits.timeout_s)
        engine = sa.create_engine(address, poolclass=sa.pool.NullPool, hide_parameters=True, connect_args=how)
        try:
            self._connection = self._open.enter_context(engine.connect())
            if self._is_sqlite:
                own: Any = self._connection.connection.driver_connection
                own.set_progress_handler(lambda: time.monotonic() > self._deadline, 100_000)
                self._connection.exec_driver_sql("PRAGMA query_only = 1")
                self._connection.exec_driver_sql("BEGIN")
            else:
                self._connection = self._connection.execution_options(
                    postgresql_readonly=True, isolation_level="REPEATABLE READ"
                )
        except BaseException:
            self.close()
            raise

    def names(self) -> Sequence[str]:
        return [column[0] for column in self._columns()]

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        size, columns = 0, list(wanted.columns)
        asked = f"SELECT {', '.join(map(_quoted, columns))} FROM {self._rows}{self._until(wanted)}"  # noqa: S608 - quoted
        result = self._ask(asked, stream_results=True, max_row_buffer=_ROWS)
        while rows := result.fetchmany(_ROWS):
            values = zip(*rows, strict=True)
            arrays = [
                column_of([_value(value, text=name in wanted.as_text) for value in column])
                for name, column in zip(columns, values, strict=True)
            ]
            batch = pa.RecordBatch.from_arrays(arrays, columns)
            size += batch.nbytes
            self._limits.require(self._shown, size, self._deadline)
            yield batch
        result.close()

    def changed(self) -> str:
        return ""  # the transaction sees one state of the database

    def close(self) -> None:
        self._open.close()

    def _ask(self, asked: str, **options: Any) -> Any:
        # Without parameters the driver takes a % as it stands.
        return self._connection.execution_options(no_parameters=True, **options).exec_driver_sql(asked)

    def _columns(self) -> Sequence[Any]:
        result = self._ask(f"SELECT * FROM {self._rows} LIMIT 0")  # noqa: S608 - a quoted name, or the declared query
        columns = list(result.cursor.description)
        result.close()
        return columns

    def _until(self, wanted: Wanted) -> str:
        """Return the condition for PostgreSQL's times; others are compared after they were read."""
        if wanted.until is None or self._is_sqlite:
            return ""
        name, moment = wanted.until
        form = {column[0]: _MOMENTS.get(column[1]) for column in self._columns()}.get(name)
        return f" WHERE {_quoted(name)} <= {form.format(moment)}" if form else ""


def _sqlite(path: Path) -> tuple[Any, Mapping[str, Any]]:
    import sqlalchemy as sa

    if not path.is_file():
        raise FileUnusable(
            f"there is no file {path}; sqlite:/// takes a path from the experiment's folder, sqlite://// one from /"
        )
    return sa.URL.create("sqlite", database=path.absolute().as_uri(), query={"mode": "ro", "uri": "true"}), {}


def _postgresql(url: Url, secrets: Secrets, timeout_s: float) -> tuple[Any, Mapping[str, Any]]:
    import sqlalchemy as sa

    # Not psycopg 3, which SQLAlchemy 2.1 prefers and Slipway does not come with.
    address = sa.make_url(f"postgresql+psycopg2://{url.host}{url.path}")
    address = address.set(username=secrets.user or None, password=secrets.password or None)
    options = f"-c default_transaction_read_only=on -c statement_timeout={int(timeout_s * 1000)}"
    return address, {"connect_timeout": _CONNECT_S, "options": options}


def _table_name(given: str) -> str:
    return ".".join(map(_quoted, given.split(".")))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _value(value: Any, *, text: bool) -> Any:
    if isinstance(value, Decimal):  # by its text: Arrow's cast of decimals is off by a last bit
        return str(value) if text else float(value)
    if isinstance(value, memoryview):
        return bytes(value)
    return value
