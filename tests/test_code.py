import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

from slipway.code import importable, load_class, load_function, load_own
from slipway.errors import CodeInvalid


@pytest.fixture(autouse=True)
def modules_as_they_were() -> Iterator[None]:
    before = dict(sys.modules)
    yield
    sys.modules.clear()
    sys.modules.update(before)


def folder_with(folder: Path, **modules: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, code in modules.items():
        (folder / f"{name}.py").write_text(code)
    return folder


def test_two_folders_may_have_a_module_of_the_same_name_and_each_gets_its_own(tmp_path: Path) -> None:
    one = folder_with(
        tmp_path / "one", own_code="from own_part import WHERE\ndef where(): return WHERE", own_part="WHERE = 1"
    )
    two = folder_with(
        tmp_path / "two", own_code="from own_part import WHERE\ndef where(): return WHERE", own_part="WHERE = 2"
    )
    functions = [load_function(folder, "own_code:where") for folder in (one, two, one)]
    assert [function() for function in functions] == [1, 2, 1]


def test_a_package_of_the_folder_is_found_and_comes_before_one_of_the_same_name_elsewhere(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "one")
    folder_with(folder / "own_package", __init__="", inner="def f(): return 'own'")
    assert load_function(folder, "own_package.inner:f")() == "own"


def test_the_same_folder_again_gives_the_same_module_so_that_its_types_stay_the_same(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "one", own_code="class Ratio: pass")
    assert load_function(folder, "own_code:Ratio") is load_function(folder, "own_code:Ratio")


def test_the_search_path_is_as_it_was_also_after_a_failure(tmp_path: Path) -> None:
    before = list(sys.path)
    with pytest.raises(CodeInvalid):
        load_function(folder_with(tmp_path / "one", own_code="1 / 0"), "own_code:f")
    with pytest.raises(KeyError), importable(tmp_path):
        raise KeyError
    assert sys.path == before


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def laod(): pass", r"own_code.py has no function 'load'; did you mean 'laod'\? There is: laod"),
        ("load = 3", "has no function 'load'; there is none yet"),
        ("def _load(): pass", "there is none yet"),
        (
            "import no_such_thing.inner",
            "own_code:load: there is no module 'no_such_thing'.* `pip install no_such_thing`.* pin",
        ),
        ("import own_other", "own_code:load: there is no module 'own_other'"),
        ("raise RuntimeError('no')", "own_code:load: importing own_code failed: RuntimeError: no"),
        ("def load(:", "importing own_code failed: SyntaxError"),
    ],
)
def test_a_function_that_cannot_be_had_is_told_with_the_nearest_name(tmp_path: Path, code: str, said: str) -> None:
    with pytest.raises(CodeInvalid, match=said):
        load_function(folder_with(tmp_path / "one", own_code=code), "own_code:load")


def test_a_module_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(
        CodeInvalid, match="own_nothing:load: there is no module 'own_nothing'; did you mean 'own_nothin'"
    ) as told:
        load_function(folder_with(tmp_path / "one", own_nothin=""), "own_nothing:load")
    assert "pip install" not in str(told.value)


def test_a_class_is_had_by_its_import_path() -> None:
    assert load_class("sklearn.linear_model.LogisticRegression") is LogisticRegression


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("sklearn.linear_model.LogisticRegresion", "no class 'LogisticRegresion' in .*; did you mean 'LogisticRegression'"),
        ("sklearn.linaer_model.Ridge", "there is no module 'sklearn.linaer_model'; did you mean 'linear_model'"),
        ("no_such_package.of.Ridge", "there is no module 'no_such_package'.* install .* `pip install no_such_package`.* pin"),
        ("sklearn.linear_model.ridge_regression", "there is no class 'ridge_regression'"),
    ],
)  # fmt: skip
def test_a_class_that_does_not_exist_is_told_with_the_nearest_name(path: str, said: str) -> None:
    with pytest.raises(CodeInvalid, match=said):
        load_class(path)


def installed(folder: Path, name: str, entry_points: str, **modules: str) -> Path:
    """Make a folder that holds an installed package with its entry points, as pip leaves one."""
    info = folder_with(folder, **modules) / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)
    return folder


def test_a_name_without_a_colon_is_an_entry_point_of_its_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = "[slipway.metrics]\nprofit = shop_metrics:profit\n\n[slipway.gates]\nfair = shop_metrics:missing\n"
    made = installed(tmp_path / "site", "shop", points, shop_metrics="def profit(): return 7")
    monkeypatch.syspath_prepend(str(made))
    assert load_own(tmp_path, "profit", "metrics")() == 7
    with pytest.raises(CodeInvalid, match=r"'profti' in the group slipway\.metrics; did you mean 'profit'"):
        load_own(tmp_path, "profti", "metrics")
    with pytest.raises(
        CodeInvalid, match=r"no installed package has an entry point 'profit' in the group slipway\.gates"
    ):
        load_own(tmp_path, "profit", "gates")
    with pytest.raises(CodeInvalid, match="fair: importing shop_metrics:missing failed"):
        load_own(tmp_path, "fair", "gates")
    other = installed(tmp_path / "other", "rival", "[slipway.metrics]\nprofit = rival_metrics:profit\n")
    monkeypatch.syspath_prepend(str(other))
    with pytest.raises(CodeInvalid, match=r"several packages give it .*: rival_metrics:profit, shop_metrics:profit"):
        load_own(tmp_path, "profit", "metrics")


def test_a_name_with_a_colon_is_a_function_of_the_folder(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "one", own_ref="def profit(): return 3")
    assert load_own(folder, "own_ref:profit", "metrics")() == 3
