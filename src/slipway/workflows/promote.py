"""`slipway promote`, `rollback`, `archive`: movements through the stages, each with its reasons, each written down."""

from pathlib import Path

from mlflow import MlflowClient

from slipway.core.gates import Champion, Evidence, judge
from slipway.core.movements import Action, Movement, before_production
from slipway.errors import PromotionRefused, Refusal
from slipway.identity import process_tags
from slipway.progress import step
from slipway.registry.fetch import fetch_verified
from slipway.registry.ledger import now_ms
from slipway.registry.models import inputs_of, outputs_of, temporary_folder
from slipway.registry.stages import holder
from slipway.registry.versions import Version, get_version
from slipway.settings import Settings
from slipway.types import Stage, Verdict
from slipway.workflows.movement import make, movement_of, moving, open_registry
from slipway.workflows.rescoring import SameRows, rescore, rows_of, score


def promote(settings: Settings, name: str, version: int, stage: Stage, comment: str = "") -> Movement:
    """Run the gates that stand before a stage and move the version there; what held the stage is archived.

    Raises PromotionRefused with every verdict when one gate fails: nothing is moved, and the refusal is written down. Raises
    Refusal when something else came into Production while the gates were asked: they compared with another version.
    """
    client, ledger = open_registry(settings, name)
    judged = get_version(client, name, version)
    _require_elsewhere(judged, stage)
    live = _live(client, name)
    verdicts = _judge(client, settings, judged, stage, live)
    with moving(client, ledger):
        wanted = get_version(client, name, version)
        _require_elsewhere(wanted, stage)
        if verdicts and (now := _live(client, name)) != live:
            raise Refusal(
                f"version {now} of {name} came into Production while version {version} was compared with "
                f"{f'version {live}' if live else 'nothing'}; nothing was moved. Run it again"
            )
        if not all(verdict.passed for verdict in verdicts):
            refusal = movement_of(client, settings, wanted, Action.REFUSE, stage, comment, verdicts)
            ledger.write(refusal, process_tags())
            raise PromotionRefused(name, version, stage, verdicts)
        movement = movement_of(client, settings, wanted, Action.PROMOTE, stage, comment, verdicts)
        return make(client, ledger, movement)


def rollback(settings: Settings, name: str, comment: str = "") -> Movement:
    """Bring back the version that was in Production before the present one. No gate stands in the way of that.

    Raises Refusal when there is none to return to.
    """
    client, ledger = open_registry(settings, name)
    with moving(client, ledger):
        movements = ledger.movements()
        if live := _live(client, name):  # it may have got there past the ledger: by the UI, by a script
            movements.append(Movement(name, Action.PROMOTE, live, Stage.PRODUCTION, settings.user, now_ms()))
        number = before_production(movements)
        if number is None:
            raise Refusal(f"there is no version of {name} that was in Production before; nothing was moved")
        wanted = get_version(client, name, number)
        movement = movement_of(client, settings, wanted, Action.ROLLBACK, Stage.PRODUCTION, comment)
        return make(client, ledger, movement)


def archive(settings: Settings, name: str, version: int, comment: str = "") -> Movement:
    """Take a version out of its stage."""
    client, ledger = open_registry(settings, name)
    with moving(client, ledger):
        wanted = get_version(client, name, version)
        if wanted.stage is Stage.ARCHIVED:
            raise Refusal(f"{name} version {version} is archived already")
        return make(client, ledger, movement_of(client, settings, wanted, Action.ARCHIVE, Stage.ARCHIVED, comment))


def _require_elsewhere(version: Version, stage: Stage) -> None:
    if version.stage is stage:
        raise Refusal(f"{version.name} version {version.number} is in {stage} already")


def _live(client: MlflowClient, name: str) -> int | None:
    live = holder(client, name, Stage.PRODUCTION)
    return int(live.version) if live else None


def _judge(
    client: MlflowClient, settings: Settings, version: Version, stage: Stage, live: int | None
) -> tuple[Verdict, ...]:
    if stage not in (Stage.STAGING, Stage.PRODUCTION):
        return ()
    with step(f"gates before {stage}"), temporary_folder() as made:
        return judge(_evidence(client, settings, version, live, Path(made)), stage)


def _evidence(client: MlflowClient, settings: Settings, version: Version, live: int | None, folder: Path) -> Evidence:
    """Score the stored model, and the one in Production, on the rows that the version was tested with."""
    own = fetch_verified(version, folder / "challenger")  # first: the run of a version that is not ours has no evidence
    rows = rows_of(client, version.run_id, folder)
    trusted = (*rows.experiment.search.trusted_types, *settings.trusted_types)
    champion = None
    if live is not None and live != version.number:
        champion = _champion(get_version(client, version.name, live), folder, rows, trusted)
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
