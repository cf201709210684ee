"""Runs as Slipway writes them: an open parent, and children that are written in three calls when they are over."""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME, MLFLOW_RUN_NOTE

from slipway.errors import Refusal
from slipway.identity import process_tags
from slipway.tracking.client import runs_page

VIEW_KEY = "slipway_"
"""The beginning of the keys of Slipway's views."""
_VIEW = "mlflow.sharedViewState."
_LINK_TO_VIEW = re.compile(r" \[[^\]]*\]\(#/[^)]*viewStateShareKey=[^)]*\)$")
# The server's own limits. A longer text is cut, and ends in … .
_PARAM_CHARACTERS, _TAG_CHARACTERS, _PARAMS_A_BATCH, _METRICS_A_BATCH = 6000, 8000, 100, 1000


@dataclass(frozen=True)
class Finished:
    """A run that is over, as it is written. Times are Unix milliseconds."""

    name: str
    status: str
    started_ms: int
    ended_ms: int
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def experiment_id(client: MlflowClient, name: str) -> str:
    """Return the id of the MLflow experiment of a name, made if it is not there. Raises Refusal for a deleted experiment."""
    if experiment := client.get_experiment_by_name(name):
        if experiment.lifecycle_stage != "active":
            restore = f"`mlflow experiments restore --experiment-id {experiment.experiment_id}`"
            raise Refusal(f"the experiment '{name}' was deleted in MLflow; bring it back with {restore}, and run again")
        return str(experiment.experiment_id)
    return str(client.create_experiment(name))


@dataclass(frozen=True)
class View:
    """Some columns of an experiment's runs in one order, as MLflow's UI offers it under its button Views.

    Attributes:
        key: the view's name in a link.
        name: the view's name in the UI.
        columns: the columns by their names in the UI, such as metrics.`roc_auc`, in their order.
        order_by: the column that orders the runs.
        ascending: whether the least value comes first.
    """

    key: str
    name: str
    columns: Sequence[str]
    order_by: str
    ascending: bool


def describe_experiment(client: MlflowClient, experiment: str, note: str, view: View) -> None:
    """Give an experiment a description and a view of its runs; present ones are kept, since somebody may have edited them.

    The UI keeps views in tags of the experiment; an MLflow that knows no views ignores these tags. The UI opens an experiment
    without a view, and then shows no metric, so the description links to the view.
    """
    now = int(time.time() * 1000)
    saved = {"name": view.name, "createdAt": now, "updatedAt": now, "state": json.dumps(_state(view))}
    link = f"[{view.name}](#/{runs_page(experiment, f'?viewStateShareKey={view.key}&')})"
    tags = {MLFLOW_RUN_NOTE: f"{note} {link}", f"{_VIEW}{view.key}": json.dumps(saved)}
    present = client.get_experiment(experiment).tags
    for key, value in tags.items():
        if key not in present:
            client.set_experiment_tag(experiment, key, value)


def described(tags: Mapping[str, str]) -> str:
    """Return the description among the tags of an experiment or a run, without the link to a view at its end."""
    return _LINK_TO_VIEW.sub("", tags.get(MLFLOW_RUN_NOTE, ""))


def view_query(tags: Mapping[str, str]) -> str:
    """Return the part of a query that opens an experiment in the view of Slipway; empty where its tags hold none."""
    keys = sorted(tag.removeprefix(_VIEW) for tag in tags if tag.startswith(f"{_VIEW}{VIEW_KEY}"))
    return f"viewStateShareKey={keys[0]}&" if keys else ""


def _state(view: View) -> dict[str, Any]:
    """Return a view as the UI keeps it: without widths and an order, a screen of 1280 pixels shows no parameter."""
    first = ["attributes.`Run Name`", "runDateAndNestInfo", "duration"]  # the UI shows these in any case
    widths = {column: _width(column) for column in view.columns if column.startswith("metrics.")}
    return {
        "selectedColumns": list(view.columns),
        "columnOrder": [*first, *view.columns],
        "columnWidths": widths,
        "orderByKey": view.order_by,
        "orderByAsc": view.ascending,
    }


def _width(column: str) -> int:
    """Return the width in pixels in which the name of a metric can be read."""
    return min(max(100, 9 * len(column.removeprefix("metrics."))), 140)


@contextmanager
def open_run(
    client: MlflowClient,
    experiment: str,
    name: str,
    tags: Mapping[str, str],
    adopt: str | None = None,
    reopen: str | None = None,
) -> Iterator[str]:
    """Open a run for as long as the block takes, and yield its id.

    The run ends FINISHED; FAILED with the tag `slipway.error` when the block raises; KILLED when the block is interrupted.

    Args:
        client: a client of the tracking server.
        experiment: the id of the experiment.
        name: the run's name.
        tags: the run's tags, beside those that name this process.
        adopt: the id of a run that `mlflow run` opened for this process. A run of the experiment is used; a run of another
            one gets the tag `slipway.run` with the id of the new run.
        reopen: the id of a run that was cut off, and goes on.
    """
    run_id = _begin(client, experiment, name, {**tags, **process_tags()}, adopt, reopen)
    try:
        yield run_id
    except BaseException as error:
        # When the server is what failed, this fails too: the first error counts, and the next command closes the run.
        with suppress(Exception):
            client.set_tag(run_id, "slipway.error", _cut(f"{type(error).__name__}: {error}", _TAG_CHARACTERS))
            client.set_terminated(run_id, "FAILED" if isinstance(error, Exception) else "KILLED")
        raise
    client.set_terminated(run_id, "FINISHED")


class ChildWrite:
    """A write of one finished run below its parent: create, one batch, end. A call after a failure takes it up again."""

    def __init__(self, client: MlflowClient, experiment: str, parent: str, run: Finished) -> None:
        self._client = client
        self._experiment = experiment
        self._parent = parent
        self._run = run
        self._id: str | None = None
        self._tried = False

    def __call__(self) -> None:
        run = self._run
        if self._id is None:
            self._id = (self._tried and self._found()) or self._create()
        write(self._client, self._id, run.params, run.metrics, at_ms=run.ended_ms)
        self._client.set_terminated(self._id, run.status, end_time=run.ended_ms)

    def _create(self) -> str:
        self._tried = True
        run = self._run
        tags = {MLFLOW_PARENT_RUN_ID: self._parent, MLFLOW_RUN_NAME: run.name, **process_tags(), **_cut_tags(run.tags)}
        return str(self._client.create_run(self._experiment, start_time=run.started_ms, tags=tags).info.run_id)

    def _found(self) -> str | None:
        """Return the id of the run, if the server made it but its answer was lost."""
        below = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{self._parent}' and attributes.run_name = '{self._run.name}'"
        runs = self._client.search_runs([self._experiment], below, max_results=1)
        return str(runs[0].info.run_id) if runs else None


def write(
    client: MlflowClient,
    run_id: str,
    params: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | None = None,
    tags: Mapping[str, str] | None = None,
    at_ms: int | None = None,
) -> None:
    """Write params, metrics and tags to a run, in as few requests as the server's limits allow."""
    now = at_ms or int(time.time() * 1000)
    all_params = [Param(key, _cut(str(value), _PARAM_CHARACTERS)) for key, value in (params or {}).items()]
    all_metrics = [Metric(key, float(value), now, 0) for key, value in (metrics or {}).items() if value == value]
    all_tags = [RunTag(key, value) for key, value in _cut_tags(tags or {}).items()]
    batches = max(1, -(-len(all_params) // _PARAMS_A_BATCH), -(-len(all_metrics) // _METRICS_A_BATCH))
    for i in range(batches):
        client.log_batch(
            run_id,
            metrics=all_metrics[i * _METRICS_A_BATCH : (i + 1) * _METRICS_A_BATCH],
            params=all_params[i * _PARAMS_A_BATCH : (i + 1) * _PARAMS_A_BATCH],
            tags=all_tags if i == 0 else [],
        )


@dataclass(frozen=True)
class RunPart:
    """One part of the data as a run's input.

    Attributes:
        context: the part's name, such as training.
        digest: the digest of its rows.
        rows: how many rows it has.
        columns: the type of each column.
        source: the place that the rows came from.
    """

    context: str
    digest: str
    rows: int
    columns: Mapping[str, str]
    source: str


def log_inputs(client: MlflowClient, run_id: str, name: str, parts: Sequence[RunPart]) -> None:
    """Write the parts of the data to a run as MLflow dataset inputs, under their contexts."""
    inputs = [
        DatasetInput(
            Dataset(
                name=f"{name}-{part.context}",
                digest=part.digest[:16],
                source_type="local",
                source=json.dumps({"uri": part.source}),
                schema=json.dumps({"mlflow_colspec": [{"type": t, "name": n} for n, t in part.columns.items()]}),
                profile=json.dumps({"num_rows": part.rows, "num_elements": part.rows * len(part.columns)}),
            ),
            [InputTag("mlflow.data.context", part.context)],
        )
        for part in parts
    ]
    client.log_inputs(run_id, datasets=inputs)


def every_run(
    client: MlflowClient, experiments: Sequence[str], filter_string: str = "", order_by: Sequence[str] = ()
) -> Iterator[Run]:
    """Yield each run that matches a filter of MLflow; a request gets 1000 of them."""
    token = None
    while True:
        page = client.search_runs(
            list(experiments), filter_string, max_results=1000, order_by=list(order_by), page_token=token
        )
        yield from page
        token = page.token
        if not token:
            return


def _begin(
    client: MlflowClient, experiment: str, name: str, tags: Mapping[str, str], adopt: str | None, reopen: str | None
) -> str:
    if reopen is not None:
        write(client, reopen, tags=tags)
        client.update_run(reopen, status="RUNNING")
        return reopen
    if adopt is None:
        return _create(client, experiment, name, tags)
    adopted = client.get_run(adopt)
    if adopted.info.experiment_id == experiment:
        write(client, adopt, tags={MLFLOW_RUN_NAME: name, **tags})
        return adopt
    run_id = _create(client, experiment, name, tags)
    client.set_tag(adopt, "slipway.run", run_id)
    return run_id


def _create(client: MlflowClient, experiment: str, name: str, tags: Mapping[str, str]) -> str:
    try:
        return str(client.create_run(experiment, run_name=name, tags=_cut_tags(tags)).info.run_id)
    except MlflowException as error:
        if "failed with error code 403" not in str(error):  # MLflow's own login says "Permission denied" and no more
            raise
        made = client.get_experiment(experiment).name
        raise Refusal(
            f"the experiment '{made}' was made by somebody else: a run in it takes the permission EDIT on the experiment, "
            f"which an admin gives with a role of its model: `slipway user NAME approver --model {made}`"
        ) from None


def _cut_tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: _cut(value, _TAG_CHARACTERS) for key, value in tags.items()}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
