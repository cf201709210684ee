"""MLflow's description of a version gets the findings of its judgement, and keeps what people wrote."""

from dataclasses import replace

import pytest
from mlflow import MlflowClient

from slipway.core.release.transitions import Action, Transition
from slipway.registry.same_model import same_model
from slipway.registry.trust import ANSWERS, DIGEST
from slipway.registry.versions import get_version
from slipway.types import Stage, Verdict
from slipway.workflows.promotion.decided import MOST_CHARACTERS, describe

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
JUDGED = Transition("small", Action.JUDGE, 1, Stage.PRODUCTION, "ci", 1, verdicts=(Verdict("slices", False, "worse"),))


def test_the_description_of_a_version_tells_its_judgement(store: MlflowClient) -> None:
    store.create_registered_model("small")
    store.create_model_version("small", "s3://models/1", description="Mine.")
    for _ in range(2):
        describe(store, JUDGED)
    text = store.get_model_version("small", "1").description
    assert text.endswith("\n\nMine.") and text.count("Refused by the gate slices.") == 1
    long = "x" * MOST_CHARACTERS
    store.update_model_version("small", "1", long)
    for judgement in (JUDGED, replace(JUDGED, verdicts=()), replace(JUDGED, version=9)):
        describe(store, judgement)
    assert store.get_model_version("small", "1").description == long


def test_an_earlier_version_with_the_same_files_or_answers_is_the_same_model(store: MlflowClient) -> None:
    store.create_registered_model("small")
    tags = [{DIGEST: "a", ANSWERS: "x"}, {DIGEST: "b"}, {DIGEST: "c", ANSWERS: "x"}, {DIGEST: "b"}, {}, {}]
    for each in tags:
        store.create_model_version("small", "s3://models/1", tags=each)
    assert [same_model(store, get_version(store, "small", n)) for n in range(1, 7)] == [None, None, 1, 2, None, None]
