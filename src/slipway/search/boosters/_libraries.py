"""The libraries, each with its names for what they have in common. None is imported here: each is an extra of Slipway."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipway.core.spec import Candidate

# Early stopping seldom comes so far; where it does, a larger learning rate gives the same model sooner.
MOST_TREES = 1000
FEW_TREES = 20
SEED = object()
"""Stands for the experiment's seed among the defaults."""


@dataclass(frozen=True)
class Library:
    """What Slipway knows of a library.

    Attributes:
        name: The name of its module.
        trees: The parameter with the number of trees, and the other names of that parameter.
        monotone: The parameter with the direction of each feature.
        defaults: Parameters that nobody wants to write; each is given unless one of `unless` is declared.
        unless: Other names of a default.
        codes: Gives the parameters for columns with the codes of categories, from their places and the number of all columns;
            None for a library that gets no codes, or is told of them before.
        by_number: Whether its classifiers know their classes as 0, 1, … only, or answer labels in another form.
        hands_off: Parameters with which the number of trees is left to the library.
        refused: Parameters that ask for validation rows, which only Slipway's own early stopping has.
        spelled: Gives the directions of all features as the parameter `monotone` takes them.
    """

    name: str
    trees: tuple[str, ...]
    monotone: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    codes: Callable[[Sequence[int], int], dict[str, Any]] | None = None
    by_number: bool = False
    hands_off: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    spelled: Callable[[tuple[int, ...]], Any] = tuple

    def defaults_beside(self, given: Iterable[str], seed: int) -> dict[str, Any]:
        """Return the defaults that are not declared, under any name."""
        declared, defaults = set(given), {key: seed if value is SEED else value for key, value in self.defaults.items()}
        return {key: value for key, value in defaults.items() if not declared & {key, *self.unless.get(key, ())}}


def _types_of(places: Sequence[int], count: int) -> dict[str, Any]:
    """Return XGBoost's types of columns: "c" for the codes of categories, "q" for numbers."""
    return {"enable_categorical": True, "feature_types": ["c" if i in set(places) else "q" for i in range(count)]}


_LIGHTGBM = Library(
    name="lightgbm",
    trees=(
        *("n_estimators", "num_iterations", "num_iteration", "n_iter", "num_tree", "num_trees", "num_round"),
        *("num_rounds", "nrounds", "num_boost_round", "max_iter"),
    ),
    monotone="monotone_constraints",
    # The faster of its two histograms is chosen by the clock otherwise, which a second fit may answer otherwise.
    defaults={"verbose": -1, "n_jobs": 1, "force_col_wise": True},
    unless={
        "verbose": ("verbosity",),
        "n_jobs": ("num_threads", "num_thread", "nthread", "nthreads"),
        "force_col_wise": ("force_row_wise",),
    },
    codes=lambda places, _: {"categorical_column": list(places)} if places else {},
    hands_off=frozenset({"boosting_type", "boosting", "boost"}),
    refused=frozenset({"early_stopping_round", "early_stopping_rounds", "early_stopping", "n_iter_no_change"}),
)
_XGBOOST = Library(
    name="xgboost",
    trees=("n_estimators",),
    monotone="monotone_constraints",
    defaults={"n_jobs": 1},
    unless={"n_jobs": ("nthread",)},
    codes=lambda places, count: _types_of(places, count) if places else {},
    by_number=True,
    hands_off=frozenset({"booster"}),
    refused=frozenset({"early_stopping_rounds"}),
)
_CATBOOST = Library(
    name="catboost",
    trees=("iterations", "n_estimators", "num_boost_round", "num_trees"),
    monotone="monotone_constraints",
    defaults={"verbose": 0, "thread_count": 1, "allow_writing_files": False, "random_state": SEED},
    unless={"random_state": ("random_seed",), "verbose": ("silent", "logging_level", "verbose_eval", "metric_period")},
    by_number=True,
    # A text, since scikit-learn clones no model whose parameters are copied, as CatBoost copies lists.
    spelled=lambda directions: f"({','.join(map(str, directions))})",
    refused=frozenset({"early_stopping_rounds", "od_type", "od_wait", "od_pval", "use_best_model"}),
)
_HISTOGRAM = Library(
    name="sklearn",
    trees=("max_iter",),
    monotone="monotonic_cst",
    # Its own early stopping holds out rows at random, which neither time nor groups allow.
    defaults={"early_stopping": False},
    unless={"early_stopping": ("n_iter_no_change", "validation_fraction")},
    hands_off=frozenset({"early_stopping", "n_iter_no_change", "validation_fraction"}),
)
_OF_CLASS = {
    "lightgbm.sklearn.LGBMClassifier": _LIGHTGBM,
    "lightgbm.sklearn.LGBMRegressor": _LIGHTGBM,
    "xgboost.sklearn.XGBClassifier": _XGBOOST,
    "xgboost.sklearn.XGBRegressor": _XGBOOST,
    "catboost.core.CatBoostClassifier": _CATBOOST,
    "catboost.core.CatBoostRegressor": _CATBOOST,
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier": _HISTOGRAM,
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor": _HISTOGRAM,
}
_OF_PATH = {
    **{f"{library.name}.{path.rpartition('.')[2]}": library for path, library in _OF_CLASS.items()},
    **{f"sklearn.ensemble.{path.rpartition('.')[2]}": _HISTOGRAM for path in _OF_CLASS if "hist_gradient" in path},
    **_OF_CLASS,
}


def library_of(cls: type[Any]) -> Library | None:
    """Return the Library of a class of estimators, by the exact class; None for any other."""
    return _OF_CLASS.get(f"{cls.__module__}.{cls.__qualname__}")


def parameters_of(cls: type[Any], known: Iterable[str]) -> set[str] | None:
    """Return the names of a class's parameters, of which its estimators name the `known` ones; None for a class that takes any.

    CatBoost names only the parameters that were given. LightGBM takes any, and says nothing of one that it does not know.
    """
    if cls.__module__ == "lightgbm.sklearn":
        from lightgbm.basic import _ConfigAliases

        aliases = _ConfigAliases._get_all_param_aliases()
        return {*known, *aliases, *(each for several in aliases.values() for each in several)}
    signature = inspect.signature(cls).parameters
    return None if any(each.kind is each.VAR_KEYWORD for each in signature.values()) else {*known, *signature}


def stops_early(candidate: Candidate) -> bool:
    """Return whether a trial of the candidate finds the number of trees by itself, on its validation rows.

    It does where the candidate neither declares nor varies the number, or the library's own early stopping.
    """
    library = _OF_PATH.get(str(candidate.estimator))
    return library is not None and not {*candidate.params, *candidate.space} & {*library.trees, *library.hands_off}


def few_trees(candidate: Candidate) -> dict[str, Any]:
    """Return the parameter for a few trees, where the number would be found: for fits of which only the success counts."""
    library = _OF_PATH.get(str(candidate.estimator))
    return {library.trees[0]: FEW_TREES} if library and stops_early(candidate) else {}
