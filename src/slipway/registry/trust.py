"""The models that may be loaded: their types are in a list of our own, and their bytes have the registered digest.

MLflow takes the types that a model may load from the model's own MLmodel file, so that a forged model trusts itself
(advisory GHSA-w582-9x45-8mpx). Slipway loads only the types of the list below and those that the operator adds.
"""

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from slipway.code import importable
from slipway.errors import LibraryMissing, UntrustedModel
from slipway.registry.artifacts.mlmodel import CODE, SKOPS, departures

# The types of boosting libraries, by what loading one runs. Each gives its model to a parser of its own in native code:
# LightGBM a text, XGBoost UBJSON, CatBoost a flatbuffer. None of these holds code, and skops audits all else that they hold. A
# parser may have faults that a forged file would use, so the digest of a version is compared before its file is loaded.
_BOOSTERS = frozenset(
    {
        "catboost.core.CatBoostClassifier",
        "catboost.core.CatBoostRegressor",
        "collections.OrderedDict",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
        "sklearn.utils._bunch.Bunch",  # of the vote of one, which gives XGBoost and CatBoost their labels
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRegressor",
    }
)
# The types of fitted estimators of scikit-learn 1.9 that skops does not trust by itself, found by dumping each estimator.
# None runs code that the file chooses: skops audits the function inside of a partial as well. numpy.asarray and numpy.dot,
# which make calendar parts of times, only compute.
TRUSTED_TYPES = _BOOSTERS | frozenset(
    {
        "functools.partial",
        "numpy.asarray",
        "numpy.dot",
        "numpy.dtype",
        "numpy.ravel",
        "sklearn._loss.loss.HalfTweedieLossIdentity",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.compose._column_transformer._RemainderColsList",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.metrics._classification.balanced_accuracy_score",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.metrics._scorer._CurveScorer",
        "sklearn.metrics._scorer._Scorer",
        "sklearn.model_selection._split.KFold",
        "sklearn.model_selection._split.StratifiedKFold",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._metadata_requests.MetadataRequest",
        "sklearn.utils._metadata_requests.MethodMetadataRequest",
        "sklearn.utils.validation.check_array",
    }
)
DIGEST = "slipway.artifact_digest"
"""The tag of a version that holds the digest of its files."""
EVIDENCE_DIGEST = "slipway.evidence_digest"
"""The tag of a version that holds the digest of its declaration and of the rows that it was tested on."""
ANSWERS = "slipway.answers_digest"
"""The tag of a run and a version that holds the digest of the model's answers to its test rows."""
SPEC_DIGEST = "slipway.spec_digest"
"""The tag of a run and of its version that holds the digest of the declaration."""
AUTHOR = "slipway.author"
"""The tag of a version that names who registered it; without users, who trained it."""
MADE_BY = "slipway.made_by"
"""The tag of a run, and of its versions, that names who made the run, as a server with users saw it."""
_OF_THE_REGISTRY = "registered_model_meta"  # written beside a model when it is registered or downloaded
_MOST_NAMED = 3


def as_stored(model: Any) -> bytes:
    """Return a fitted model as skops stores it. Raises UntrustedModel where skops cannot."""
    import skops.io  # it costs seconds, with scikit-learn: commands that load no model do without
    from skops.io.exceptions import UnsupportedTypeException

    try:
        return bytes(skops.io.dumps(model))
    except UnsupportedTypeException as error:
        raise UntrustedModel(f"the pipeline cannot be stored: {error}") from error


def types_to_trust(stored: bytes, allowed: Iterable[str]) -> list[str]:
    """Return the types of a stored model beyond those that skops trusts, all of which are in Slipway's list or in `allowed`.

    Raises UntrustedModel for a type that is in neither.
    """
    import skops.io

    types, allowed = skops.io.get_untrusted_types(data=stored), tuple(allowed)
    if unknown := sorted(set(types) - TRUSTED_TYPES - set(allowed)):
        more = f" and {', '.join(allowed)}" if allowed else ""
        raise UntrustedModel(
            f"the pipeline holds types that are not trusted: {', '.join(unknown)}; trusted are the types of scikit-learn, "
            f"numpy and scipy that docs/trust.md tells of{more}. Put types of the experiment's own code, and of libraries "
            "that you trust, into search.trusted_types of experiment.yaml"
        )
    return sorted(types)


def stored_and_loaded(model: Any, allowed: Iterable[str]) -> Any:
    """Return a fitted model stored and loaded again, as every version is, which may change it.

    Raises UntrustedModel where it cannot be stored, or holds a type that is neither in Slipway's list nor in `allowed`.
    """
    import skops.io

    allowed = tuple(allowed)
    data = as_stored(model)
    types_to_trust(data, allowed)
    return skops.io.loads(data, trusted=sorted(TRUSTED_TYPES | set(allowed)))


def load_trusted(folder: Path, allowed: Iterable[str]) -> Any:
    """Load the scikit-learn pipeline of a downloaded MLflow model, with types from our own configuration only.

    allowed: types beside Slipway's own list.

    Raises UntrustedModel for a folder that is not as Slipway writes it and for any other type, and LibraryMissing for a model
    of a library that is not installed.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    trusted = sorted(TRUSTED_TYPES | set(allowed))
    require_as_written(folder, trusted)
    try:
        with importable(folder / CODE if (folder / CODE).is_dir() else folder):
            return skops.io.load(folder / SKOPS, trusted=trusted)
    except UntrustedTypesFoundException as error:
        raise UntrustedModel(f"the model holds types that are not trusted: {error}") from None
    except ModuleNotFoundError as error:
        module = str(error.name).partition(".")[0]
        raise LibraryMissing(module, _pinned(folder, module)) from error


def _pinned(folder: Path, module: str) -> str:
    """Return the line of a downloaded model's requirements that names a module's package; empty where none does."""
    file = folder / "requirements.txt"
    lines = file.read_text().splitlines() if file.is_file() else []
    package = canonicalize_name(module)
    return next((line for line in lines if canonicalize_name(line.partition("==")[0]) == package), "")


def require_as_written(folder: Path, allowed: Iterable[str]) -> None:
    """Refuse a model that MLflow would load otherwise than Slipway does: see `departures`.

    allowed: types beside Slipway's own list that the model may hold.

    Raises UntrustedModel with the first departures.
    """
    if found := departures(folder, TRUSTED_TYPES | set(allowed)):
        more = [f"and {len(found) - _MOST_NAMED} more"] if len(found) > _MOST_NAMED else []
        raise UntrustedModel(
            "MLflow may load another model than the one that is judged and served, since its files are not as Slipway writes "
            f"them: {'; '.join([*found[:_MOST_NAMED], *more])}. `slipway run` trains a version and writes them"
        )


def require_no_compiled_code(folder: Path) -> None:
    """Refuse a fresh download that holds compiled code: MLflow would run the compiled code, which no digest covers.

    Raises UntrustedModel.
    """
    if compiled := next(folder.rglob("__pycache__"), None):
        raise UntrustedModel(
            f"the files of the model hold {compiled.relative_to(folder).as_posix()}, compiled code that Slipway does not store "
            "and that MLflow would run in place of the Python files; train a version with `slipway run`"
        )


def without_digest(name: str, version: int, run_id: str = "") -> UntrustedModel:
    """Return the error for a version without a digest, whose bytes cannot be verified."""
    return UntrustedModel(
        f"the model of {name} version {version} has no digest in the registry: it was registered past Slipway, and its bytes "
        f"cannot be verified. If its run is a search of Slipway's, `slipway register {name} {run_id or 'RUN_ID'}` makes a "
        f"version of it that has one; if not, train one with `slipway run {name}`"
    )


def changed_bytes(name: str, version: int) -> UntrustedModel:
    """Return the error for a version whose files are not those that were registered."""
    return UntrustedModel(
        f"the model of {name} version {version} is not what was registered: its bytes changed; train a new version with "
        f"`slipway run {name}`, or bring the files back from a backup"
    )


def drop_compiled_code(folder: Path) -> None:
    """Remove every `__pycache__`: importing writes it, so no digest covers it, and Python would run the code in it."""
    for cache in sorted(folder.rglob("__pycache__")):
        if cache.is_symlink() or cache.is_file():
            cache.unlink()
        else:
            shutil.rmtree(cache)


def artifact_digest(folder: Path) -> str:
    """Return the SHA-256 of a model's files, names included.

    The file that the registry adds to a copy does not count, nor does `__pycache__`; see `drop_compiled_code`.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name != _OF_THE_REGISTRY and "__pycache__" not in path.parts:
            digest.update(f"{name}:{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
