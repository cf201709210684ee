"""The records of a variant, which a service writes and reports show: HOME/arms/NAME-shadow.json and NAME-canary.json."""

import json
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from slipway.core.variants import VariantRecord, VariantRole, VariantState
from slipway.files import whole_file


def write_variant(home: Path, record: VariantRecord) -> None:
    """Write a record whole or not at all. A full disk is no reason to stop serving, so OSError is passed over."""
    path = _path(home, record.model, record.role)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as draft:
            draft.write_text(json.dumps(asdict(record), indent=1) + "\n")


def read_variants(home: Path, model: str) -> list[VariantRecord]:
    """Return the last record in each role by services of this home; a record that cannot be read is left out."""
    return [record for role in VariantRole if (record := _read(_path(home, model, role)))]


def _read(path: Path) -> VariantRecord | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        values = {field.name: content[field.name] for field in fields(VariantRecord)}
        return VariantRecord(**values | {"role": VariantRole(content["role"]), "state": VariantState(content["state"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(home: Path, model: str, role: VariantRole) -> Path:
    return home / "arms" / f"{model}-{role}.json"
