"""Aliases, prompts and the mutex of transitions, as they are guarded in the registry."""

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import pytest
from mlflow.prompt.constants import IS_PROMPT_TAG_KEY
from tests.helpers.asking import ALL, REST, done, post, refused

from slipway.registry.mutex import exclusive

if TYPE_CHECKING:
    from conftest import Guarded

LOOK_S = 1.0


def test_an_alias_that_would_only_look_like_the_stages_is_not_set_and_can_be_taken_off(server: "Guarded") -> None:
    model = server.model()
    served = {"name": model, "version": "1"}
    for alias in ("Production", "PRODUCTION", "Staging"):
        refused(post(server, "registered-models/alias", **served, alias=alias), f"'{alias}' would not follow the stage")
    server.past.set_registered_model_alias(model, "Production", "1")
    asked = {"name": model, "alias": "Production"}
    done(server.ask("DELETE", f"{REST}/registered-models/alias", ALL, json=asked))
    assert server.state(model)[1] == {"production": 1}


def test_no_version_is_hidden_as_a_prompt(server: "Guarded") -> None:
    """MLflow's search, by which a champion is found, passes over all versions of what looks like a prompt."""
    model = server.model()
    before = server.state(model)
    prompt = {"key": IS_PROMPT_TAG_KEY, "value": "true"}
    for asked in (
        post(server, "model-versions/set-tag", name=model, version="2", **prompt),
        post(server, "registered-models/set-tag", name=model, **prompt),
        post(server, "model-versions/create", name=model, source="prompt-template", tags=[prompt]),
    ):
        refused(asked, f"'{model}' is a model and stays one")
    assert server.state(model) == before
    done(post(server, "registered-models/create", name="words", tags=[prompt]))
    for asked in (
        server.ask("DELETE", f"{REST}/registered-models/delete-tag", ALL, json={"name": "words", "key": prompt["key"]}),
        post(server, "registered-models/set-tag", name="words", key=prompt["key"], value="false"),
        post(server, "model-versions/create", name="words", source="s3://bucket/model"),
    ):
        refused(asked, "'words' is a prompt and stays one")


def test_nothing_is_put_into_the_mutex_of_transitions(server: "Guarded") -> None:
    name = "busy.moving"
    server.past.create_registered_model(name)
    tag = {"key": "mine", "value": "1"}
    for asked in (
        post(server, "model-versions/create", name=name, source="s3://bucket/model"),
        post(server, "registered-models/set-tag", name=name, **tag),
        post(server, "registered-models/create", name=f"{name} "),
    ):
        refused(asked, "is the mutex of a transition that is under way")
    server.past.delete_registered_model(name)


WAITING = {
    "an alias": ("POST", "registered-models/alias", {"version": "1", "alias": "production"}),
    "a version that is deleted": ("DELETE", "model-versions/delete", {"version": "2"}),
}


@pytest.mark.parametrize("what", WAITING)
def test_what_goes_with_the_stage_waits_for_a_transition_that_is_under_way(server: "Guarded", what: str) -> None:
    model = server.model()
    method, path, body = WAITING[what]
    with ThreadPoolExecutor(1) as pool:
        with exclusive(server.past, model):
            asked = pool.submit(server.ask, method, f"/api/2.0/mlflow/{path}", "pia", json={"name": model, **body})
            assert not wait([asked], LOOK_S).done
        assert asked.result().status_code == 200, asked.result().text


def test_the_list_of_versions_in_mlflow_s_ui_is_not_filled_with_digests_and_clients_get_all(server: "Guarded") -> None:
    name = server.model()
    listed = {"filter": f"name='{name}'"}
    tags = {}
    for api in ("api", "ajax-api"):
        answer = server.ask("GET", f"/{api}/2.0/mlflow/model-versions/search", params=listed).json()
        tags[api] = [{tag["key"] for tag in version.get("tags", ())} for version in answer["model_versions"]]
    assert tags == {"api": [{"slipway.artifact_digest"}] * 2, "ajax-api": [set()] * 2}
    version = server.ask("GET", f"/ajax-api/2.0/mlflow/model-versions/get?name={name}&version=1").json()
    assert [tag["key"] for tag in version["model_version"]["tags"]] == ["slipway.artifact_digest"]
