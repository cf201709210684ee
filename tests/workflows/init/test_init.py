"""From a table to an experiment.yaml that runs as it is."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from slipway.core.spec import Experiment
from slipway.core.spec._yaml import read_experiment
from slipway.data.profile import Wishes
from slipway.errors import DataUnusable, UnknownName, UsageError
from slipway.settings import Settings
from slipway.workflows.init import InitReport, InitWishes, init
from slipway.workflows.project import declared
from slipway.workflows.training.prepare import check_code, prepare

_ROWS = 400


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "experiments").mkdir()
    return Settings(tmp_path, tmp_path / ".slipway")


def rides(rows: int = _ROWS) -> pd.DataFrame:
    random = np.random.default_rng(3)
    risk = random.random(rows)
    return pd.DataFrame(
        {
            "ride": np.arange(rows),
            "Net Sales": random.normal(9, 4, rows).round(2),
            "null": random.choice(["dry", "rain", "snow"], rows),
            "% off": np.where(random.random(rows) < 0.1, np.nan, (risk * 10).round(1)),
            "cancelled": (risk + random.normal(0, 0.4, rows) > 0.7).astype(int),
        }
    )


def start(
    settings: Settings, frame: pd.DataFrame, wishes: InitWishes | None = None, *, force: bool = False, **how: Any
) -> InitReport:
    frame.to_csv(settings.project / "rides.csv", index=False)
    data = {"url": str(settings.project / "rides.csv")}
    return init(settings, "rides", data, wishes or InitWishes("cancelled"), dry_run=how.get("dry", False), force=force)


def written(settings: Settings) -> Experiment:
    return declared(settings, "rides").experiment


def test_the_file_is_checked_as_it_is_and_its_data_keep_the_contract(settings: Settings) -> None:
    start(settings, rides())
    spec = declared(settings, "rides")
    check_code(spec)
    assert len(prepare(spec).frame) == _ROWS
    experiment = spec.experiment
    assert (experiment.task, experiment.data.positive, experiment.data.id) == ("binary", 1, "ride")
    assert experiment.data.features == ("Net Sales", "null", "% off")
    assert experiment.data.source.csv == "../../rides.csv"
    assert 0.5 < experiment.gates.thresholds["roc_auc"] < 0.6
    assert (experiment.split.method, experiment.search.effort) == ("random", "normal")


def test_rows_of_tomorrow_that_are_somewhat_beyond_those_of_today_keep_the_contract(settings: Settings) -> None:
    frame = rides()
    start(settings, frame)
    more = frame.assign(**{"Net Sales": frame["Net Sales"] * 1.4, "% off": frame["% off"].where(frame.index % 25 > 0)})
    more.to_csv(settings.project / "rides.csv", index=False)
    assert len(prepare(declared(settings, "rides")).frame) == _ROWS


def test_each_guess_has_its_reason_in_the_file_and_in_the_report(settings: Settings) -> None:
    report = start(settings, rides())
    told = report.as_dict()
    assert {guess["key"] for guess in told["guesses"]} >= {"source", "task", "positive", "id", "split", "metric"}
    assert all(guess["why"] for guess in told["guesses"] if guess["key"] != "goal")
    assert all(column["why"] for column in told["columns"] if column["role"] != "target")
    assert "task: binary  # cancelled has two values, 0 and 1" in report.text
    assert '"% off": {type: float, nulls: ' in report.text and "% missing" in report.text
    assert "goal" in str(report) and "slipway run rides" in str(report)


def test_a_column_that_gives_the_target_away_is_no_feature_and_told_first(settings: Settings) -> None:
    frame = rides()
    report = start(settings, frame.assign(refund=frame["cancelled"] * 20 + 1))
    assert not written(settings).data.columns["refund"].feature
    assert report.draft.profile.doubts[0].about == "refund"
    assert "gives the target away" in str(report).splitlines()[1]
    assert "refund" in report.text.splitlines()[5]
    prepare(declared(settings, "rides"))


def test_a_split_by_time_that_fits_no_part_is_replaced_with_the_reason(settings: Settings) -> None:
    frame = rides().sort_values("cancelled")  # the newest rows are all of one class
    report = start(settings, frame.assign(day=pd.date_range("2013-01-01", periods=_ROWS)))
    assert written(settings).split.method == "random"
    assert "does not fit" in report.draft.profile.split_why


def test_the_words_of_a_person_are_written_and_what_they_left_out_is_to_do(settings: Settings) -> None:
    start(settings, rides())
    assert written(settings).scope.goal.startswith("TODO") and written(settings).scope.owner is None
    wishes = InitWishes("cancelled", Wishes(metric="log_loss"), 'Say "no".', "Book: twice", "us@x.org", "mvp", "fast")
    start(settings, rides(), wishes, force=True)
    scope, search = written(settings).scope, written(settings).search
    assert (scope.goal, scope.decision, scope.owner, scope.maturity) == ('Say "no".', "Book: twice", "us@x.org", "mvp")
    assert (search.metric, search.effort) == ("log_loss", "fast")
    assert written(settings).sla.p99_ms


def test_a_maturity_whose_duties_are_not_given_is_refused_with_the_options(settings: Settings) -> None:
    with pytest.raises(UsageError, match="--decision and --owner"):
        start(settings, rides(), InitWishes("cancelled", maturity="mvp"))


def test_an_experiment_that_is_there_is_written_over_by_force_alone(settings: Settings) -> None:
    path = settings.experiments / "rides" / "experiment.yaml"
    path.parent.mkdir()
    path.write_text("mine")
    with pytest.raises(UsageError, match=r"--force .*writes over it"):
        start(settings, rides())
    start(settings, rides(), dry=True)
    assert path.read_text() == "mine"
    start(settings, rides(), force=True)
    assert written(settings).name == "rides"


def test_nothing_is_left_of_a_table_that_is_refused_and_of_a_dry_run(settings: Settings) -> None:
    report = start(settings, rides(), dry=True)
    assert read_experiment(report.text).name == "rides" and report.text in str(report)
    with pytest.raises(UnknownName, match="did you mean 'cancelled'"):
        start(settings, rides(), InitWishes("canceled"))
    with pytest.raises(DataUnusable, match="no column is left to learn from"):
        start(settings, rides()[["ride", "cancelled"]])
    with pytest.raises(UsageError, match="cannot name an experiment"):
        init(settings, "my rides", {"url": "rides.csv"}, InitWishes("cancelled"), dry_run=False, force=False)
    assert list(settings.experiments.iterdir()) == []


def test_a_file_outside_of_the_project_is_named_by_its_whole_path(settings: Settings, tmp_path_factory: Any) -> None:
    file = tmp_path_factory.mktemp("elsewhere") / "rides.csv"
    rides().to_csv(file, index=False)
    report = init(settings, "rides", {"url": str(file)}, InitWishes("cancelled"), dry_run=False, force=False)
    assert written(settings).data.source.csv == str(file)
    assert "this machine only" in report.text
    prepare(declared(settings, "rides"))


def test_a_database_is_named_from_the_working_directory_and_written_for_the_folder(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.closing(sqlite3.connect(settings.project / "rides.db")) as base:
        rides().to_sql("rides", base, index=False)
    monkeypatch.chdir(settings.project)
    data = {"url": "sqlite:///rides.db", "table": "rides"}
    init(settings, "rides", data, InitWishes("cancelled"), dry_run=False, force=False)
    assert written(settings).data.source.url == "sqlite:///../../rides.db"
    prepare(declared(settings, "rides"))


def test_the_format_of_a_folder_is_that_of_its_files(settings: Settings) -> None:
    folder = settings.project / "rides"
    folder.mkdir()
    (folder / "_SUCCESS").touch()
    rides().to_parquet(folder / "part-0.parquet")
    data = {"url": str(folder)}
    init(settings, "rides", data, InitWishes("cancelled"), dry_run=False, force=False)
    prepare(declared(settings, "rides"))
    rides().to_csv(folder / "part-1.csv")
    with pytest.raises(UsageError, match="holds files of csv, parquet; name one by --format"):
        init(settings, "rides", data, InitWishes("cancelled"), dry_run=False, force=True)
    init(settings, "rides", {**data, "format": "parquet"}, InitWishes("cancelled"), dry_run=False, force=True)
    assert len(prepare(declared(settings, "rides")).frame) == _ROWS


def test_forms_of_numbers_times_and_marks_are_declared(settings: Settings) -> None:
    frame = rides().assign(
        fee=[f"{i % 9 + 1}.{i % 1000:03},{i % 100:02} €" for i in range(_ROWS)],
        born=pd.date_range("1980-01-01", periods=_ROWS, freq="9D").strftime("%d.%m.%Y"),
        age=[str(20 + i % 60) if i % 50 else "?" for i in range(_ROWS)],
    )
    text = start(settings, frame).text
    experiment = read_experiment(text)
    assert experiment.data.source.nulls == ["?"]
    assert (experiment.data.columns["fee"].unit, experiment.data.columns["fee"].decimal) == ("€", ",")
    assert experiment.data.columns["born"].format == "%d.%m.%Y"
    assert experiment.data.columns["age"].nulls > 0.02


def test_the_guesses_are_tried_on_the_parts_that_a_run_has(settings: Settings) -> None:
    rows = rides(300)
    names, random = [f"near{i}" for i in range(40)], np.random.default_rng(11)
    near = {name: np.where(random.random(300) < 0.035, 1 - rows["cancelled"], rows["cancelled"]) for name in names}
    report = start(settings, rows.assign(**near))
    features = written(settings).data.features
    assert 0 < sum(name in features for name in names) < len(names)  # some are above the bound, and some below it
    prepare(declared(settings, "rides"))
    doubts = [str(doubt) for doubt in report.draft.profile.doubts]
    assert len(doubts) == len(set(doubts))


@pytest.mark.parametrize("columns", [150, pytest.param(1_999, marks=pytest.mark.release)])
def test_a_wide_table_has_a_line_for_each_column(settings: Settings, columns: int) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(100, columns)).round(2)).add_prefix("x")
    report = start(settings, frame.assign(cancelled=np.arange(100) % 2))
    lines = report.text.splitlines()
    assert len(lines) < columns + 100 and max(map(len, lines)) < 250
    assert len(written(settings).data.features) == columns


def test_forty_classes_and_a_class_with_one_row_are_told(settings: Settings) -> None:
    classes = [f"class {i % 39}" for i in range(_ROWS - 1)] + ["class 39"]
    report = start(settings, rides().assign(cancelled=classes))
    assert written(settings).task == "multiclass"
    said = str(report)
    assert "40 classes" in said and "'class 39' (1)" in said


def test_numbers_in_the_marks_of_the_file_are_tried_and_written_as_the_run_reads_them(settings: Settings) -> None:
    frame = rides()
    rent = np.random.default_rng(5).uniform(1, 9, _ROWS)
    commas = {"rent": [f"{each:.3f}".replace(".", ",") for each in rent], "share": (rent / 10).round(3).astype(str)}
    frame = frame.assign(rent=commas["rent"], share=[each.replace(".", ",") for each in commas["share"]])
    frame["Net Sales"] = frame["Net Sales"].astype(str).str.replace(".", ",")
    frame["% off"] = frame["% off"].astype("str").str.replace(".", ",").where(frame["% off"].notna())
    path = settings.project / "rides.csv"
    frame.to_csv(path, index=False, sep=";")
    report = init(settings, "rides", {"url": str(path)}, InitWishes("cancelled"), dry_run=False, force=False)
    assert "not of type" not in str(report)
    spec = declared(settings, "rides")
    assert spec.experiment.gates.thresholds  # the guesses were tried to the end
    read = prepare(spec).frame
    assert sorted(read["rent"]) == sorted(rent.round(3))
    assert sorted(read["share"]) == sorted((rent / 10).round(3))
