"""A version in a back: the fitted model, and the declarations of its MLmodel file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from slipway.core.expectations import read_expectations
from slipway.serving.contract import InputColumn, Signature

if TYPE_CHECKING:
    import pandas as pd

_DTYPES = {"double": "float64", "float": "float32", "long": "int64", "integer": "int32", "boolean": "bool"}


@dataclass(frozen=True)
class LoadedModel:
    """A fitted scikit-learn `model` that was loaded from `files`, a folder as MLflow writes it."""

    model: Any
    files: Path

    @cached_property
    def declared(self) -> Any:
        """The content of the MLmodel file."""
        return yaml.safe_load((self.files / "MLmodel").read_text())

    @cached_property
    def signature(self) -> Signature:
        """The signature, with what the contract expects of each column."""
        declared = self.declared.get("signature") or {}
        inputs, outputs = (json.loads(declared.get(side) or "[]") for side in ("inputs", "outputs"))
        expectations = read_expectations(self.declared.get("metadata"))
        columns = [
            InputColumn(name := each.get("name", ""), each["type"], each.get("required", True), expectations.get(name))
            for each in inputs
        ]
        example = self.files / "serving_input_example.json"
        classes = getattr(self.model, "classes_", None)
        return Signature(
            tuple(columns),
            outputs[0]["type"] if outputs else "double",
            example.read_text() if example.is_file() else None,
            None if classes is None else tuple(classes.tolist()),
            hasattr(self.model, "predict_proba"),
        )

    @property
    def beyond_predict(self) -> str:
        """Reason why an answer is not just the model's `predict` of the rows; "" where it is."""
        how = self.declared["flavors"]["python_function"]
        if how.get("loader_module") != "mlflow.sklearn" or how.get("predict_fn", "predict") != "predict":
            return "it is not asked by plain predict"
        if (self.declared.get("signature") or {}).get("params"):
            return "its signature has params"
        return ""

    def example(self) -> "pd.DataFrame | None":
        """Return the rows of the input example in the types that the signature declares; None without an example."""
        split = json.loads(self.signature.example or "{}").get("dataframe_split")
        if not split or not self.signature.inputs:
            return None
        # MLflow writes NaN for a text that is missing, and a column of nothing else would be read as numbers.
        rows = [[None if value != value else value for value in row] for row in split["data"]]
        return self.table(split["columns"], rows)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> "pd.DataFrame":
        """Return rows as a table with the columns and types of the signature; a column that is not given holds nulls."""
        import pandas as pd

        given = pd.DataFrame(list(rows), columns=list(columns))
        table = pd.DataFrame({each.name: given.get(each.name) for each in self.signature.inputs}, index=given.index)
        for column in self.signature.inputs:
            if column.type in _DTYPES:
                table[column.name] = table[column.name].astype(_DTYPES[column.type])  # type: ignore[call-overload]
            elif column.type == "datetime":
                table[column.name] = pd.to_datetime(table[column.name], format="ISO8601")
        return table
