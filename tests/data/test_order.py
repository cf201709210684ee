from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from slipway.core.spec import Experiment
from slipway.data import fingerprint, in_order, split


@pytest.fixture
def frame() -> pd.DataFrame:
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "late": random.integers(0, 2, 200),
            "minutes": random.normal(size=200).round(1),
            "port": random.choice(["a", "b"], 200),
            "key": [f"k{i}" for i in range(200)],
            "at": pd.Timestamp("2026-01-01") + pd.to_timedelta(random.integers(0, 50, 200), unit="D"),
        }
    )


@pytest.mark.parametrize("given", [{}, {"id": "key"}, {"time": "at"}])
def test_rows_in_any_order_are_split_alike(
    declare: Callable[..., Experiment], frame: pd.DataFrame, given: dict[str, str]
) -> None:
    data = declare().as_dict()["data"]
    columns = {**data["columns"], "at": {"type": "datetime", "feature": False}}
    experiment = declare(data={**data, "columns": columns, **given})
    if "id" not in given:
        frame = frame.drop(columns="key")
    shuffled = frame.sample(frac=1, random_state=3)
    assert fingerprint(frame) == fingerprint(shuffled)
    for part, same in zip(
        split(in_order(frame, experiment.data), experiment).parts().values(),
        split(in_order(shuffled, experiment.data), experiment).parts().values(),
        strict=True,
    ):
        pd.testing.assert_frame_equal(part.reset_index(drop=True), same.reset_index(drop=True))


def test_by_the_id_the_order_does_not_change_with_another_column(
    declare: Callable[..., Experiment], frame: pd.DataFrame
) -> None:
    data = declare(data={**declare().as_dict()["data"], "id": "key"}).data
    more = frame.assign(wind=range(200))
    assert in_order(frame, data)["key"].tolist() == in_order(more, data)["key"].tolist()


def test_rows_keep_their_numbers(declare: Callable[..., Experiment], frame: pd.DataFrame) -> None:
    ordered = in_order(frame, declare().data)
    assert ordered.index.tolist() != frame.index.tolist()
    pd.testing.assert_frame_equal(ordered.sort_index(), frame)


def test_rows_with_a_time_are_in_its_order(declare: Callable[..., Experiment], frame: pd.DataFrame) -> None:
    data = declare().as_dict()["data"]
    columns = {**data["columns"], "at": {"type": "datetime"}}
    ordered = in_order(frame, declare(data={**data, "columns": columns, "time": "at"}).data)
    assert ordered["at"].is_monotonic_increasing
