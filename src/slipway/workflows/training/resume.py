"""A search that was cut off, or wants more trials, taken up where it was."""

from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities import Run

from slipway.core.trials import Trial
from slipway.errors import UsageError
from slipway.tracking.trials import trials_of
from slipway.workflows.project import Declared
from slipway.workflows.training.prepare import Prepared

STUDY = "slipway.study_digest"


@dataclass(frozen=True)
class Past:
    """The trials that a study has done already.

    Attributes:
        trials: the trials that ended, in order.
        run_id: the run that goes on; None for a new run, since a search that ended keeps its run with its model.
        continues: the run of the ended search that a new run goes on from; None for none.
    """

    trials: tuple[Trial, ...] = ()
    run_id: str | None = None
    continues: str | None = None


def past_of(client: MlflowClient, experiment: str, spec: Declared, prepared: Prepared) -> Past:
    """Return the past of the newest search of the same study: same space, metric, seed and split, on the same data.

    Raises UsageError when there is none.
    """
    run = newest_of_study(client, experiment, spec, prepared)
    if run is None:
        raise UsageError(
            f"there is no search to resume of '{spec.name}' with the data, split, metric, seed and space that it has now; "
            f"start one with `slipway run {spec.name}`"
        )
    trials = tuple(trials_of(client, run, spec.experiment.search.metric))
    run_id = str(run.info.run_id)
    return Past(trials, None, run_id) if run.info.status == "FINISHED" else Past(trials, run_id)


def offer(client: MlflowClient, experiment: str, spec: Declared, prepared: Prepared) -> str | None:
    """Return a sentence on a search that could be resumed instead of started anew; None when there is none."""
    run = newest_of_study(client, experiment, spec, prepared)
    if run is None or run.info.status == "FINISHED":
        return None
    ended = len(trials_of(client, run, spec.experiment.search.metric))
    if not ended:
        return None
    return f"a search of this study was cut off after {ended} trials; `slipway run {spec.name} --resume` would go on with it"


def newest_of_study(client: MlflowClient, experiment: str, spec: Declared, prepared: Prepared) -> Run | None:
    """Return the newest search of the same study; None when there is none."""
    same = (
        f"tags.`slipway.kind` = 'search' and tags.`{STUDY}` = '{spec.experiment.study_digest}' "
        f"and tags.`slipway.data_digest` = '{prepared.digests['all']}'"
    )
    runs = client.search_runs([experiment], same, max_results=1, order_by=["attributes.start_time DESC"])
    return runs[0] if runs else None
