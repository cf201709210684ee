"""What follows from a task stands in one table, and each table that goes by tasks has them all."""

import pytest

from slipway.core.spec import ColumnType
from slipway.core.statistics.metrics import METRICS
from slipway.core.tasks import TRAITS, Task


def test_every_task_has_its_row() -> None:
    assert set(TRAITS) == set(Task)


@pytest.mark.parametrize("task", Task)
def test_what_a_task_names_is_there(task: Task) -> None:
    traits = task.traits
    assert set(traits.metrics) <= set(METRICS) and traits.knows[0] in traits.metrics
    assert set(traits.targets) <= {kind.value for kind in ColumnType}
    assert set(traits.figures_beside) <= set(traits.figures)


@pytest.mark.parametrize("task", Task)
def test_metrics_are_shown_in_the_order_of_all_metrics(task: Task) -> None:
    assert list(task.traits.metrics) == [name for name in METRICS if name in task.traits.metrics]


def test_every_metric_is_of_some_task() -> None:
    assert {name for traits in TRAITS.values() for name in traits.metrics} == set(METRICS)
