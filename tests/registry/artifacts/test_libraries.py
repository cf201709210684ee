import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from slipway.code import load_function
from slipway.registry.artifacts.libraries import ALWAYS, libraries_in, pinned
from slipway.registry.trust import as_stored

ROWS, TRUTH = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
LIBRARY = """
from sklearn.linear_model import LogisticRegression


class Boosted(LogisticRegression):
    pass


def double(rows):
    return rows * 2
"""
ALWAYS_PINNED = [f"{name}=={version(name)}" for name in ALWAYS]


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two distributions that no lock names: one whose module has another name, and one that shares its top with another."""
    site = tmp_path / "site"
    for name, module in (("Made-Up-Boosting", "made_up"), ("shared-one", "shared/one"), ("shared-two", "shared/two")):
        folder = site / module
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(LIBRARY)
        about = site / f"{name.replace('-', '_')}-4.7.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 4.7.0\n")
        (about / "RECORD").write_text(f"{module}/__init__.py,,\n{about.name}/METADATA,,\n{about.name}/RECORD,,\n")
    monkeypatch.syspath_prepend(site)
    for module in ("made_up", "shared", "shared.one", "shared.two"):
        monkeypatch.delitem(sys.modules, module, raising=False)


def test_a_pipeline_of_scikit_learn_is_pinned_to_what_every_model_needs() -> None:
    assert pinned(as_stored(make_pipeline(LogisticRegression()).fit(ROWS, TRUTH)), ()) == ALWAYS_PINNED


def test_the_library_of_each_type_is_pinned_at_the_version_that_is_installed() -> None:
    import made_up
    from shared.two import double

    fitted = make_pipeline(FunctionTransformer(double), made_up.Boosted()).fit(ROWS, TRUTH)
    assert pinned(as_stored(fitted), ()) == [*ALWAYS_PINNED, "Made-Up-Boosting==4.7.0", "shared-two==4.7.0"]


def test_what_the_code_that_travels_imports_is_pinned_too_but_for_the_code_itself(tmp_path: Path) -> None:
    code = tmp_path / "model" / "code"
    code.mkdir(parents=True)
    (code / "own_features.py").write_text(
        "import json, own_part\nfrom . import nothing\nimport not_installed.at_all\nimport slipway.errors\n"
        "def double(rows):\n    from made_up import double as twice\n    return twice(rows)\n"
    )
    (code / "own_part.py").write_text("import shared.one as one\n")
    (code / "broken.py").write_text("def (:\n")
    files = sorted(code.glob("*.py"))
    (code / "not_installed").mkdir()
    fitted = make_pipeline(LogisticRegression()).fit(ROWS, TRUTH)
    assert pinned(as_stored(fitted), files) == [*ALWAYS_PINNED, "Made-Up-Boosting==4.7.0", "shared-one==4.7.0"]


def test_the_libraries_of_a_stored_model_are_found_in_its_files_whatever_it_was_pinned_to(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "own_features.py").write_text("import made_up\nfrom made_up import double\n")
    fitted = make_pipeline(FunctionTransformer(load_function(code, "own_features:double"))).fit(ROWS)
    (tmp_path / "model.skops").write_bytes(as_stored(fitted))
    flavor = {"pickled_model": "model.skops", "code": "code", "serialization_format": "skops"}
    (tmp_path / "MLmodel").write_text(yaml.safe_dump({"flavors": {"sklearn": flavor}}))
    found = libraries_in(tmp_path)
    assert "Made-Up-Boosting" in found and "scikit-learn" in found
