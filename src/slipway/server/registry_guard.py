"""The registry as MLflow's endpoints see it. Every way to the registry ends in this store, which refuses to all alike."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from flask import has_request_context, request
from mlflow.entities.model_registry import ModelVersion, ModelVersionTag, RegisteredModelTag
from mlflow.entities.model_registry.model_version_stages import get_canonical_stage
from mlflow.exceptions import MlflowException
from mlflow.prompt.constants import IS_PROMPT_TAG_KEY
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

from slipway.core.lookalikes import unseen
from slipway.core.release.ledger import stages_after
from slipway.errors import Refusal
from slipway.registry.mutex import exclusive
from slipway.registry.permissions import Operation, not_allowed
from slipway.registry.trust import AUTHOR, MADE_BY
from slipway.server._mlflow import is_prompt, tracking_store
from slipway.server.own_stores import OwnStores
from slipway.server.reserved_names import BORN_WITH, guarded_alias, is_mutex, is_ours, unusable
from slipway.server.version_sources import is_slipways, made_here, makers, model_names
from slipway.tracking.users import EVERY_MODEL
from slipway.types import HELD_STAGES, Stage


class GuardedRegistry(SqlAlchemyStore):  # type: ignore[misc]
    """MLflow's registry, in which only the registrar moves stages and only Slipway writes tags of evidence.

    A refusal raises PERMISSION_DENIED, which MLflow answers with status 403 and the reason.
    """

    def __init__(self, stores: OwnStores, uri: str) -> None:
        super().__init__(uri)
        self._stores = stores

    def transition_model_version_stage(
        self, name: str, version: str, stage: str, archive_existing_versions: bool
    ) -> ModelVersion:
        """Move a version as Slipway does: by the judgement that stands, with an entry in the ledger and the alias in step."""
        target, present = Stage(get_canonical_stage(stage)), self.get_model_version(name, version)
        number = int(present.version)
        if present.current_stage == target.value:
            return present
        self._require(Operation.PROMOTE, name)
        if target is Stage.NONE:
            refuse(f"a version that held a stage leaves it for Archived alone: `slipway archive {name} {number}`")
        if target in HELD_STAGES and not archive_existing_versions and self.get_latest_versions(name, [target.value]):
            refuse(
                f"{target} has one holder: say archive_existing_versions=True, or `slipway promote {name} {number} {target}`"
            )
        try:
            if target is Stage.ARCHIVED:
                self._stores.registrar.archive(name, number, _BY_MLFLOW)
            else:
                self._stores.registrar.promote(name, number, target, _BY_MLFLOW)
        except Refusal as error:
            refuse(str(error))
        return self.get_model_version(name, version)

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        _require_no_mutex(name)
        stage = self._stage_of(name, alias)
        if stage is None:
            if reason := unusable("alias", alias, self.get_registered_model(name).aliases):
                refuse(reason)
            super().set_registered_model_alias(name, alias, version)
            return
        if alias != stage.lower():
            refuse(
                f"the alias '{alias}' would not follow the stage as '{stage.lower()}' does; use that alias, or another name"
            )
        with self._at_rest(name):
            named = self.get_model_version(name, version)
            if named.current_stage != stage.value:
                refuse(
                    f"the alias '{alias}' goes with the stage, and version {named.version} is "
                    f"{Stage(named.current_stage).place}; "
                    f"`slipway promote {name} {named.version} {stage}` moves both"
                )
            super().set_registered_model_alias(name, alias, version)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        _require_no_mutex(name)
        stage = self._stage_of(name, alias)
        if stage is None or (alias != stage.lower() and alias in self.get_registered_model(name).aliases):
            super().delete_registered_model_alias(name, alias)
            return
        with self._at_rest(name):
            if self.get_latest_versions(name, [stage.value]):
                refuse(f"the alias '{alias}' goes with the stage; `slipway archive {name} VERSION` takes it off both")
            super().delete_registered_model_alias(name, alias)

    def set_model_version_tag(self, name: str, version: str, tag: ModelVersionTag) -> None:
        _require_no_mutex(name)
        if _is_prompt_key(tag.key):
            self._require_kind(name, prompt=_makes_prompt(tag))
        _require_seen(tag.key)
        if is_ours(tag.key):
            _require_unchanged(self.get_model_version(name, version).tags, tag)
        super().set_model_version_tag(name, version, tag)

    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        _require_no_mutex(name)
        if _is_prompt_key(key):
            self._require_kind(name, prompt=False)
        if is_ours(key):
            _refuse_tag(key)
        super().delete_model_version_tag(name, version, key)

    def set_registered_model_tag(self, name: str, tag: RegisteredModelTag) -> None:
        _require_no_mutex(name)
        if _is_prompt_key(tag.key):
            self._require_kind(name, prompt=_makes_prompt(tag))
        _require_seen(tag.key)
        if is_ours(tag.key):
            _require_unchanged(self.get_registered_model(name).tags, tag)
        super().set_registered_model_tag(name, tag)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        _require_no_mutex(name)
        if _is_prompt_key(key):
            self._require_kind(name, prompt=False)
        if is_ours(key):
            _refuse_tag(key)
        super().delete_registered_model_tag(name, key)

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: list[ModelVersionTag] | None = None,
        *more: Any,
        **named: Any,
    ) -> ModelVersion:
        """Register a version with the lineage and the digest of its tags.

        Where users log in, its author is the user, and it says who made its run.
        """
        _require_no_mutex(name)
        accepted = [ModelVersionTag(tag.key, tag.value) for tag in tags or ()]
        self._require_kind(name, prompt=any(_makes_prompt(tag) for tag in accepted))
        for tag in accepted:
            _require_seen(tag.key)
        if unknown := sorted(tag.key for tag in accepted if is_ours(tag.key) and tag.key not in BORN_WITH):
            refuse(
                f"{', '.join(unknown)} cannot be set by a client: only Slipway's own server writes such a tag; leave it out"
            )
        self._require_made_here(name, source, accepted)
        accepted = [tag for tag in accepted if tag.key != MADE_BY]
        if self._stores.people.auth:
            accepted = [tag for tag in accepted if tag.key != AUTHOR]
            accepted.append(ModelVersionTag(AUTHOR, self._stores.people.who()))
            if made_by := makers(self, tracking_store(), source, run_id):
                accepted.append(ModelVersionTag(MADE_BY, made_by))
        return super().create_model_version(name, source, run_id, accepted, *more, **named)

    def search_model_versions(self, *given: Any, **named: Any) -> Any:
        """List versions; MLflow's UI gets them without Slipway's tags but the author, since their digests would fill the list.

        The UI's page of a version, and every client, get all tags.
        """
        found = super().search_model_versions(*given, **named)
        if has_request_context() and _ASKED_BY_UI in request.path:
            for version in found:
                for key in BORN_WITH - {AUTHOR}:
                    version.tags.pop(key, None)
        return found

    def create_registered_model(
        self, name: str, tags: list[RegisteredModelTag] | None = None, *more: Any, **named: Any
    ) -> Any:
        _require_no_mutex(name)
        for tag in tags or ():
            if is_ours(tag.key):
                _refuse_tag(tag.key)
            _require_seen(tag.key)
        self._require_own_name(name)
        return super().create_registered_model(name, tags, *more, **named)

    def update_registered_model(self, name: str, *more: Any, **named: Any) -> Any:
        _require_no_mutex(name)
        return super().update_registered_model(name, *more, **named)

    def rename_registered_model(self, name: str, new_name: str) -> Any:
        _require_no_mutex(name)
        _require_no_mutex(new_name)
        with self._at_rest(name):
            self._require_no_history(name, "be renamed")
            if self._stores.ledger(new_name):
                refuse(f"there is a ledger of a model '{new_name}'; take a name without a ledger")
            self._require_own_name(new_name, name)
            return super().rename_registered_model(name, new_name)

    def delete_registered_model(self, name: str) -> None:
        _require_no_mutex(name)
        with self._at_rest(name):
            self._require_no_history(name, "be deleted")
            super().delete_registered_model(name)

    def delete_model_version(self, name: str, version: str) -> None:
        _require_no_mutex(name)
        with self._at_rest(name):
            present = self.get_model_version(name, version)
            number = int(present.version)
            if present.current_stage in HELD_STAGES:
                refuse(
                    f"version {number} of {name} is in {present.current_stage}; `slipway archive {name} {number}` comes first"
                )
            if ledger := self._stores.ledger(name):
                of_it = f"tags.`slipway.version` = '{number}'"
                if number in stages_after([entry.transition for entry in ledger.entries(where=of_it)]):
                    refuse(
                        f"version {number} of {name} held a stage: the ledger has entries on it, so it stays, archived"
                    )
            super().delete_model_version(name, version)

    @contextmanager
    def _at_rest(self, name: str) -> Iterator[None]:
        """Hold the model's mutex for as long as the block takes, so that no transition comes between its look and its act."""
        try:
            with exclusive(self._stores.client, name):
                yield
        except Refusal as error:
            refuse(str(error))

    def _stage_of(self, name: str, alias: str) -> Stage | None:
        """Return the stage that an alias of a model goes with; None for any other alias, and for each alias of a prompt."""
        stage = guarded_alias(alias)
        return None if stage is None or is_prompt(self.get_registered_model(name)) else stage

    def _require_kind(self, name: str, *, prompt: bool) -> None:
        """Refuse to turn a model into a prompt, whose versions no search of models finds, or a prompt into a model."""
        if prompt is not is_prompt(self.get_registered_model(name)):
            refuse(
                f"'{name}' is a {'model' if prompt else 'prompt'} and stays one; "
                f"a {'prompt' if prompt else 'model'} goes by another name"
            )

    def _require_own_name(self, name: str, renamed: str = "") -> None:
        """Refuse a new name that means all models, looks like one that stands, or is an experiment of somebody else."""
        if name == EVERY_MODEL:  # MLflow gives whoever makes a model the permission MANAGE on its name
            refuse(f"'{name}' stands for all models in MLflow's permissions; give the model a name of its own")
        standing = [other for other in model_names(self) if other != renamed]
        if name in standing:
            return  # the store answers that it stands already: whoever registers a further version asks for it all the same
        experiments = tracking_store().experiments()
        if reason := unusable("model", name, standing, experiments):
            refuse(reason)
        if name in experiments and not self._stores.people.owns_experiment(str(experiments[name])):
            refuse(
                f"'{name}' is an experiment of somebody else: its owner, who has MANAGE on it, or an admin registers the "
                "first model of its name"
            )

    def _require_made_here(self, name: str, source: str, tags: list[ModelVersionTag]) -> None:
        """Refuse files that no run of this server made to a model that Slipway promotes, and to a version with its tags.

        A model that is no business of Slipway's is registered from anywhere, as on any other server.
        """
        lineage = sorted(tag.key for tag in tags if is_ours(tag.key) and tag.key != AUTHOR)
        if not lineage and not self._stores.ledger(name) and not is_slipways(self, name):
            return
        if not made_here(self._stores.client, self._location_of(source)):
            why = f"the tag {lineage[0]} says that Slipway made it" if lineage else f"Slipway promotes '{name}'"
            refuse(
                f"'{source}' is not among the files of a run or a logged model of this server, and {why}; allowed is the model "
                f"of a run: `slipway register {name} RUN_ID`. A model from elsewhere goes by another name, without such a tag"
            )

    def _location_of(self, source: str) -> str:
        """Return where the files of a source are: the source, or the source of the version that it names."""
        named = _OF_A_VERSION.fullmatch(source)
        return str(self.get_model_version_download_uri(*named.groups())) if named else source

    def _require(self, operation: Operation, name: str) -> None:
        if operation.right not in self._stores.people.may(name):
            refuse(str(not_allowed(self._stores.people.who(), operation, name)))

    def _require_no_history(self, name: str, what: str) -> None:
        holders = self.get_latest_versions(name, [stage.value for stage in HELD_STAGES])
        ledger = self._stores.ledger(name)
        if holders or (ledger and ledger.entries(1)):
            refuse(f"{name} cannot {what}: its versions hold or held a stage, and the ledger names them by it")


_OF_A_VERSION = re.compile(r"models:/+(.+)/(\d+)", re.DOTALL)
_ASKED_BY_UI = "/ajax-api/"
_BY_MLFLOW = "asked for through MLflow's own API or UI"


def refuse(reason: str) -> NoReturn:
    """Raise PERMISSION_DENIED, which MLflow answers with status 403 and the reason."""
    raise MlflowException(reason, PERMISSION_DENIED)


def _refuse_tag(key: str) -> NoReturn:
    refuse(
        f"the tag '{key}' is evidence: only Slipway's own server writes it; `slipway gates` and `slipway approve` do"
    )


def _require_unchanged(tags: dict[str, str], tag: ModelVersionTag | RegisteredModelTag) -> None:
    if tags.get(tag.key) != tag.value:
        _refuse_tag(tag.key)


def _require_seen(key: str) -> None:
    if character := unseen(key):
        refuse(f"the tag '{key}' holds {character}, which nobody sees; leave it out of the key")


def _require_no_mutex(name: str) -> None:
    if is_mutex(name):
        refuse(
            f"'{name}' is the mutex of a transition that is under way: only Slipway's own server makes or deletes it"
        )


def _is_prompt_key(key: str) -> bool:
    return key.strip().casefold() == str(IS_PROMPT_TAG_KEY)


def _makes_prompt(tag: ModelVersionTag | RegisteredModelTag) -> bool:
    return _is_prompt_key(tag.key) and str(tag.value).casefold() == "true"
