"""Requests that nobody should send: what is asked, how it is written on the wire, and how slowly."""

import io
import json
import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

CANARY = "canary-7c1f"
KEY = "the-key"
JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"
ROW: dict[str, Any] = {"air time": 1.5, "größe": None, "stops": 2, "weekend": False, "carrier": "AA", "ort": "a"}
NAMES = list(ROW)
ODD = (
    None, True, CANARY, "1", "", [], {}, [CANARY], {CANARY: 1}, 1e308, -0.0, 2**63, -(2**63) - 1, 10**400, 1.5, 1e300,
    "1e999", "\0", "\ud800",
)  # fmt: skip
BITS = (
    b"[" * 40, b"{" * 40, b'"', b"\\", b"\xff", b"null", b"1e999", b"NaN", b"-Infinity", b"\0", b"}", b"]", b",",
    b'{"a":' * 300, b"-",
    b"1" * 5000, b"\r\n", b"\xef\xbb\xbf", b'"ort":1,',
)  # fmt: skip
KINDS = (
    JSON, JSON, JSON, CSV, PARQUET, "application/json; charset=utf-8", "application/json;charset=latin-1", "text/plain",
    "a", "", "application/json;",
    "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx", "APPLICATION/JSON",
    "text/csv; header=present",
)  # fmt: skip
Pieces = list[bytes]


def row(dice: random.Random) -> dict[str, Any]:
    found = dict(ROW) | {"air time": dice.choice((1, 2.5, 1e30, -7)), "stops": dice.randint(0, 9)}
    for _ in range(dice.choice((0, 0, 1, 2))):
        found[dice.choice([*NAMES, "other"])] = dice.choice(ODD)
    for _ in range(dice.choice((0, 0, 0, 1))):
        found.pop(dice.choice(NAMES), None)
    return found


def content(dice: random.Random) -> bytes:
    rows = [row(dice) for _ in range(dice.choice((1, 1, 2, 5, 50)))]
    order = dice.sample(NAMES, len(NAMES))
    data = [[each.get(name) for name in order] for each in rows]
    body: dict[str, Any] = dice.choice((
        {"dataframe_records": rows},
        {"dataframe_split": {"columns": order, "data": data}},
        {"dataframe_split": {"columns": order, "data": data, "index": list(range(len(rows)))}},
        {"instances": rows},
        {"inputs": {name: [each.get(name) for each in rows] for name in order}},
        {"inputs": rows[0]},
        {"messages": [{"role": "user", "content": CANARY}]},
    ))  # fmt: skip
    if dice.random() < 0.2:
        body["params"] = dice.choice(
            ({"output": "probabilities"}, {"output": CANARY}, {}, [], 1, None, {CANARY: CANARY})
        )
    return json.dumps(body, ensure_ascii=dice.random() < 0.5).encode(errors="surrogatepass")


def csv(dice: random.Random) -> bytes:
    rows = [row(dice) for _ in range(dice.choice((1, 2, 20)))]
    lines = [",".join("" if each.get(name) is None else str(each.get(name)) for name in NAMES) for each in rows]
    return dice.choice(("\n", "\r\n", "\r")).join([",".join(NAMES), *lines, ""]).encode(errors="surrogatepass")


def parquet(dice: random.Random) -> bytes:
    rows, columns = [row(dice) for _ in range(dice.choice((1, 3, 30)))], {}
    for name in NAMES:
        values = [each.get(name) for each in rows]
        try:
            if {} in values:
                raise TypeError("Parquet has no objects without keys")
            columns[name] = pa.array(values)
        except (TypeError, pa.ArrowException, UnicodeError, OverflowError):
            columns[name] = pa.array([str(value).encode(errors="replace") for value in values])
    found = io.BytesIO()
    pq.write_table(pa.table(columns), found, compression=dice.choice(("none", "snappy", "zstd")))
    return found.getvalue()


def mutated(body: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.randint(1, 4)):
        at = dice.randint(0, len(body))
        match dice.randint(0, 3):
            case 0:
                body = body[:at]
            case 1:
                body = body[:at] + dice.choice(BITS) + body[at:]
            case 2:
                body = body[:at] + bytes([dice.randint(0, 255)]) + body[at + 1 :]
            case 3:
                body = body[:at] + body[dice.randint(0, len(body)) :]
    return body


def huge(dice: random.Random) -> tuple[str, bytes]:
    """A body of megabytes that may cost more than it weighs."""
    wide = {**ROW, **{f"c{number}": number for number in range(100_000)}}
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, "int32"), ["x" * 500_000])
    packed = io.BytesIO()
    pq.write_table(pa.table({"ort": long}), packed, store_schema=False, compression="zstd")
    makes: tuple[Callable[[], tuple[str, bytes]], ...] = (
        lambda: (JSON, b"[" * 9_000_000),
        lambda: (JSON, b'{"dataframe_records": [' + b"{}," * 3_000_000 + b"{}]}"),
        lambda: (JSON, json.dumps({"dataframe_records": [wide]}).encode()),
        lambda: (JSON, json.dumps({"dataframe_records": [{**ROW, "stops": "2"}] * 90_000}).encode()),
        lambda: (JSON, json.dumps({"dataframe_records": [{**ROW, "stops": CANARY * 100_000}]}).encode()),
        lambda: (JSON, b'{"inputs": {"stops": [' + b"1," * 4_000_000 + b"1]}}"),
        lambda: (JSON, b'"\\"' * 3_000_000),
        lambda: (JSON, b"\0" * 9_000_000),
        lambda: (JSON, b"x" * 11_000_000),
        lambda: (CSV, b"stops\n" + b"1\n" * 4_000_000),
        lambda: (CSV, b"a," * 100_000 + b"a\n" + b"1," * 100_000 + b"1\n"),
        lambda: (PARQUET, packed.getvalue()),
        lambda: ("application/x-www-form-urlencoded", b"column_0=" + b"%41" * 3_000_000),
    )
    return dice.choice(makes)()


def head(method: str, path: str, kind: str, *lines: str, key: bool = True, last: bool = True) -> bytes:
    found = [f"{method} {path} HTTP/1.1", "host: x", *([f"content-type: {kind}"] if kind else []), *lines]
    found += ["x-api-key: " + KEY] if key else []
    return "\r\n".join([*found, *(["connection: close"] if last else []), "", ""]).encode("latin-1")


def asked(kind: str, body: bytes, path: str = "/invocations", last: bool = True) -> bytes:
    return head("POST", path, kind, f"content-length: {len(body)}", last=last) + body


def body_of(dice: random.Random) -> tuple[str, bytes]:
    kind, make = dice.choice(((JSON, content), (JSON, content), (JSON, content), (CSV, csv), (PARQUET, parquet)))
    body = make(dice)
    return (dice.choice(KINDS) if dice.random() < 0.1 else kind), mutated(body, dice) if dice.random() < 0.5 else body


def on_the_wire(dice: random.Random) -> Pieces:
    """A request that lies about itself, or is written as few would."""
    kind, body = body_of(dice)
    size = f"content-length: {len(body)}"
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:9], body[9:]) if part) + b"0\r\n"
    chunked = head("POST", "/invocations", kind, "transfer-encoding: chunked")
    offer = ("connection: upgrade", "upgrade: " + dice.choice(("h2c", "websocket")))
    return dice.choice((
        [asked(kind, body, path=dice.choice(("/", "/models/known_classes/invocations",
            "/models/%6bnown_classes/invocations?a=b", "//", "*", "/try", "/\xff")))],
        [head(dice.choice(("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "BREW")), "/invocations", kind,
            size) + body],
        [head("GET", dice.choice(("/ready", "/metrics", "/openapi.json", "/?model=" + CANARY, "/version", "/style.css",
            "/" + "x" * 9000)), "")],
        [head("POST", "/invocations", kind, size, key=False) + body],
        [head("POST", "/invocations", kind, f"content-length: {len(body) + dice.randint(1, 99)}") + body],
        [head("POST", "/invocations", kind, f"content-length: {max(0, len(body) - dice.randint(1, 99))}") + body],
        [head("POST", "/invocations", kind, dice.choice(("content-length: -1", "content-length: 1e3",
            "content-length: " + "9" * 30))) + body],
        [head("POST", "/invocations", kind, size, "transfer-encoding: chunked") + body],
        [chunked + chunks + b"\r\n"],
        [chunked + chunks + b"content-type: text/csv\r\nx: " + b"y" * dice.choice((1, 70_000)) + b"\r\n\r\n"],
        [chunked + mutated(chunks, dice) + b"\r\n"],
        [chunked + b"9;x=" + b"y" * 50_000 + b"\r\n" + body],
        [head("POST", "/invocations", kind, size, "expect: 100-continue"), body],
        [head("POST", "/invocations", kind, size, "expect: " + CANARY) + body],
        [asked(kind, body).replace(b" HTTP/1.1", dice.choice((b" HTTP/1.0", b" HTTP/2.0", b"", b" HTTP/9"))  , 1)],
        [head("POST", "/invocations", kind, size, *offer, last=False) + body + head("GET", "/ping", "")],
        [asked(kind, body, last=False) * dice.randint(2, 9) + head("GET", "/metrics", "", last=False) * 20 + head("GET",
            "/ready", "")],
        [head("POST", "/invocations", kind, size, *(f"x{number}: {CANARY}" for number in range(dice.choice((9,
            5000))))) + body],
        [head("POST", "/invocations", kind, size, "x: " + "y" * dice.choice((1000, 200_000))) + body],
        [head("POST", "/invocations", kind, size, dice.choice(("x\0: 1", "x : 1", ": 1", "x: \x01", " folded",
            "authorization: Basic \xff="))) + body],
        [mutated(asked(kind, body), dice)],
        [head("POST", "/try", "application/x-www-form-urlencoded", size) + body],
        [b"\x16\x03\x01\x02\x00" + body],
    ))  # fmt: skip


def hostile(dice: random.Random) -> Pieces:
    """Return a request in the pieces that it is sent in, with a moment between them."""
    chance = dice.random()
    if chance < 0.004:
        return [asked(*huge(dice))]
    if chance < 0.01:  # slower than is waited for
        whole = asked(*body_of(dice))
        return (
            [whole[at : at + 1] for at in range(20)] + [whole[20:-20]] + [whole[at : at + 1] for at in range(-20, -8)]
        )
    if chance < 0.4:
        return on_the_wire(dice)
    return [asked(*body_of(dice))]
