"""Content types of bodies, read as RFC 9110 (8.3.1) has them: their names have no case, and values may stand in quotes."""

from functools import lru_cache

JSON, CSV, PARQUET = b"application/json", b"text/csv", b"application/vnd.apache.parquet"

_UTF_8 = (b"charset", b"utf-8")


@lru_cache(maxsize=256)  # callers send the same few for ever
def normalised(header: bytes) -> bytes:
    """Return a Content-Type header as MLflow spells it: `application/json` for `Application/JSON; Charset="UTF-8"`.

    A type that MLflow does not take comes back as it came. A parameter that MLflow does not take stays in the header under its
    name. MLflow refuses both in its own words.
    """
    kind, *parts = (part.strip() for part in header.split(b";"))
    if kind.lower() not in (JSON, CSV, PARQUET):
        return header
    given = [_parameter(part) for part in parts if part]
    return b"; ".join([kind.lower(), *(b"%b=%b" % each for each in given if each != _UTF_8)])


def _parameter(part: bytes) -> tuple[bytes, bytes]:
    name, _, value = part.partition(b"=")
    bare = value[1:-1] if len(value) > 1 and value[:1] == value[-1:] == b'"' else value
    name = name.lower()
    return name, bare.lower() if name == b"charset" else bare
