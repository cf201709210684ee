"""A version whose MLmodel has MLflow load something else than the judged model is not judged by a guarded server."""

from typing import TYPE_CHECKING

import pytest
from tests.helpers.asking import done, refused

from slipway.types import Stage

if TYPE_CHECKING:
    from conftest import Guarded


@pytest.mark.parametrize("stage", [Stage.STAGING, Stage.PRODUCTION])
def test_a_foreign_loader_is_refused_before_any_verdict_and_the_true_model_is_judged(
    server: "Guarded", stage: Stage
) -> None:
    name, (served, true, forged) = server.trained(False, False, True)
    champion = (1, served) if stage is Stage.PRODUCTION else None
    before = server.ledger(name).transitions()
    said = "loader_module is 'foreign_loader'; allowed is 'mlflow.sklearn'"
    refused(server.judged(name, 3, forged, stage, champion), said)
    assert server.ledger(name).transitions() == before
    verdicts = done(server.judged(name, 2, true, stage, champion))["verdicts"]
    assert verdicts and all(verdict["passed"] for verdict in verdicts), verdicts


def test_a_champion_that_mlflow_would_load_otherwise_cannot_be_compared_with(server: "Guarded") -> None:
    name, (served, true) = server.trained(True, False)
    verdicts = done(server.judged(name, 2, true, Stage.PRODUCTION, (1, served)))["verdicts"]
    failed = {verdict["gate"]: verdict["reason"] for verdict in verdicts if not verdict["passed"]}
    assert "loader_module is 'foreign_loader'" in failed["not_worse_than_champion"]
