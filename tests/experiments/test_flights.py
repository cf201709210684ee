"""The two shipped experiments, on the real flights: their contract, their split, and that no feature knows the future."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from slipway.code import load_function
from slipway.core.prediction import classes_of
from slipway.core.spec import Experiment, TimeSplit
from slipway.core.spec._yaml import read_experiment
from slipway.core.statistics.metrics import METRICS
from slipway.core.tasks import Task
from slipway.data import Splits, check_contract, read_source, split
from slipway.search import check_candidate, fit_baselines

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
HOUR = pd.Timedelta(hours=1)
# In UTC: a winter morning, the mornings after both changes of the clock, and the evening of a thunderstorm.
MOMENTS = ["2013-01-17 13:00", "2013-03-10 12:00", "2013-11-03 12:00", "2013-07-10 22:00"]

KnownInTime = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Shipped:
    """One of the experiments with its data: as the source gives it, and cut."""

    folder: Path
    experiment: Experiment
    frame: pd.DataFrame
    violations: list
    splits: Splits


@pytest.fixture(scope="module", params=["flight_delays", "airport_delay_minutes"])
def shipped(request: pytest.FixtureRequest) -> Shipped:
    folder = EXPERIMENTS / request.param
    experiment = read_experiment((folder / "experiment.yaml").read_text())
    raw = read_source(folder, experiment.name, experiment.data)
    frame, violations = check_contract(raw, experiment.data, now=datetime(2026, 1, 1))
    return Shipped(folder, experiment, frame, violations, split(frame, experiment))


@pytest.fixture(scope="module")
def tables(shipped: Shipped) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The raw flights and weather, as the experiment reads them."""
    flights, weather = load_function(shipped.folder, "features:read")()
    return flights, weather


@pytest.fixture(scope="module")
def known_in_time(shipped: Shipped) -> KnownInTime:
    return load_function(shipped.folder, "features:known_in_time")


def test_the_data_keeps_its_contract(shipped: Shipped) -> None:
    assert shipped.violations == []
    assert len(shipped.frame) > shipped.experiment.data.sla.min_rows


def test_no_row_that_is_tested_is_earlier_than_one_that_is_trained_on(shipped: Shipped) -> None:
    time = shipped.experiment.data.time
    train, validation, test = (part[time] for part in shipped.splits.parts().values())
    assert train.max() < validation.min() and validation.max() < test.min()
    assert test.min() >= pd.Timestamp("2013-07-01") and train.min() < pd.Timestamp("2013-01-02")
    assert sum(map(len, (train, validation, test))) == len(shipped.frame)


def test_the_split_is_by_time_so_that_a_shuffle_cannot_be_declared_by_a_slip(shipped: Shipped) -> None:
    assert isinstance(shipped.experiment.split, TimeSplit)
    shuffled = shipped.frame.sample(frac=1, random_state=0)
    assert split(shuffled, shipped.experiment).test.index.sort_values().equals(shipped.splits.test.index)


def test_every_feature_says_how_it_is_known_in_time(shipped: Shipped) -> None:
    data = shipped.experiment.data
    assert [name for name in data.features if not data.columns[name].known] == []


def test_goal_owner_thresholds_and_estimators_are_declared_and_can_be_built(shipped: Shipped) -> None:
    experiment = shipped.experiment
    assert experiment.name == shipped.folder.name and experiment.scope.owner and experiment.scope.decision
    assert experiment.search.metric in experiment.gates.thresholds
    for name in experiment.search.candidates:
        check_candidate(shipped.folder, experiment, name)


def test_the_experiments_own_rule_beats_the_constant_answer_on_the_test_rows(shipped: Shipped) -> None:
    experiment, test = shipped.experiment, shipped.splits.test
    classes = classes_of(shipped.frame[experiment.data.target], experiment.task)
    constant, rule = fit_baselines(shipped.folder, experiment, shipped.splits.train, classes)
    metric = METRICS[experiment.search.metric]
    rows, truth = test[list(experiment.data.features)], test[experiment.data.target]
    first, second = (metric.prepare(b.predict(rows, truth))(np.ones(len(test))) for b in (rule, constant))
    assert metric.better(first, second) > 0
    if experiment.task is Task.BINARY:
        assert second == 0.5 and first > 0.65


def erased(flights: pd.DataFrame, weather: pd.DataFrame, moment: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two tables without whatever happens at the moment or later.

    A flight that has not left has no departure delay. When those that have left will land is not known either, bar a few: all
    arrivals are erased. The weather of an hour is observed until minute 51 of it.
    """
    scheduled = pd.to_datetime(flights["time_hour"]) + pd.to_timedelta(flights["minute"], unit="m")
    left = scheduled + pd.to_timedelta(flights["dep_delay"], unit="m")
    flights = flights.assign(dep_delay=flights["dep_delay"].where(left < moment))
    observed_until = pd.to_datetime(weather["time_hour"]) + pd.Timedelta(minutes=51)
    flights = flights.assign(arr_delay=np.nan) if "arr_delay" in flights else flights
    return flights, weather[observed_until < moment]


def around(table: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    hours = pd.to_datetime(table["time_hour"])
    return table[(hours > moment - 40 * HOUR) & (hours < moment + 12 * HOUR)]


def changed_by_the_future(
    known: KnownInTime, tables: tuple[pd.DataFrame, pd.DataFrame], moment: str, features: tuple[str, ...]
) -> set[str]:
    """Which features of the rows of a moment are others when everything at that moment or later is erased."""
    at = pd.Timestamp(moment, tz="UTC")
    flights, weather = (around(table, at) for table in tables)
    with_future, without = known(flights, weather), known(*erased(flights, weather, at))
    rows = with_future["moment"] == at.tz_localize(None)
    assert rows.sum() >= 1 and rows.equals(without["moment"] == at.tz_localize(None))
    return {name for name in features if not with_future.loc[rows, name].equals(without.loc[rows, name])}


@pytest.mark.parametrize("moment", MOMENTS)
def test_no_feature_of_a_moment_changes_when_that_moment_and_all_after_it_is_erased(
    shipped: Shipped, tables: tuple[pd.DataFrame, pd.DataFrame], known_in_time: KnownInTime, moment: str
) -> None:
    features = (*shipped.experiment.data.features, shipped.experiment.data.time, shipped.experiment.data.id)
    assert changed_by_the_future(known_in_time, tables, moment, features) == set()


def test_what_would_know_the_future_is_found_by_that_very_check(
    shipped: Shipped, tables: tuple[pd.DataFrame, pd.DataFrame], known_in_time: KnownInTime
) -> None:
    """Leaks as they are made: delays and weather of the hour itself, and what is to be predicted."""

    def an_hour_too_late(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
        rows = known_in_time(flights, weather)
        return rows.assign(moment=rows["moment"] - HOUR)

    def of_the_row_itself(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
        rows = known_in_time(flights, weather)
        return rows.assign(departures_waiting=rows["dep_delay" if "dep_delay" in rows else "mean_delay_minutes"])

    features = shipped.experiment.data.features
    late = changed_by_the_future(an_hour_too_late, tables, MOMENTS[-1], features)
    assert late >= {"airport_delay_1h", "city_delay_1h", "departures_waiting", "temperature_f", "humidity_pct"}
    assert not late & {"origin", "weekday", "departures_scheduled"}
    assert changed_by_the_future(of_the_row_itself, tables, MOMENTS[-1], features) == {"departures_waiting"}


def test_the_rows_are_of_real_flights_and_their_ids_are_unique(shipped: Shipped) -> None:
    frame, data = shipped.frame, shipped.experiment.data
    assert frame[data.id].is_unique
    assert set(frame["origin"]) == {"EWR", "JFK", "LGA"}
    if shipped.experiment.task is Task.BINARY:
        assert len(frame) == 327_346  # 336,776 less the 9,430 that never arrived where they were bound
        assert frame["late"].mean() == pytest.approx(0.24, abs=0.02)
