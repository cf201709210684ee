"""The ledger of a model: every transition is an MLflow run in the experiment `NAME/promotions`, chained by hashes."""

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Run
from mlflow.exceptions import MlflowException

from slipway.core.release.ledger import Entry, digest_of, hash_of, seal_of
from slipway.core.release.transitions import Action, Transition
from slipway.errors import UsageError
from slipway.registry.absent import is_absent
from slipway.registry.ledger_tags import ACTION, tags_of_transition, transition_of_tags

MADE = " and ".join(
    [
        "attributes.status = 'FINISHED'",
        *(f"tags.`slipway.action` != '{action}'" for action in Action if not action.moves),
    ]
)
"""The filter for transitions that were made. Entries of every age have the attributes and tags that it names."""
EVIDENCE = "evidence"
"""The folder of an entry's artifacts that holds the evidence of its judgement."""
LEDGER_SUFFIX = "/promotions"
"""The end of the name of the experiment that holds a ledger; the rest is the model's name."""
ENTRY, SEAL = "slipway.entry", "slipway.seal"
"""The tags of an entry that have its hash and its seal."""
HEAD = "slipway.head"
"""The tag of a ledger's experiment that has the hash of the newest entry."""
COMPLETE = "FINISHED"
"""The status of the run of an entry whose transition was made."""
_VERDICTS = "verdicts.json"
_PREVIOUS = "slipway.previous"
_MOST_COMMENT = 2000


@dataclass(frozen=True)
class Ledger:
    """The ledger of one model.

    A writer holds the model's mutex: two entries after the same one would fork the chain.

    Attributes:
        client: a client of the tracking server or database.
        name: the registered model.
        experiment: the id of the experiment that holds the entries.
    """

    client: MlflowClient
    name: str
    experiment: str

    @contextmanager
    def entry(
        self, transition: Transition, tags: Mapping[str, str], files: Mapping[str, bytes] | None = None
    ) -> Iterator[None]:
        """Write a transition down, let the block make it, and seal the entry as made.

        When the block fails or is killed, the transition may have been made all the same: the entry stays without a seal, see
        `unsealed`.

        Args:
            transition: the transition.
            tags: further tags of the run.
            files: evidence that is kept as artifacts of the run, by name.
        """
        files = files or {}
        entry = self._open(replace(transition, kept=digest_of(files)), tags, files)
        try:
            yield
        except BaseException:
            with suppress(MlflowException):  # when the database is what failed, this fails too: the first error counts
                self.client.set_terminated(entry.run_id, "FAILED")
            raise
        self.seal(entry, complete=True)

    def write(self, transition: Transition, tags: Mapping[str, str], files: Mapping[str, bytes] | None = None) -> None:
        """Write down an entry that moves nothing, such as a refusal. Arguments as for `entry`."""
        with self.entry(transition, tags, files):
            pass

    def seal(self, entry: Entry, *, complete: bool) -> Transition:
        """Seal an entry as made or not made, and return its transition so."""
        # The end first: killed between the two, the entry still counts as cut off and is sealed again.
        self.client.set_terminated(entry.run_id, COMPLETE if complete else "FAILED")
        self.client.set_tag(entry.run_id, SEAL, seal_of(entry.hash, complete))
        return replace(entry.transition, complete=complete)

    def transitions(self, most: int | None = None, where: str = "") -> list[Transition]:
        """Return the transitions, oldest first. Arguments as for `entries`."""
        return [entry.transition for entry in self.entries(most, where)]

    def entries(self, most: int | None = None, where: str = "") -> list[Entry]:
        """Return the entries, oldest first.

        Args:
            most: only so many of the newest; None for all.
            where: a filter of MLflow, which the server applies.
        """
        runs: list[Run] = []
        token = None
        while True:
            page = self.client.search_runs(
                [self.experiment],
                where,
                max_results=min(1000, most or 1000),
                order_by=["attributes.start_time DESC"],
                page_token=token,
            )
            runs += page
            token = page.token
            if not token or (most and len(runs) >= most):
                # A run without an action is no entry: on a plain MLflow server somebody may have put it there by hand.
                return [_entry(self.name, run) for run in reversed(runs[:most]) if ACTION in run.data.tags]

    def entry_of(self, run_id: str) -> Entry | None:
        """Return the entry of a run; None for a run that does not exist, or is in another experiment."""
        try:
            run = self.client.get_run(run_id)
        except MlflowException as error:
            if not is_absent(error, or_malformed=True):
                raise
            return None
        return _entry(self.name, run) if str(run.info.experiment_id) == self.experiment else None

    def kept(self, entry: Entry) -> dict[str, bytes]:
        """Return the files that are kept with an entry; none where they are gone."""
        with tempfile.TemporaryDirectory(prefix="slipway-evidence-") as folder:
            try:
                evidence = Path(self.client.download_artifacts(entry.run_id, EVIDENCE, folder))
            except (MlflowException, OSError):
                return {}
            return {
                path.relative_to(evidence).as_posix(): path.read_bytes()
                for path in evidence.rglob("*")
                if path.is_file()
            }

    def unsealed(self) -> list[Entry]:
        """Return the entries without a seal, oldest first: their writers were cut off.

        The caller holds the mutex, so that nobody is at work on one of them.
        """
        return [entry for entry in self.entries(_CUT_OFF_AT_MOST) if entry.hash and not entry.seal]

    @property
    def head(self) -> str:
        """Return the hash of the newest entry, as it is noted beside the entries; empty before the first."""
        return str(self.client.get_experiment(self.experiment).tags.get(HEAD, ""))

    def note_head_after(self, entry: Entry) -> None:
        """Note an entry as the head, if the entry before it is noted: its writer was killed in between."""
        if self.head == entry.previous:
            self.client.set_experiment_tag(self.experiment, HEAD, entry.hash)

    def _open(self, transition: Transition, tags: Mapping[str, str], files: Mapping[str, bytes]) -> Entry:
        """Make the run of an entry in one call, so that an entry whose writer is killed misses nothing but its seal."""
        if len(transition.comment) > _MOST_COMMENT:
            raise UsageError(f"a comment of {len(transition.comment)} characters; {_MOST_COMMENT} are allowed")
        previous = self.head
        entry_hash = hash_of(transition, previous)
        facts = {**tags_of_transition(transition), ENTRY: entry_hash, _PREVIOUS: previous, **tags}
        of = "" if transition.of_policy else f"v{transition.version} "
        run = self.client.create_run(self.experiment, transition.at_ms, facts, f"{of}{transition.action}")
        entry = Entry(str(run.info.run_id), transition, previous, entry_hash)
        self.client.set_experiment_tag(self.experiment, HEAD, entry_hash)
        numbers = {f"{v.gate}.{key}": value for v in transition.verdicts for key, value in v.numbers.items()}
        metrics = [Metric(key, value, transition.at_ms, 0) for key, value in numbers.items() if value == value]
        if metrics:
            self.client.log_batch(entry.run_id, metrics=metrics)
        if transition.verdicts:
            self.client.log_text(entry.run_id, json.dumps(transition.as_dict()["verdicts"], indent=2), _VERDICTS)
        if files:
            self._keep(entry.run_id, files)
        return entry

    def _keep(self, run_id: str, files: Mapping[str, bytes]) -> None:
        with tempfile.TemporaryDirectory(prefix="slipway-evidence-") as folder:
            for name, content in files.items():
                (Path(folder) / name).write_bytes(content)
            self.client.log_artifacts(run_id, folder, EVIDENCE)


def ledger_of(client: MlflowClient, name: str) -> Ledger | None:
    """Return the ledger of a model; None where nothing was ever written. Nothing is made or changed."""
    experiment = client.get_experiment_by_name(f"{name}{LEDGER_SUFFIX}")
    return Ledger(client, name, str(experiment.experiment_id)) if experiment else None


def ledgers(client: MlflowClient) -> Iterator[tuple[Ledger, str]]:
    """Yield the ledger of each model with its head: one question for all models."""
    token = None
    while True:
        page = client.search_experiments(
            filter_string=f"name LIKE '%{LEDGER_SUFFIX}'", max_results=1000, page_token=token
        )
        for experiment in page:
            name, head = experiment.name.removesuffix(LEDGER_SUFFIX), str(experiment.tags.get(HEAD, ""))
            yield Ledger(client, name, str(experiment.experiment_id)), head
        token = page.token
        if not token:
            return


# Only so many of the newest entries are looked at: each command that writes an entry seals the open ones before it.
_CUT_OFF_AT_MOST = 50


def now_ms() -> int:
    return int(time.time() * 1000)


def _entry(name: str, run: Run) -> Entry:
    tags, complete = run.data.tags, run.info.status == COMPLETE
    transition = transition_of_tags(name, tags, int(run.info.start_time), run.data.metrics, complete=complete)
    return Entry(str(run.info.run_id), transition, tags.get(_PREVIOUS, ""), tags.get(ENTRY, ""), tags.get(SEAL, ""))
