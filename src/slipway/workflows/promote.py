"""`slipway promote`, `rollback`, `archive`: movements through the stages, each with its reasons, each written down."""

from dataclasses import replace
from pathlib import Path

from mlflow import MlflowClient

from slipway.core.gates import Champion, Evidence, judge
from slipway.core.movements import Action, Movement, before_production
from slipway.errors import PromotionRefused, Refusal, UnknownName
from slipway.progress import step
from slipway.registry.fetch import fetch_verified
from slipway.registry.ledger import Ledger, now_ms
from slipway.registry.models import inputs_of, outputs_of, temporary_folder
from slipway.registry.stages import holder, move
from slipway.registry.versions import Version, get_version, list_versions
from slipway.settings import Settings
from slipway.tracking.client import connect
from slipway.tracking.liveness import close_dead, process_tags
from slipway.tracking.runs import experiment_id
from slipway.types import Stage, Verdict
from slipway.workflows.platform import resolve_tracking_uri
from slipway.workflows.rescoring import SameRows, rescore, rows_of, score


def promote(settings: Settings, name: str, version: int, stage: Stage, comment: str = "") -> Movement:
    """Run the gates that stand before a stage and move the version there; what held the stage is archived.

    Raises PromotionRefused with every verdict when one gate fails: nothing is moved, and the refusal is written down.
    """
    client, ledger = _open(settings, name)
    wanted = get_version(client, name, version)
    if wanted.stage is stage:
        raise Refusal(f"{name} version {version} is in {stage} already")
    verdicts = _judge(client, settings, wanted, stage)
    movement = _movement(client, settings, wanted, Action.PROMOTE, stage, comment, verdicts)
    if not all(verdict.passed for verdict in verdicts):
        ledger.write(replace(movement, action=Action.REFUSE, replaced=None), process_tags())
        raise PromotionRefused(name, version, stage, verdicts)
    return _make(client, ledger, movement)


def rollback(settings: Settings, name: str, comment: str = "") -> Movement:
    """Bring back the version that was in Production before the present one. No gate stands in the way of that.

    Raises Refusal when there is none to return to.
    """
    client, ledger = _open(settings, name)
    movements = ledger.movements()
    if live := holder(client, name, Stage.PRODUCTION):  # it may have got there past the ledger: by the UI, by a script
        movements.append(Movement(name, Action.PROMOTE, int(live.version), Stage.PRODUCTION, settings.user, now_ms()))
    number = before_production(movements)
    if number is None:
        raise Refusal(f"there is no version of {name} that was in Production before; nothing was moved")
    wanted = get_version(client, name, number)
    return _make(client, ledger, _movement(client, settings, wanted, Action.ROLLBACK, Stage.PRODUCTION, comment))


def archive(settings: Settings, name: str, version: int, comment: str = "") -> Movement:
    """Take a version out of its stage."""
    client, ledger = _open(settings, name)
    wanted = get_version(client, name, version)
    if wanted.stage is Stage.ARCHIVED:
        raise Refusal(f"{name} version {version} is archived already")
    return _make(client, ledger, _movement(client, settings, wanted, Action.ARCHIVE, Stage.ARCHIVED, comment))


def open_ledger(client: MlflowClient, name: str) -> Ledger:
    """Return the ledger of a registered model; entries and searches that were cut off are closed as such.

    Raises UnknownName when no such model is registered.
    """
    if not list_versions(client, name):
        known = [model.name for model in client.search_registered_models()]
        raise UnknownName("registered model", name, known, f"Train its first version with `slipway run {name}`")
    experiment, searches = experiment_id(client, f"{name}/promotions"), client.get_experiment_by_name(name)
    close_dead(client, [experiment, *([searches.experiment_id] if searches else [])])
    return Ledger(client, name, experiment)


def _open(settings: Settings, name: str) -> tuple[MlflowClient, Ledger]:
    client = connect(resolve_tracking_uri(settings))
    return client, open_ledger(client, name)


def _movement(
    client: MlflowClient,
    settings: Settings,
    version: Version,
    action: Action,
    stage: Stage,
    comment: str,
    verdicts: tuple[Verdict, ...] = (),
) -> Movement:
    single = stage in (Stage.STAGING, Stage.PRODUCTION)
    held = holder(client, version.name, stage) if single else None
    replaced = int(held.version) if held else None
    return Movement(version.name, action, version.number, stage, settings.user, now_ms(), replaced, comment, verdicts)


def _make(client: MlflowClient, ledger: Ledger, movement: Movement) -> Movement:
    with ledger.entry(movement, process_tags()):
        move(client, movement.name, movement.version, movement.stage)
    return movement


def _judge(client: MlflowClient, settings: Settings, version: Version, stage: Stage) -> tuple[Verdict, ...]:
    if stage not in (Stage.STAGING, Stage.PRODUCTION):
        return ()
    with step(f"gates before {stage}"), temporary_folder() as made:
        return judge(_evidence(client, settings, version, Path(made)), stage)


def _evidence(client: MlflowClient, settings: Settings, version: Version, folder: Path) -> Evidence:
    """Score the stored model, and the one in Production, on the rows that the version was tested with."""
    own = fetch_verified(version, folder / "challenger")  # first: the run of a version that is not ours has no evidence
    rows = rows_of(client, version.run_id, folder)
    trusted = (*rows.experiment.search.trusted_types, *settings.trusted_types)
    live = holder(client, version.name, Stage.PRODUCTION)
    champion = None
    if live is not None and int(live.version) != version.number:
        champion = _champion(get_version(client, version.name, int(live.version)), folder, rows, trusted)
    return Evidence(
        rows.experiment,
        score(own, rows, trusted),
        inputs_of(own),
        outputs_of(own),
        rows.tested.baselines,
        champion,
        rows.experiment.search.seed,
    )


def _champion(live: Version, folder: Path, rows: SameRows, trusted: tuple[str, ...]) -> Champion:
    found = rescore(lambda: fetch_verified(live, folder / "champion"), rows, trusted)
    return Champion(live.number, found.outcome, found.inputs, found.outputs, found.problem)
