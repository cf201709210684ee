"""A version that is loaded once and answers tables, in memory or in files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import MlflowClient

from slipway.batch import Answering, chunks, conform, with_answers
from slipway.batch.columns import Categories, Fields, Forms
from slipway.core.spec import Format, Source, source_at
from slipway.errors import DataUnusable, UsageError
from slipway.registry.artifacts.contract import categories_of, dialect_keys_of, forms_of
from slipway.registry.artifacts.fetch import fetch_verified
from slipway.registry.artifacts.models import inputs_of, temporary_folder
from slipway.registry.trust import load_trusted
from slipway.registry.versions import Version
from slipway.settings import Settings
from slipway.sources import open_table
from slipway.workflows.project import trusted_types


@dataclass(frozen=True)
class Scorable:
    """A version with its verified model.

    Attributes:
        version: the version.
        model: its fitted model.
        inputs: the inputs of the model.
        known: the categories that the model knows, by column.
        forms: the forms in which files hold its columns, by column.
        dialect: the dialect of the CSV files that the model was trained from, as keys of a Source.
    """

    version: Version
    model: Any
    inputs: Fields
    known: Categories
    forms: Forms
    dialect: Mapping[str, Any]

    def source(self, address: str, keys: Mapping[str, Any]) -> Source:
        """Return the Source of a table; a CSV file has the dialect of the training data, but for the given keys."""
        source = source_at(address, **keys)
        if source.kind is not Format.CSV:
            return source
        return source_at(address, **{**self.dialect, **{k: v for k, v in keys.items() if v is not None}})


def load_scorable(client: MlflowClient, settings: Settings, version: Version) -> Scorable:
    """Load the model of a version, verified and with trusted types only. Raises UntrustedModel and LibraryMissing."""
    with temporary_folder() as made:
        files = fetch_verified(version, Path(made))
        model = load_trusted(files, trusted_types(settings, version.name, lambda: (client, version)))
        return Scorable(version, model, inputs_of(files), categories_of(files), forms_of(files), dialect_keys_of(files))


class FrameScorer:
    """Answers rows in memory as `slipway score` answers those of a file; a plan that was made once is kept."""

    def __init__(self, scorable: Scorable):
        self.scorable = scorable
        self._answering = Answering(scorable.model)

    def scored(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return rows with `prediction`, and for a classifier one `probability_CLASS` a class. Raises DataUnusable."""
        if not isinstance(rows, pd.DataFrame):
            raise UsageError(
                f"the rows to score are a {type(rows).__name__}; give a DataFrame, as of `pd.DataFrame(rows)`"
            )
        if not len(rows):
            raise DataUnusable("there are no rows to score; give a table with at least one")
        scorable, index = self.scorable, rows.index
        plain = rows.reset_index(drop=True)  # an index may hold a label twice
        cast = conform(plain, scorable.inputs, 0, scorable.known, scorable.forms)
        if not self._answering.compiled:  # the first rows of each table decide whether a plan is worth making
            self._answering = Answering(scorable.model)
        return with_answers(self._answering(cast), scorable.model, cast, plain, typed=False).set_axis(index)

    def scored_table(self, address: str, settings: Settings, keys: Mapping[str, Any]) -> pd.DataFrame:
        """Return the rows of a table by its path or URL with their answers. Raises FileUnusable and DataUnusable."""
        scorable = self.scorable
        with open_table(scorable.source(address, keys), variables=settings.variables) as table:
            parts = [self.scored(chunk) for chunk in chunks(table, scorable.inputs, scorable.forms)]
        if not parts:
            raise DataUnusable(f"{table.shown} has no rows to score")
        return pd.concat(parts, ignore_index=True)
