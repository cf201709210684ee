from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from slipway import Experiment
from slipway.errors import DataUnusable, SpecInvalid, UnknownName, UsageError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")  # the project is found above
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def loans(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    late = (rng.random(rows) < 0.3).astype(int)
    port = pd.Categorical(rng.choice(["hill", "mill"], rows))
    return pd.DataFrame({"late": late, "minutes": late * 1.2 + rng.normal(size=rows), "port": port})


def made(**more: Any) -> Any:
    return Experiment.from_frame(
        loans(), **{"target": "late", "name": "loans", "goal": "Say which <b> is late.", **more}
    )


@pytest.mark.slow
def test_a_frame_becomes_an_experiment_that_is_ready_to_run(project: Path) -> None:
    experiment = made(effort="fast", owner="desk@library.example")
    assert experiment.folder == project / "experiments" / "loans"
    assert list(pq.read_table(experiment.folder / "rows.parquet").column_names) == ["late", "minutes", "port"]
    declared = experiment.declaration
    assert (declared.task, declared.scope.owner) == ("binary", "desk@library.example")

    checked = experiment.check()
    assert repr(checked) == str(checked) and "loans is ready to run" in str(checked)
    assert checked.as_dict()["features"] == ["minutes", "port"]
    assert "Say which &lt;b&gt; is late." in checked._repr_html_()
    assert "Say which &lt;b&gt; is late." in Experiment.load("loans")._repr_html_()
    assert "guessed from the table" in experiment._repr_html_()


def test_an_index_with_a_name_becomes_a_column_and_names_become_texts(project: Path) -> None:
    frame = loans().rename(columns={"minutes": 7}).rename_axis("loan")
    experiment = Experiment.from_frame(frame, target="late", name="loans")
    assert list(pq.read_table(experiment.folder / "rows.parquet").column_names) == ["loan", "late", "7", "port"]
    assert experiment.declaration.data.id == "loan"


def test_a_name_that_is_taken_keeps_its_rows_and_says_how_to_write_over_them(project: Path) -> None:
    file = made().folder / "rows.parquet"
    before = file.read_bytes()
    with pytest.raises(UsageError, match="is there already; --force \\(in Python force=True\\) writes over it"):
        Experiment.from_frame(loans(200), target="late", name="loans")
    assert file.read_bytes() == before
    assert Experiment.from_frame(loans(200), target="late", name="loans", force=True).guessed is not None
    assert pq.read_table(file).num_rows == 200


def test_a_frame_that_cannot_be_an_experiment_leaves_nothing_behind(project: Path) -> None:
    with pytest.raises(UnknownName, match=r"there is no .*'lat'.*late"):
        made(target="lat")
    with pytest.raises(DataUnusable, match=r"port.*give each column a name of its own and values of one type"):
        Experiment.from_frame(loans().assign(port=["a", 1] * 150), target="late", name="loans")
    with pytest.raises(DataUnusable, match=r"late.*give each column a name of its own"):
        Experiment.from_frame(loans().rename(columns={"port": "late"}), target="late", name="loans")
    assert not list(project.glob("experiments/*/*"))


def test_an_option_that_is_none_is_refused_with_the_nearest(project: Path) -> None:
    with pytest.raises(UsageError, match="there is no option efort; did you mean 'effort'"):
        made(efort="fast")


def test_an_experiment_is_found_by_its_name_and_read_whole(project: Path) -> None:
    made()
    with pytest.raises(UnknownName, match="there is no experiment 'loan'; did you mean 'loans'"):
        Experiment.load("loan")
    file = Experiment.load("loans").folder / "experiment.yaml"
    file.write_text(file.read_text().replace("task: binary", "task: binery"))
    with pytest.raises(SpecInvalid, match=r"experiment.yaml:\d+: task: "):
        Experiment.load("loans")


def test_a_project_elsewhere_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made()
    monkeypatch.chdir("/")
    assert Experiment.load("loans", project=project).text.startswith("# From 300 rows")


@pytest.mark.slow
def test_an_edit_of_the_code_counts_in_the_same_process(project: Path) -> None:
    experiment = made()
    code, file = experiment.folder / "features.py", experiment.folder / "experiment.yaml"
    file.write_text(file.read_text().replace("{parquet: rows.parquet}", '{function: "features:load"}'))
    first = "import pandas as pd\ndef load():\n    return pd.read_parquet(__file__.replace('features.py', 'rows.parquet'))\n"
    code.write_text(first)
    assert experiment.check().as_dict()["rows"]["test"] == 60
    code.write_text(first.replace("'))", "')).head(100)"))
    assert experiment.check().as_dict()["rows"]["test"] == 20
