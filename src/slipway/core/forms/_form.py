"""The Form of a column, and the metadata of an MLmodel file that hold the forms of its columns."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

FORMS = "slipway.forms"
"""The key of an MLmodel file's metadata that holds the forms by column, as JSON."""

THOUSANDS = (".", ",", " ", "\u00a0", "\u202f", "\u2009", "'", "’", "_")
"""The marks that may stand between groups of three digits; one blank stands for every kind of blank."""

EPOCHS = {"epoch_s": 1000, "epoch_ms": 1}
"""The formats of times that are numbers since 1970, with the milliseconds of one."""


@dataclass(frozen=True)
class Form:
    """The form of a column's values in a file.

    Attributes:
        type: The declared type: int, float, bool or datetime.
        decimal: The mark before the decimals.
        thousands: The mark between groups of three digits; "" for none.
        unit: A sign or word that may stand before or behind the number, such as € or %; it does not change the number.
        format: The format of times as `strptime` takes it, or a key of EPOCHS; "" for ISO 8601.
        zone: The IANA time zone of times that are written without one; "" for UTC.
        words: The texts of a truth value, with the truth value; () for the usual ones.
    """

    type: str
    decimal: str = "."
    thousands: str = ""
    unit: str = ""
    format: str = ""
    zone: str = ""
    words: tuple[tuple[str, bool], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the type and every key that is declared, as JSON values."""
        plain = Form(self.type)
        declared = {key: value for key, value in asdict(self).items() if value != getattr(plain, key)}
        return {"type": self.type, **declared, **({"words": dict(self.words)} if self.words else {})}

    def __str__(self) -> str:
        """Return the declared keys as experiment.yaml has them: `decimal: ",", thousands: "."`; empty without any."""
        declared = {key: value for key, value in self.as_dict().items() if key != "type"}
        return ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in declared.items())


def read_forms(metadata: Mapping[str, Any] | None) -> dict[str, Form]:
    """Return the forms by column from the metadata of an MLmodel file; an empty dict where the metadata have none."""
    by_column = json.loads((metadata or {}).get(FORMS) or "{}")
    return {name: _read(given) for name, given in by_column.items()}


def _read(given: Mapping[str, Any]) -> Form:
    known = {field.name: given[field.name] for field in fields(Form) if field.name in given}
    return Form(**{**known, "words": tuple(dict(known.get("words", {})).items())})
