from mlflow.utils.validation import _validate_metric

from slipway.reports.card import CardFairness
from slipway.workflows.training.analysis import Findings


def test_a_difference_between_groups_is_a_metric_of_its_own_whatever_its_column_is_called() -> None:
    columns = (
        "port",
        "Größe [cm]",
        "Größe (cm)",
        "net sales",
        "net_sales",
        "a//b",
        "..",
        "% off",
        'the "best"',
        "x" * 250,
    )
    fairness = [CardFairness(name, (), {"demographic parity difference": at / 10}) for at, name in enumerate(columns)]
    metrics = Findings(fairness=tuple(fairness)).metrics()
    assert list(metrics.values()) == [at / 10 for at in range(len(columns))]
    assert metrics["demographic_parity_difference_port"] == 0.0
    for name, value in metrics.items():
        _validate_metric(name, value, 0, 0)
