"""A bundle is judged on the stored inputs; inputs that this very process has verified are not fetched again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from slipway.core.release.policy_gate import Rule
from slipway.core.release.transitions import Action
from slipway.core.spec import Experiment
from slipway.core.statistics.metrics import Outcome
from slipway.errors import Refusal
from slipway.registry.artifacts.models import signature_of
from slipway.registry.evidence.bundle import EvidenceBundle
from slipway.registry.evidence.rescoring import verified_rows
from slipway.registry.trust import DIGEST
from slipway.registry.versions import get_version
from slipway.types import Stage
from slipway.workflows.promotion.judged_inputs import Gathered, JudgedInputs
from slipway.workflows.promotion.registrar import LocalRegistrar

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")


@pytest.fixture
def gathered(
    store: MlflowClient,
    tested_run: Callable[..., tuple[str, dict[str, str]]],
    tmp_path: Path,
    declare: Callable[..., Experiment],
) -> Gathered:
    """A gathered bundle of version 1, whose files are stored nowhere any more."""
    experiment = declare(gates={"thresholds": {"roc_auc": 0.6}})
    run, evidence = tested_run(experiment)
    store.create_registered_model("small")
    gone = f"file://{tmp_path}/gone"
    version = store.create_model_version("small", gone, run, tags={DIGEST: "digest", **evidence})
    found = get_version(store, "small", int(version.version))
    files = tmp_path / "files"
    files.mkdir()
    Model(signature=signature_of(experiment, experiment.data.features)).save(str(files / "MLmodel"))
    (tmp_path / "rows").mkdir()
    rows, digest = verified_rows(store, found, tmp_path / "rows")
    truth = np.arange(8) % 2 * 1.0
    bundle = EvidenceBundle("small", 1, Stage.STAGING, "digest", Outcome(truth, truth, 0.1 + 0.8 * truth, True))
    return Gathered(bundle, JudgedInputs(found, files, rows, digest, rows.experiment, Rule("small")))


def test_what_was_gathered_here_is_judged_without_fetching_it_again(store: MlflowClient, gathered: Gathered) -> None:
    judgement = LocalRegistrar(store, "ci", gathered).judge("small", gathered.bundle)
    assert judgement.action is Action.JUDGE and "thresholds" in {verdict.gate for verdict in judgement.verdicts}


def test_a_case_that_came_from_elsewhere_is_held_against_what_is_stored(
    store: MlflowClient, gathered: Gathered
) -> None:
    for registrar, bundle in (
        (LocalRegistrar(store, "ci"), gathered.bundle),
        (LocalRegistrar(store, "ci", gathered), replace(gathered.bundle)),  # equal, and not the one that was gathered
    ):
        with pytest.raises((Refusal, MlflowException, OSError)):
            registrar.judge("small", bundle)
    store.set_model_version_tag("small", "1", DIGEST, "other files")
    with pytest.raises((Refusal, MlflowException, OSError)):
        LocalRegistrar(store, "ci", gathered).judge("small", gathered.bundle)


def test_the_weights_of_a_bundle_are_those_of_the_stored_rows(
    store: MlflowClient, gathered: Gathered, declare: Callable[..., Experiment]
) -> None:
    data = declare().as_dict()["data"] | {"weight": "minutes"}
    weighed = replace(gathered.inputs.rows, experiment=declare(data=data, gates={"thresholds": {"accuracy": 0.9}}))
    inputs = replace(gathered.inputs, rows=weighed)
    wrong = replace(gathered.bundle.challenger, predicted=np.where(np.arange(8) == 0, 1.0, np.arange(8) % 2))

    def judged(weights: np.ndarray | None) -> float:
        bundle = replace(gathered.bundle, challenger=replace(wrong, weights=weights))
        judgement = LocalRegistrar(store, "ci", Gathered(bundle, inputs)).judge("small", bundle)
        return next(each for each in judgement.verdicts if each.gate == "thresholds").numbers["accuracy"]

    assert judged(np.arange(8.0)) == 1.0  # the only wrong answer is of the row of weight 0
    for weights in (None, np.ones(8)):
        with pytest.raises(Refusal, match="weighs rows otherwise than version 1 declares"):
            judged(weights)
