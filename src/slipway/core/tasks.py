"""The tasks and their Traits: one row of `TRAITS` a task.

A task answers each row by itself; a ranking of groups of rows has no place in `Outcome` yet. A new task needs a row here, its
metrics in `slipway.core.statistics.metrics`, its figures in `slipway.reports.plots`, its groups in `slipway.reports.fairness`
and its sentence in `slipway.reports.words.card`. Code that asks `is_classification` takes every other task for a regression:
a dozen modules do; `grep -rn is_classification src` lists them, and each is looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Task(StrEnum):
    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"

    @property
    def traits(self) -> "Traits":
        return TRAITS[self]

    @property
    def is_classification(self) -> bool:
        return self.traits.is_classification


@dataclass(frozen=True)
class Traits:
    """The properties of a task that the rest of Slipway depends on.

    Attributes:
        is_classification: Whether answers are classes of the target's type; otherwise answers are values of type double.
        has_positive: Whether one class is the positive class. Scores then have the shape (rows,), otherwise (rows, classes).
        estimator: The kind of scikit-learn estimator that a candidate has to be.
        targets: The column types that the target may have.
        metrics: The names of the metrics, in the order in which reports show them.
        constant: The baseline that is always run: its name, and its name in words.
        figures: The figures of an evaluation, in the order in which they are read.
        figures_beside: The figures that show two models, in the same order.
        knows: The metric of the leak audit for one feature alone, and the value of a feature that knows nothing.
    """

    is_classification: bool
    has_positive: bool
    estimator: str
    targets: tuple[str, ...]
    metrics: tuple[str, ...]
    constant: tuple[str, str]
    figures: tuple[str, ...]
    figures_beside: tuple[str, ...]
    knows: tuple[str, float]

    @property
    def family(self) -> str:
        return "classification" if self.is_classification else "regression"


_CLASSES = ("int", "bool", "category", "text")

TRAITS: Mapping[Task, Traits] = MappingProxyType(
    {
        Task.BINARY: Traits(
            is_classification=True,
            has_positive=True,
            estimator="classifier",
            targets=_CLASSES,
            metrics=(
                "roc_auc", "average_precision", "log_loss", "brier_score", "accuracy", "balanced_accuracy", "f1", "precision",
                "recall",
            ),
            constant=("prior", "class prior"),
            figures=("roc", "precision_recall", "calibration", "confusion_matrix"),
            figures_beside=("roc", "precision_recall", "calibration"),
            knows=("roc_auc", 0.5),
        ),
        Task.MULTICLASS: Traits(
            is_classification=True,
            has_positive=False,
            estimator="classifier",
            targets=_CLASSES,
            metrics=("roc_auc", "log_loss", "accuracy", "balanced_accuracy", "f1_macro"),
            constant=("prior", "class prior"),
            figures=("confusion_matrix", "roc"),
            figures_beside=("roc", "confusion_matrix"),
            knows=("roc_auc", 0.5),
        ),
        Task.REGRESSION: Traits(
            is_classification=False,
            has_positive=False,
            estimator="regressor",
            targets=("int", "float"),
            metrics=("rmse", "mae", "r2"),
            constant=("mean", "mean"),
            figures=("residuals", "predicted_vs_actual"),
            figures_beside=("predicted_vs_actual", "residuals"),
            knows=("r2", 0.0),
        ),
    }
)  # fmt: skip
