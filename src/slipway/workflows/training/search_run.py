"""The search of a run and its records in MLflow: declaration, data, baselines, trials, leaderboard."""

from contextlib import closing
from dataclasses import dataclass

from mlflow import MlflowClient

from slipway.core.choice import choose
from slipway.core.trials import Trial
from slipway.progress import bar, note, step
from slipway.search import (
    Budget,
    KeptAnswers,
    Question,
    best_of,
    find_ensemble,
    in_words,
    leaderboard,
    score_baselines,
    search,
)
from slipway.search.executors import make_executor
from slipway.tracking.runs import ChildWrite, Finished, RunPart, log_inputs
from slipway.tracking.trials import trial_run
from slipway.tracking.writer import TrialWriter
from slipway.workflows.project import Declared
from slipway.workflows.training.prepare import Prepared
from slipway.workflows.training.resume import Past


def log_what_is_searched(client: MlflowClient, run_id: str, spec: Declared, prepared: Prepared) -> None:
    """Write the declaration and the parts of the data to the run."""
    client.log_text(run_id, spec.text, "experiment.yaml")
    client.log_dict(run_id, spec.experiment.as_dict(), "experiment.json")
    where = f"experiments/{spec.name}/{spec.experiment.data.source.declared}"
    columns = {name: column.type.value for name, column in spec.experiment.data.columns.items()}
    parts = [
        RunPart({"train": "training"}.get(part, part), prepared.digests[part], len(rows), columns, where)
        for part, rows in prepared.splits.parts().items()
    ]
    log_inputs(client, run_id, spec.name, parts)


def log_baselines(client: MlflowClient, experiment: str, parent: str, question: Question) -> None:
    """Score the baselines as trials are scored, and write each as a run of its own."""
    with step("baselines"):
        for scored in score_baselines(question):
            ended_ms = scored.started_ms + int(scored.duration_s * 1000)
            finished = Finished(
                f"baseline {scored.name}",
                "FINISHED",
                scored.started_ms,
                ended_ms,
                {"candidate": f"baseline: {scored.name}"},
                scored.metrics,
                {"slipway.kind": "baseline"},
            )
            ChildWrite(client, experiment, parent, finished)()


@dataclass(frozen=True)
class Searched:
    """The result of a search.

    Attributes:
        trials: every trial, those of earlier searches first.
        winner: the chosen trial, or an ensemble of trials.
        kept: the answers of the trials of this search to the validation rows.
    """

    trials: list[Trial]
    winner: Trial
    kept: KeptAnswers


def run_search(client: MlflowClient, experiment: str, parent: str, question: Question, past: Past) -> Searched:
    """Search, write each trial to MLflow as it ends, choose the winner, and write the leaderboard to the parent run."""
    declared, kept = question.experiment.search, KeptAnswers(question.experiment.search.metric)
    note(in_words(question.experiment))
    before = f"; {len(past.trials)} trials were before" if past.trials else ""
    with (
        step(f"search: {len(declared.candidates)} candidates{before}"),
        bar(declared.most_trials, "search") as shown,
        TrialWriter() as writer,
        closing(make_executor(question)) as executor,
    ):
        best = [trial for trial in past.trials if trial.complete]
        shown.update(len(past.trials))

        def on_trial(trial: Trial) -> None:
            writer.put(ChildWrite(client, experiment, parent, trial_run(trial, question.experiment)))
            best[:] = [best_of([*best, trial], declared.metric)]
            shown.update()
            shown.set_postfix_str(f"best {declared.metric} {best[0].score:.4f}" if best[0].complete else "none yet")

        budget = Budget(declared.most_trials, declared.most_s, declared.patience)
        trials = search(question.experiment, executor, budget, on_trial, past.trials, kept)
    client.set_tag(parent, "slipway.tracking_s", f"{writer.busy_s:.3f}")
    winner, together = _winner(question, trials, kept)
    if together:
        ChildWrite(client, experiment, parent, trial_run(together, question.experiment))()
    table = leaderboard([*trials, together] if together else trials, declared.metric)
    client.log_text(parent, table.to_csv(index=False), "leaderboard.csv")
    client.log_table(parent, table.astype(object).where(table.notna(), None), "leaderboard.json")
    return Searched(trials, winner, kept)


def _winner(question: Question, trials: list[Trial], kept: KeptAnswers) -> tuple[Trial, Trial | None]:
    """Return the winner, and the ensemble where that is the winner; say how many trials could not be members."""
    declared = question.experiment.search
    if declared.ensemble != "auto":
        return choose(trials, declared.metric, declared.prefer), None
    with step("ensemble: of the trials of this search"):
        together = find_ensemble(question, trials, kept)
    gone = sum(trial.complete for trial in trials) - len(kept.best_first())
    if gone > 0:
        note(f"{gone} trials cannot be members of an ensemble: their answers to the validation rows are not kept")
    return together or choose(trials, declared.metric, declared.prefer), together
