"""`data.source`: where the rows come from.

A new kind of source is a Format here, with its endings or schemes, and a reader in `slipway.sources`.
"""

import re
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from slipway.core.spec._section import CodeRef, ColumnName, Moment, Section, Text, wrong
from slipway.core.urls import Url, parse_url
from slipway.errors import UsageError, did_you_mean


class Format(StrEnum):
    """The form of a table."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON_LINES = "jsonl"
    ARROW = "arrow"
    SQL = "sql"


ENDINGS = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".arrow": Format.ARROW,
    ".feather": Format.ARROW,
    ".ipc": Format.ARROW,
}
"""The format of a file by its ending."""
COMPRESSED = (".gz", ".zst")
"""The endings that a CSV file or JSON lines may have beside their own."""
DIALECT = ("sep", "decimal", "thousands", "encoding", "nulls", "header")
"""The keys of a source that are the dialect of a CSV file."""
READABLE = (
    f"a path or URL that ends in {', '.join(ENDINGS)} (CSV and JSON lines also in .gz or .zst), a folder or a pattern of such "
    "files with `format`, and a table or query of sqlite:/// or postgresql://; paths, s3:// and https:// are read"
)
_FILES, _DATABASES = ("", "file", "s3", "https", "http"), ("sqlite", "postgresql", "postgres", "postgresql+psycopg2")
_WHERE = ("function", "url", "csv", "parquet")
_SHORT = Field(None, description="short for `url` with this format: a path, relative to the experiment's folder")


class Until(Section):
    """The moment up to which a source that grows is read."""

    column: ColumnName = Field(description="a column of times; a row without a time there is not read")
    moment: Moment = Field(description="the last moment whose rows are read")


class Source(Section):
    """The source of the rows: a table by its path or URL, or a Python function that returns it."""

    url: str | None = Field(None, description="a path, relative to the experiment's folder, or a URL")
    function: CodeRef | None = Field(
        None, description="module:function in the experiment's folder; returns a DataFrame"
    )
    params: dict[str, Any] = Field(default_factory=dict, description="keyword arguments of the function")
    csv: Text | None = _SHORT
    parquet: Text | None = _SHORT
    format: Literal["csv", "parquet", "jsonl", "arrow"] | None = Field(
        None, description="where the ending does not say it"
    )
    sep: str | None = Field(None, description="CSV: the character between cells; default a comma, in .tsv a tab")
    decimal: Literal[".", ","] | None = Field(None, description="CSV: the decimal mark of numbers; default a point")
    thousands: str | None = Field(None, description="CSV: the mark between thousands; default none")
    encoding: str | None = Field(None, description="CSV: the encoding of the text; default utf-8")
    nulls: list[str] | None = Field(
        None, description="CSV: the texts that stand for a missing value, beside the usual ones"
    )
    header: Annotated[bool, Field(strict=True)] | Annotated[int, Field(ge=1)] | list[ColumnName] | None = Field(
        None, description="CSV: the line of the names; false, or the names, where there is no such line"
    )
    table: Text | None = Field(None, description="SQL: the name of a table or view, as in public.rides")
    query: Annotated[str, Field(min_length=1, max_length=100_000)] | None = Field(None, description="SQL: one SELECT")
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(
        None, description="https: the digest of the file"
    )
    until: Until | None = None
    timeout_s: Annotated[float, Field(gt=0)] | None = Field(
        None, description="https and SQL: the longest time to read; default 3600"
    )
    max_mb: Annotated[int, Field(gt=0)] | None = Field(
        None, description="https and SQL: the most megabytes to read; default 8192"
    )

    @property
    def address(self) -> str:
        """The path or URL; "" for a function."""
        return self.url or self.csv or self.parquet or ""

    @property
    def parsed(self) -> Url:
        """The address, taken apart."""
        return parse_url(self.address)

    @property
    def kind(self) -> Format | None:
        """The format of the table; None for a function, and where neither ending nor `format` says it."""
        if self.function:
            return None
        if named := self.format or ("csv" if self.csv else "parquet" if self.parquet else None):
            return Format(named)
        url = self.parsed
        return Format.SQL if url.scheme in _DATABASES else ENDINGS.get(ending_of(url.file)[0])

    @property
    def declared(self) -> str:
        """The function, path or URL, as it is declared, with what is read of it."""
        what = [self.function or self.address, self.table and f"table {self.table}", self.query and "query"]
        what += [f"until {self.until.moment:%Y-%m-%d %H:%M:%S}"] if self.until else []
        return ", ".join(part for part in what if part)

    @property
    def is_remote(self) -> bool:
        """Whether the table is at an address that does not depend on the experiment's folder."""
        return self.parsed.scheme not in ("", "sqlite")

    @property
    def dialect(self) -> dict[str, Any]:
        """The declared keys of a CSV file's dialect."""
        return {key: value for key in DIALECT if (value := getattr(self, key)) is not None}

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        given = [key for key in _WHERE if getattr(self, key)]
        if len(given) != 1:
            raise wrong(f"give exactly one of {', '.join(_WHERE)}; found {', '.join(given) or 'none'}")
        if self.params and not self.function:
            raise wrong(f"params are the arguments of a function, and the source is {given[0]}", "params")
        if self.function:
            self._require_absent("a function", *_OF_FILES, *_OF_SQL, *_OF_REMOTE, "until")
            return self
        try:
            url = self.parsed
        except ValueError as error:
            raise wrong(str(error), given[0]) from None
        self._require_readable(url, given[0])
        self._require_fitting(url)
        return self

    def _require_readable(self, url: Url, key: str) -> None:
        if url.scheme not in (*_FILES, *_DATABASES):
            raise wrong(f"found {url.scheme}://, which is not read{did_you_mean(url.scheme, _KNOWN)}", key)
        if url.scheme == "http" and not url.is_loopback:
            raise wrong(f"found {url.shown}; http is read from this machine alone, use https", key)
        if url.scheme == "file" and url.host not in ("", "localhost"):
            raise wrong(f"found {url.shown}; a file of this machine is file:/// and its path", key)
        if (url.user or url.password) and url.scheme in ("file", "s3", "sqlite"):
            whose = "credentials of S3 are those of boto3 (AWS_ACCESS_KEY_ID, AWS_PROFILE, ...)"
            raise wrong(
                f"a URL of {url.scheme} takes no user; " + (whose if url.scheme == "s3" else "take it out"), key
            )
        if url.scheme in _DATABASES and "@" in url.path:
            raise wrong(f"the {url.scheme}:// URL cannot be read: there is a second @; write it as %40", key)
        if self.kind is None:
            ending = "".join(ending_of(url.file)) or "no ending"
            raise wrong(f"found {url.shown} with {ending}; say its `format`, or name {READABLE}", key)

    def _require_fitting(self, url: Url) -> None:
        kind = self.kind
        database = url.scheme in _DATABASES
        if kind is not Format.CSV:
            self._require_absent(f"a source of kind {kind}", *DIALECT)
        if not database:
            self._require_absent(f"a source of kind {kind}", *_OF_SQL)
        else:
            self._require_absent("a database", "format", "sha256", "csv", "parquet")
            self._require_table_or_query()
        if url.scheme not in ("https", "http"):
            self._require_absent("a source that is not https", "sha256")
            if not database:
                self._require_absent("a source that is neither https nor SQL", "timeout_s", "max_mb")
        self._require_dialect()

    def _require_table_or_query(self) -> None:
        if bool(self.table) == bool(self.query):
            found = "both" if self.table else "neither"
            raise wrong(f"a database takes either table or query; found {found}", "query" if self.table else "url")
        if why := _not_one_select(self.query or "SELECT"):
            raise wrong(f"a query is one SELECT; {why}", "query")

    def _require_dialect(self) -> None:
        for key in ("sep", "thousands"):
            mark = getattr(self, key)
            if mark is not None and (len(mark) != 1 or mark.isalnum() or mark in '"\n\r'):
                raise wrong(
                    f"found {mark!r}; allowed is one character that is no letter, digit, quote or line end", key
                )
        if self.thousands and self.thousands == (self.decimal or "."):
            raise wrong(f"found {self.thousands!r}, which is the decimal mark too; say another `decimal`", "thousands")
        if self.encoding and not _is_codec(self.encoding):
            raise wrong(f"found '{self.encoding}'; allowed are Python's names, as in utf-8, cp1252, utf-16", "encoding")
        if isinstance(self.header, list) and len(set(self.header)) < len(self.header):
            raise wrong("a name stands there twice; the names of columns differ", "header")

    def _require_absent(self, kind: str, *keys: str) -> None:
        for key in keys:
            if getattr(self, key) is not None:
                raise wrong(f"{key} says nothing of {kind}; take it out", key)


_OF_FILES = ("format", *DIALECT)
_OF_SQL, _OF_REMOTE = ("table", "query"), ("sha256", "timeout_s", "max_mb")
_KNOWN = ("s3", "https", "file", "sqlite", "postgresql")


def _from_text(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


SourceOrUrl = Annotated[Source, BeforeValidator(_from_text, json_schema_input_type=str | Source)]
"""A Source; a text is short for a Source with that `url`."""


def source_at(address: str, **keys: Any) -> Source:
    """Return the source at a path or URL. keys: other keys of a Source; None for those that are not given.

    Raises UsageError that says what does not fit together.
    """
    try:
        return Source.model_validate(
            {"url": address, **{key: value for key, value in keys.items() if value is not None}}
        )
    except ValidationError as error:
        wrongs = [f"{'.'.join(map(str, each['loc'])) or 'source'}: {each['msg']}" for each in error.errors()]
        raise UsageError("; ".join(wrongs)) from None


def ending_of(path: str) -> tuple[str, str]:
    """Return the ending of a path that says its format, and the one that says its compression; "" where there is none."""
    name = path.rpartition("/")[2].lower()
    packed = next((ending for ending in COMPRESSED if name.endswith(ending)), "")
    stem, point, ending = name.removesuffix(packed).rpartition(".")
    return f".{ending}" if point and stem else "", packed


def _is_codec(name: str) -> bool:
    try:
        "1".encode(name)
    except (LookupError, ValueError):  # no such codec, or one that makes no text
        return False
    return True


def _not_one_select(query: str) -> str:
    """Say why a query is not one SELECT; "" where it is. The database itself refuses a query that writes."""
    bare = re.sub(r"--[^\n]*|/\*.*?\*/", " ", query, flags=re.DOTALL).strip()
    first = bare.lstrip("( \n").split(maxsplit=1)[:1]
    if not first or first[0].upper() not in ("SELECT", "WITH"):
        return f"found {(first or ['nothing'])[0]!r} at its beginning"
    # A ; within a text would be harmless, and telling it from one outside takes the grammar of each database.
    return "found a ; in it" if ";" in query else ""
