"""What a notebook asks of a guarded server, with models that are put there past it."""

from typing import TYPE_CHECKING

import pytest
from tests.helpers.trained import ROWS

from slipway import Model
from slipway.errors import Refusal, UnknownName

if TYPE_CHECKING:
    from conftest import Guarded


@pytest.fixture
def model(server: "Guarded", monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model of two versions with files, the first of them in Production."""
    name, _ = server.trained(False, False)
    if who := server.who("pia"):
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", who[0])
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", who[1])
    return Model(name, tracking_uri=server.uri)


def test_versions_are_a_table_and_one_is_found_by_number_and_stage(model: Model) -> None:
    assert model.versions[["version", "stage"]].values.tolist() == [[2, "not in a stage yet"], [1, "Production"]]
    assert model.version().number == 1 and model.version(2).number == 2
    assert "not in a stage yet" in model._repr_html_()
    with pytest.raises(UnknownName, match="there is no stage 'Stagin'"):
        model.version("Stagin")


def test_rows_are_answered_by_production_which_is_loaded_once(model: Model) -> None:
    rows = ROWS.set_axis(range(100, 160))
    answers = model.predict(rows)
    assert answers.index.equals(rows.index) and answers.name == "prediction"
    loaded = model._loaded
    scored = model.score(rows)
    assert model._loaded is loaded
    assert scored["prediction"].equals(answers) and {"probability_0", "probability_1"} <= set(scored)


def test_a_promotion_takes_the_version_whose_turn_it_is(model: Model) -> None:
    with pytest.raises(UnknownName, match=r"there is no version of .* in 'Staging'"):
        model.promote("Production")
    moved = model.promote("staging", comment="its turn")
    assert (moved.version, moved.stage, moved.comment) == (2, "Staging", "its turn")
    assert "✓" in moved._repr_html_() and str(moved) == "version 2 → Staging"
    assert model.predict(ROWS.head(3), stage="Staging").shape == (3,)
    assert model._loaded is not None and model._loaded.scorable.version.number == 2
    judged = model.gates()
    assert judged.judgement.version == 2 and repr(judged) == str(judged) and judged.sheet.verdicts
    history = model.history()
    assert history.to_frame()["version"].tolist()[-1] == 2
    assert model.verify().entries >= len(history.transitions)


def test_a_refusal_is_the_commands_and_moves_nothing(model: Model) -> None:
    with pytest.raises(Refusal):
        model.promote("Staging", 1)  # it is in Production
    assert model.version("Production").number == 1


def test_a_comment_is_an_entry_of_the_ledger(model: Model) -> None:
    assert "commented on" in str(model.comment(2, "which days?"))
    assert model.history(comments=True).transitions[-1].comment == "which days?"


def test_a_model_that_is_not_there_is_named_with_the_nearest(model: Model) -> None:
    other = Model(f"{model.name}x", settings=model._settings)
    with pytest.raises(UnknownName, match=f"there is no registered model '{model.name}x'"):
        _ = other.versions
