import functools
import itertools
import os
import py_compile
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from catboost import CatBoostClassifier
from hypothesis import given
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from tests.helpers.model_files import write_model
from xgboost import XGBClassifier

from slipway.code import load_function
from slipway.errors import LibraryMissing, UntrustedModel
from slipway.processes import child_environment
from slipway.registry.trust import (
    TRUSTED_TYPES,
    artifact_digest,
    as_stored,
    drop_compiled_code,
    load_trusted,
    require_as_written,
    types_to_trust,
)

ROWS, TRUTH = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
OWN = "def double(rows):\n    return rows * 2\n"


@pytest.fixture
def with_code(tmp_path: Path) -> Path:
    """The folder of a pipeline that holds a function of the experiment, which travels beside it."""
    code = tmp_path / "model" / "code"
    code.mkdir(parents=True)
    (code / "own_features.py").write_text(OWN)
    pipeline = make_pipeline(FunctionTransformer(load_function(code, "own_features:double")), LogisticRegression())
    return write_model(tmp_path / "model", pipeline.fit(ROWS, TRUTH))


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        HistGradientBoostingClassifier(max_iter=3),
        LGBMClassifier(n_estimators=3, verbose=-1),
        VotingClassifier([("model", XGBClassifier(n_estimators=3))], voting="soft"),
        VotingClassifier(
            [("model", CatBoostClassifier(iterations=3, verbose=0, allow_writing_files=False))], voting="soft"
        ),
    ],
)
def test_what_a_fitted_pipeline_of_scikit_learn_holds_is_trusted_and_loads_again(
    estimator: Any, tmp_path: Path
) -> None:
    pipeline = make_pipeline(StandardScaler(), estimator).fit(ROWS, TRUTH)
    assert set(types_to_trust(as_stored(pipeline), [])) <= TRUSTED_TYPES
    loaded = load_trusted(write_model(tmp_path / "model", pipeline), [])
    assert np.array_equal(loaded.predict_proba(ROWS), pipeline.predict_proba(ROWS))


def test_a_function_that_was_not_allowed_is_refused_by_name_before_anything_is_stored() -> None:
    with pytest.raises(UntrustedModel, match=r"not trusted: .*itertools\.accumulate.*search\.trusted_types"):
        types_to_trust(as_stored(make_pipeline(FunctionTransformer(itertools.accumulate))), [])


def test_code_of_the_experiment_is_loaded_when_it_was_allowed_and_refused_when_not(with_code: Path) -> None:
    model = load_trusted(with_code, ["own_features.double"])
    assert model.predict(ROWS).shape == (60,)
    with pytest.raises(UntrustedModel, match=r"types that are not trusted: .*own_features\.double"):
        load_trusted(with_code, [])


def test_a_library_that_is_not_installed_is_named_with_the_version_that_the_model_was_made_with(
    tmp_path: Path,
) -> None:
    library = tmp_path / "site"
    library.mkdir()
    (library / "made_up_boosting.py").write_text(OWN)
    pipeline = make_pipeline(FunctionTransformer(load_function(library, "made_up_boosting:double")))
    folder = write_model(tmp_path / "model", pipeline.fit(ROWS), "made-up-boosting==4.7.0")
    del sys.modules["made_up_boosting"]
    said = r"the library 'made_up_boosting', which is not installed here; .*`pip install made-up-boosting==4\.7\.0`"
    with pytest.raises(LibraryMissing, match=said):
        load_trusted(folder, ["made_up_boosting.double"])
    write_model(folder, pipeline)
    with pytest.raises(LibraryMissing, match="install the package that brings it"):
        load_trusted(folder, ["made_up_boosting.double"])


def test_a_forged_model_does_not_trust_itself(with_code: Path) -> None:
    said = yaml.safe_load((with_code / "MLmodel").read_text())
    said["flavors"]["sklearn"]["skops_trusted_types"] = ["own_features.double"]
    (with_code / "MLmodel").write_text(yaml.safe_dump(said))
    said_of_it = (
        r"skops_trusted_types is \['own_features\.double'\]; .*with search\.trusted_types .* SLIPWAY_TRUSTED_TYPES"
    )
    for refuses in (load_trusted, require_as_written):
        with pytest.raises(UntrustedModel, match=said_of_it):
            refuses(with_code, [])
    require_as_written(with_code, ["own_features.double"])


@pytest.mark.parametrize("function", [os.system, eval, subprocess.Popen, __import__])
def test_a_trusted_partial_does_not_carry_an_untrusted_function_with_it(function: Any, tmp_path: Path) -> None:
    hidden = FunctionTransformer(functools.partial(function, "true"))
    with pytest.raises(UntrustedModel):
        types_to_trust(as_stored(hidden), [])
    with pytest.raises(UntrustedModel):
        load_trusted(write_model(tmp_path / "model", hidden), [])


@pytest.mark.parametrize("found", ["cloudpickle", "pickle"])
def test_a_pickle_is_not_loaded_since_it_can_run_any_code(tmp_path: Path, found: str) -> None:
    folder = write_model(tmp_path / "model", OneHotEncoder(), serialization_format=found)
    for refuses in (load_trusted, require_as_written):
        with pytest.raises(
            UntrustedModel, match=f"serialization_format is '{found}'; allowed is 'skops', as a pickle can run"
        ):
            refuses(folder, [])


@pytest.mark.parametrize("flavors", [{}, {"pytorch": {}}, {"sklearn": {"serialization_format": "skops"}}])
def test_a_model_of_another_flavor_is_not_served(tmp_path: Path, flavors: dict[str, Any]) -> None:
    (tmp_path / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}))
    with pytest.raises(UntrustedModel):
        require_as_written(tmp_path, [])


names = st.text("abc.", min_size=1, max_size=5).filter(lambda name: name.strip("."))


@given(files=st.dictionaries(names, st.binary(max_size=9), min_size=1, max_size=4), data=st.data())
def test_the_digest_is_of_names_and_bytes(
    tmp_path_factory: pytest.TempPathFactory, files: dict, data: st.DataObject
) -> None:
    def folder_of(held: dict[str, bytes]) -> Path:
        folder = tmp_path_factory.mktemp("model")
        for name, content in held.items():
            (folder / name).write_bytes(content)
        return folder

    digest = artifact_digest(folder_of(files))
    assert artifact_digest(folder_of(dict(reversed(files.items())))) == digest
    name = data.draw(st.sampled_from(sorted(files)))
    others = {key: content for key, content in files.items() if key != name}
    for changed in (
        {**files, name: files[name] + b"x"},
        {**others, name + "d": files[name]},
        others,
        {**files, "new": b""},
    ):
        assert artifact_digest(folder_of(changed)) != digest


def test_the_digest_sees_files_in_folders_and_not_what_the_registry_and_python_add(with_code: Path) -> None:
    digest = artifact_digest(with_code)
    (with_code / "registered_model_meta").write_text("model_name: ferries")
    load_trusted(with_code, ["own_features.double"])
    assert artifact_digest(with_code) == digest
    (with_code / "code" / "own_features.py").write_text(OWN + "\n")
    assert artifact_digest(with_code) != digest


def test_compiled_code_that_no_digest_vouches_for_is_removed_before_it_can_be_run(
    with_code: Path, tmp_path: Path
) -> None:
    evil = tmp_path / "evil.py"
    evil.write_text("def double(rows):\n    raise SystemExit('run')\n")
    cache = Path(cache_from_source(str(with_code / "code" / "own_features.py")))
    cache.parent.mkdir(exist_ok=True)
    py_compile.compile(str(evil), str(cache), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    drop_compiled_code(with_code)
    assert not list(with_code.rglob("__pycache__"))
    assert (with_code / "code" / "own_features.py").read_text() == OWN


@pytest.mark.slow
def test_a_command_that_loads_no_model_does_not_wait_for_scikit_learn() -> None:
    program = "import sys, slipway.registry.history; sys.exit(bool({'skops', 'sklearn'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", program], env=child_environment({})).returncode == 0
