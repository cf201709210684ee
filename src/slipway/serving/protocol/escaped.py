"""Requests of models with column names that JSON escapes: a quote, a backslash.

msgspec reads no field of such a name. Where a signature has such a name, a request is read as plain values first, its keys are
replaced by stand-ins, and its values are converted to the types of the signature then: slower, and still without pandas.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from slipway.types import JSON_ROW_FORMATS

_COLUMNS = "inputs"


def stand_ins(names: Sequence[str]) -> list[str]:
    """Return each name, or a stand-in where msgspec reads no field of that name. All returned texts are different."""
    taken, spelled = set(names), []
    for number, name in enumerate(names):
        stand_in = name
        if any(character in '"\\' or character < " " for character in name):
            stand_in = f"\x7f{number}"
            while stand_in in taken:
                stand_in += "\x7f"
        taken.add(stand_in)
        spelled.append(stand_in)
    return spelled


def reader(names: Sequence[str], spelled: Sequence[str], request: Any) -> Callable[[bytes], Any]:
    """Return a function that reads the bytes of a request, and raises MsgspecError as a decoder of msgspec does.

    Args:
        names: The names of the columns, as requests spell them.
        spelled: The fields of a row for these columns, as `stand_ins` returns them.
        request: The type that the function returns.
    """
    keys = {name: stand_in for name, stand_in in zip(names, spelled, strict=True) if name != stand_in}
    if not keys:
        return msgspec.json.Decoder(request).decode
    plain = msgspec.json.Decoder().decode
    return lambda body: msgspec.convert(_replaced(plain(body), keys), request)


def _replaced(content: Any, keys: Mapping[str, str]) -> Any:
    """Replace the keys of each row and of `inputs`; content of another form stays as it is, for `convert` to refuse."""
    if not isinstance(content, dict):
        return content
    replaced = dict(content)
    for part in JSON_ROW_FORMATS:
        if isinstance(rows := content.get(part), list):
            replaced[part] = [_of_stand_ins(row, keys) for row in rows]
    if _COLUMNS in content:
        replaced[_COLUMNS] = _of_stand_ins(content[_COLUMNS], keys)
    return replaced


def _of_stand_ins(row: Any, keys: Mapping[str, str]) -> Any:
    if not isinstance(row, dict):
        return row
    if not row.keys().isdisjoint(keys.values()):  # a caller's own key would be taken for the column that it stands for
        raise msgspec.ValidationError("a key that is no column's")
    return {keys.get(key, key): value for key, value in row.items()}
