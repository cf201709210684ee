"""The types that a registered version may hold, also while the working copy of its declaration is broken."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

from slipway.core.spec import Experiment
from slipway.registry.versions import Version, get_version
from slipway.registry.watch import Followed
from slipway.settings import Settings
from slipway.workflows.project import followed_version, trusted_types

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
OPERATORS, OWN, REGISTERED = "operators.Type", "features.ratio", "features.registered"


def with_types(declare: Callable[..., Experiment], *types: str) -> Experiment:
    return declare(search={**declare().as_dict()["search"], "trusted_types": list(types)})


@pytest.fixture
def settings(tmp_path: Path, store: MlflowClient) -> Settings:
    return Settings(tmp_path, tmp_path / "home", store.tracking_uri, trusted_types=(OPERATORS,))


@pytest.fixture
def client(
    store: MlflowClient, tested_run: Callable[..., tuple[str, dict[str, str]]], declare: Callable[..., Experiment]
) -> MlflowClient:
    """A store with version 1, which was declared with types of its own, and version 2, of which nothing is known."""
    run, evidence = tested_run(with_types(declare, REGISTERED))
    store.create_registered_model("small")
    store.create_model_version("small", "s3://models/1", run, tags=evidence)
    store.create_model_version("small", "s3://models/2", run)
    return store


def declared_here(settings: Settings, text: str) -> None:
    folder = settings.experiments / "small"
    folder.mkdir(parents=True)
    (folder / "experiment.yaml").write_text(text)


def version(client: MlflowClient, number: int) -> Callable[[], tuple[MlflowClient, Version]]:
    return lambda: (client, get_version(client, "small", number))


def never() -> tuple[MlflowClient, Version]:
    raise AssertionError("no registry is to be asked")


def test_the_types_are_the_operators_and_those_that_the_project_declares(
    settings: Settings, declare: Callable[..., Experiment]
) -> None:
    assert trusted_types(settings, "small", never) == (OPERATORS,)
    declared_here(settings, yaml.safe_dump(with_types(declare, OWN).as_dict()))
    assert trusted_types(settings, "small", never) == (OPERATORS, OWN)


@pytest.mark.parametrize("text", ["name: [", "name: small\nsearch: {trusted_types: [evil.Type]}\n", "\x00", ""])
def test_while_the_working_copy_is_broken_what_was_registered_counts(
    settings: Settings, client: MlflowClient, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    followed = Followed("small", version=1)
    declared_here(settings, text)
    assert trusted_types(settings, "small", version(client, 1)) == (OPERATORS, REGISTERED)
    assert "the declaration that the version was registered with counts" in capsys.readouterr().err
    assert trusted_types(settings, "small", lambda: followed_version(settings, followed)) == (
        OPERATORS,
        REGISTERED,
    )
    assert trusted_types(settings, "small", version(client, 2)) == (OPERATORS,)
    assert trusted_types(settings, "small") == (OPERATORS,)


def test_what_was_changed_since_it_was_registered_does_not_count(settings: Settings, client: MlflowClient) -> None:
    declared_here(settings, "name: [")
    run = get_version(client, "small", 1).run_id
    client.log_text(run, client_text(client, run).replace(REGISTERED, "evil.Type"), "experiment.json")
    assert trusted_types(settings, "small", version(client, 1)) == (OPERATORS,)


def client_text(client: MlflowClient, run: str) -> str:
    return Path(client.download_artifacts(run, "experiment.json")).read_text()
