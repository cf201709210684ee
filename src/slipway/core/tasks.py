"""The tasks, and what follows from each: one row of `TRAITS` a task, from which the rest derives.

A new task is a row here, its figures in `slipway.reports.plots` and its groups in `slipway.reports.fairness`.
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
    """What follows from a task.

    is_classification: whether answers are classes, of the target's type; else they are values, of type double.
    has_positive: whether one class is the positive one, whose score is the only one, (rows,); else there is one a class,
    (rows, classes). estimator: what a candidate has to be. targets: the types that the target's column may have.
    metrics: in the order in which reports show them. constant: the baseline that is always run, and in words.
    figures: of the evaluation, in the order in which they are read. figures_beside: those that show two models, in that order.
    knows: the metric by which one feature alone gives the target away, and its value for one that knows nothing.
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
