"""The files of a model are held to what `log_model` writes: each other MLmodel is refused, or loads the same model."""

import copy
import os
import shutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tests.helpers.trained import SPEC

from slipway.code import load_function
from slipway.core.spec import Experiment
from slipway.errors import UntrustedModel
from slipway.registry.artifacts.contract import contract_of
from slipway.registry.artifacts.mlmodel import departures
from slipway.registry.artifacts.models import download, log_model
from slipway.registry.artifacts.shadows import shadowed
from slipway.registry.trust import TRUSTED_TYPES, load_trusted, require_as_written, require_no_compiled_code
from slipway.tracking.client import connect

pytestmark = [
    pytest.mark.slow,  # the file, more than each of its tests
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
]
OWN = ["own_features.double"]
TRUSTED = TRUSTED_TYPES | set(OWN)
ROWS = pd.DataFrame({"minutes": np.linspace(-1.0, 1.0, 40)})
TRUTH = np.arange(40) % 2
EVIL = "import os\nos.environ['MLMODEL_RAN'] = __name__\ndef _load_pyfunc(path, *more):\n    raise SystemExit(path)\n"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> dict[bool, Path]:
    """The folders of two models that Slipway logged: whether code of the experiment travels with it → folder."""
    base = tmp_path_factory.mktemp("written")
    client = connect(f"sqlite:///{shutil.copy(migrated_database, base / 'mlflow.db')}")
    experiment = client.create_experiment("small", artifact_location=str(base / "runs"))
    own = base / "own"
    own.mkdir()
    (own / "own_features.py").write_text("def double(rows):\n    return rows * 2\n")
    (own / "gates.py").write_text("")
    of_code = FunctionTransformer(load_function(own, "own_features:double"))
    folders = {}
    for code in (False, True):
        pipeline = make_pipeline(*([of_code] if code else []), LogisticRegression()).fit(ROWS, TRUTH)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow has its own with pandas 3
            uri = log_model(
                client.create_run(experiment).info.run_id,
                pipeline,
                Experiment.model_validate(DECLARED),
                ROWS.head(3),
                contract=contract_of(Experiment.model_validate(DECLARED), ROWS),
                code=sorted(own.glob("*.py")) if code else (),
                trusted=OWN if code else (),
            )
        folders[code] = download(uri, base / str(code))
    return folders


# What a dialect of its own adds to a contract is allowed too.
DATA = SPEC["data"] | {
    "source": {"csv": "rows.csv", "sep": ";", "decimal": ","},
    "columns": {"late": {"type": "int"}, "minutes": {"type": "float", "unit": "min"}},
}
DECLARED = SPEC | {"data": DATA}


@pytest.fixture
def folder(written: dict[bool, Path], tmp_path: Path) -> Path:
    return shutil.copytree(written[True], tmp_path / "model")


def change(folder: Path, turn: Callable[[Any], Any], file: str = "MLmodel") -> None:
    content = yaml.safe_load((folder / file).read_text())
    turn(content)
    (folder / file).write_text(yaml.safe_dump(content))


@pytest.mark.parametrize("code", [False, True])
def test_what_slipway_writes_is_as_slipway_writes_it(written: dict[bool, Path], code: bool) -> None:
    assert departures(written[code], TRUSTED) == []
    require_no_compiled_code(written[code])
    assert load_trusted(written[code], OWN).predict(ROWS).shape == (40,)


def test_what_older_releases_wrote_is_as_slipway_writes_it(folder: Path) -> None:
    """Before models carried a contract there were no metadata, and every model was pinned to the same six libraries."""
    change(folder, lambda said: said.pop("metadata"))
    assert departures(folder, TRUSTED) == []


def of_flavor(flavor: str, **keys: Any) -> Callable[[Any], Any]:
    return lambda said: said["flavors"][flavor].update(keys)


FOREIGN = {
    "another loader": (of_flavor("python_function", loader_module="evil"), "loader_module is 'evil'; allowed is 'mlflow.sk"),
    "another method": (of_flavor("python_function", predict_fn="predict_proba"), "predict_fn is 'predict_proba'"),
    "another file": (of_flavor("python_function", model_path="other.skops"), "model_path is 'other.skops'; allowed is 'model"),
    "a file elsewhere": (of_flavor("sklearn", pickled_model="../model.skops"), "pickled_model is '../model.skops'"),
    "data": (of_flavor("python_function", data="data"), "has the key 'data'; allowed are code, env, loader_module"),
    "code elsewhere": (of_flavor("python_function", code="/tmp"), "code is '/tmp'; allowed is code, or nothing"),
    "code of one flavor": (of_flavor("sklearn", code=None), "the flavors name different folders of code"),
    "a pickle": (of_flavor("sklearn", serialization_format="pickle"), "'pickle'; allowed is 'skops', as a pickle can run"),
    "an environment": (of_flavor("python_function", env="my.yaml"), "env is 'my.yaml'; allowed is {'conda': 'conda.yaml'"),
    "a configuration": (of_flavor("python_function", config={"a": 1}), "has the key 'config'"),
    "a third flavor": (lambda said: said["flavors"].update(pytorch={}), "allowed is the flavors python_function and sklearn"),
    "no flavor": (lambda said: said["flavors"].pop("sklearn"), "allowed is the flavors python_function and sklearn"),
    "no format": (lambda said: said["flavors"]["sklearn"].pop("serialization_format"), "has no serialization_format"),
    "a type": (of_flavor("sklearn", skops_trusted_types=["os.system"]), r"\['os.system'\]; .*search.trusted_types of exp"),
    "metadata": (lambda said: said["metadata"].update(x="1"), "metadata is .* allowed is slipway.contract"),
    "resources": (lambda said: said.update(resources={"api_version": "1"}), "has the key 'resources'"),
    "an auth policy": (lambda said: said.update(auth_policy={}), "has the key 'auth_policy'"),
    "params": (lambda said: said["signature"].update(params="[]"), "signature is .* and no params"),
    "an empty signature": (lambda said: said.update(signature={}), "signature is {}; allowed is columns"),
    "no columns": (lambda said: said["signature"].update(inputs="[]"), "signature is .*; allowed is columns"),
    "an example elsewhere": (
        lambda said: said["saved_input_example_info"].update(artifact_path="../x.json"),
        "saved_input_example_info is",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FOREIGN)
def test_an_mlmodel_that_names_anything_else_is_refused(folder: Path, what: str) -> None:
    turn, said = FOREIGN[what]
    change(folder, turn)
    with pytest.raises(UntrustedModel, match=f"not as Slipway writes them: .*{said}.*`slipway run` trains a version"):
        require_as_written(folder, OWN)
    with pytest.raises(UntrustedModel):
        load_trusted(folder, OWN)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("flavors: {}\nflavors: {}\n", "the key 'flavors' twice"),
        ("a: &a [1]\nflavors: *a\n", "an alias"),
        ("<<: {flavors: {}}\n", "a key that is no plain text"),
        ("flavors: !!python/object/apply:os.system ['true']\n", "could not determine a constructor"),
        ("a: " + "[" * 3000 + "]" * 3000, "RecursionError"),
        ("prompts: [" + "[]," * 20_000 + "]", "more than 20,000 values"),
        ("--- {}\n--- {}\n", "expected a single document"),
        ("flavors\n", "allowed is a table of"),
    ],
)
def test_yaml_that_two_readers_may_take_differently_is_refused(folder: Path, text: str, said: str) -> None:
    (folder / "MLmodel").write_text(text)
    assert said in departures(folder, TRUSTED)[0]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("python_model.pkl", "it holds 'python_model.pkl', which MLmodel does not name"),
        ("code/evil.pth", "it holds 'code/evil.pth'"),
        ("code/deep/evil.py", "it holds 'code/deep'"),
        ("code/joblib.py", "code/joblib.py takes the place of joblib, which loading a model needs"),
        ("code/json.py", "code/json.py takes the place of Python's own json"),
        ("code/sitecustomize.py", "code/sitecustomize.py takes the place of"),
        ("artifacts/x.bin", "it holds 'artifacts'"),
        ("environment_variables.txt", "it holds 'environment_variables.txt'"),
    ],
)
def test_a_file_that_nothing_names_is_refused(folder: Path, name: str, said: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("")
    assert said in "\n".join(departures(folder, TRUSTED))


def test_links_missing_files_and_compiled_code_are_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "code/__pycache__").mkdir()
    assert departures(folder, TRUSTED) == []  # Python writes it where a model was loaded
    with pytest.raises(UntrustedModel, match="hold code/__pycache__, compiled code that Slipway does not store"):
        require_no_compiled_code(folder)
    (folder / "code/gates.py").unlink()
    (folder / "code/gates.py").symlink_to(tmp_path)
    (folder / "python_env.yaml").unlink()
    found = "\n".join(departures(folder, TRUSTED))
    assert "code/gates.py is a link" in found and "it has no python_env.yaml" in found


@pytest.mark.parametrize(
    "line",
    ["-r other.txt", "-i http://x", "-e .", "git+https://x/y", "x @ file:///y", "./x", "https://x/y.whl",
     "--pre", "x==1 --hash=sha256:0", "x; python_version > '3'", "x\\", "x==1 # y", "-c constraints.txt"],
)  # fmt: skip
def test_requirements_name_packages_of_the_index_and_nothing_else(folder: Path, line: str) -> None:
    path = folder / "requirements.txt"
    path.write_text(f"{path.read_text()}\n{line}")
    change(folder, lambda said: said["dependencies"][-1]["pip"].append(line), "conda.yaml")
    assert any(f"requirements.txt has the line {line!r}" in each for each in departures(folder, TRUSTED))


@pytest.mark.parametrize(
    ("file", "turn"),
    [
        ("conda.yaml", lambda said: said.update(channels=["http://x"])),
        ("conda.yaml", lambda said: said["dependencies"].insert(0, "evil")),
        ("conda.yaml", lambda said: said["dependencies"][-1]["pip"].append("evil")),
        ("conda.yaml", lambda said: said.update(variables={"PYTHONPATH": "/tmp"})),
        ("python_env.yaml", lambda said: said["build_dependencies"].append("-i http://x")),
        ("python_env.yaml", lambda said: said["dependencies"].append("evil")),
        ("python_env.yaml", lambda said: said.update(python="3.11; rm")),
    ],
)
def test_the_environment_files_ask_for_nothing_beyond_the_requirements(
    folder: Path, file: str, turn: Callable[[Any], Any]
) -> None:
    change(folder, turn, file)
    assert departures(folder, TRUSTED)[0].startswith(f"{file} is ")


def test_a_name_of_an_experiments_own_file_takes_no_place() -> None:
    assert [shadowed(name) for name in ("features", "gates", "pipeline", "own_features")] == [""] * 4
    assert shadowed("sklearn") == "scikit-learn"


VALUES = ("evil", "code", "code/evil", "../model", "/", ".", "pickle", "cloudpickle", "predict_proba", "mlflow.pyfunc",
          "mlflow.pyfunc.model", "os", "MLmodel", "requirements.txt", "3.11.7", "0.0.1")  # fmt: skip
KEYS = ("data", "code", "config", "env", "loader_module", "predict_fn", "streamable", "model_code_path", "resources",
        "auth_policy", "env_vars", "databricks_runtime", "metadata", "python_model")  # fmt: skip
plain = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.text(max_size=5), st.sampled_from(VALUES))
values = st.one_of(plain, st.builds(dict), st.builds(list), st.builds(lambda: {"evil": "evil"}), st.just(["evil"]))
steps = st.tuples(st.integers(0, 10_000), st.sampled_from(["set", "add", "drop"]), values, st.sampled_from(KEYS))


@st.composite
def mutations(draw: st.DrawFn) -> Callable[[Any], None]:
    """A change of one to three places of an MLmodel: another value, another key, or none."""
    taken = draw(st.lists(steps, min_size=1, max_size=3))

    def turn(said: Any) -> None:
        for which, how, value, key in taken:
            places = list(tables(said))
            table = places[which % len(places)]
            names = sorted(table) or [key]
            if how == "add":
                table[key] = copy.deepcopy(value)
            elif how == "set":
                table[names[which % len(names)]] = copy.deepcopy(value)
            else:
                table.pop(names[which % len(names)], None)

    return turn


def tables(said: Any) -> Any:
    if isinstance(said, dict):
        yield said
        for value in list(said.values()):
            yield from tables(value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turn=mutations())
def test_every_change_of_an_mlmodel_is_refused_or_loads_the_same_model(
    written: dict[bool, Path], tmp_path_factory: pytest.TempPathFactory, turn: Callable[[Any], None]
) -> None:
    folder = shutil.copytree(written[False], tmp_path_factory.mktemp("changed") / "model")
    change(folder, turn)
    try:
        require_as_written(folder, OWN)
    except UntrustedModel:
        return
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in written[False].iterdir())
    before = list(sys.path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = mlflow.pyfunc.load_model(str(folder))
    assert sys.path == before
    model = load_trusted(written[False], [])
    assert np.array_equal(loaded.get_raw_model().predict_proba(ROWS), model.predict_proba(ROWS))
    assert np.array_equal(loaded.predict(ROWS), model.predict(ROWS))


def test_a_foreign_loader_runs_in_mlflow_and_not_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLMODEL_RAN", "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    (folder / "code/mlmodel_evil.py").write_text(EVIL)
    change(folder, of_flavor("python_function", loader_module="mlmodel_evil"))
    with pytest.raises(UntrustedModel):
        load_trusted(folder, OWN)
    assert os.environ["MLMODEL_RAN"] == ""
    with pytest.raises(SystemExit), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.pyfunc.load_model(str(folder))
    assert os.environ["MLMODEL_RAN"] == "mlmodel_evil"
