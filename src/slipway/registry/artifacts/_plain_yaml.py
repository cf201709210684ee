"""YAML as MLflow writes it: tables, lists and single values. Aliases, merged tables and keys given twice are errors.

Two readers of YAML may take different values from a key that is given twice, and a short text of aliases can be gigabytes.
More values than Slipway ever writes are an error, too.
"""

from collections.abc import Hashable
from typing import Any

import yaml

_MOST_VALUES = 20_000  # Slipway writes some hundreds; a million empty lists take a processor for a minute


class _PlainLoader(yaml.SafeLoader):  # type: ignore[misc]
    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._values = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._values += 1
        if self._values > _MOST_VALUES:
            raise yaml.YAMLError(f"more than {_MOST_VALUES:,} values")
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(f"an alias{self.peek_event().start_mark}")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                raise yaml.YAMLError(f"a key that is no plain text{key.start_mark}")
            if key.value in seen:
                raise yaml.YAMLError(f"the key '{key.value}' twice{key.start_mark}")
            seen.add(key.value)
        return dict(super().construct_mapping(node, deep))


def read_plain_yaml(text: str) -> Any:
    """Return the content of a YAML text. Raises yaml.YAMLError where the text is not plain, and where it is no YAML."""
    try:
        return yaml.load(text, _PlainLoader)  # noqa: S506 - a SafeLoader
    except (ValueError, RecursionError) as error:  # a date that is none; lists in lists, a thousand deep
        raise yaml.YAMLError(f"{type(error).__name__}: {error}") from None
