"""The search of a run and its records in MLflow: declaration, data, baselines, trials, leaderboard."""

from contextlib import closing

from mlflow import MlflowClient

from slipway.core.trials import Trial
from slipway.progress import bar, step
from slipway.search import Budget, Question, best_of, leaderboard, score_baselines, search
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
    source = spec.experiment.data.source
    where = source.declared if source.is_remote else f"experiments/{spec.name}/{source.declared}"
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


def run_search(client: MlflowClient, experiment: str, parent: str, question: Question, past: Past) -> list[Trial]:
    """Search, write each trial to MLflow as it ends, and the leaderboard to the parent run."""
    declared = question.experiment.search
    before = f", {len(past.trials)} of them before," if past.trials else ""
    with (
        step(f"search: {declared.trials} trials{before} of {len(declared.candidates)} candidates"),
        bar(declared.trials, "search") as shown,
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

        budget = Budget(declared.trials, declared.timeout_s, declared.patience)
        trials = search(question.experiment, executor, budget, on_trial, past.trials)
    client.set_tag(parent, "slipway.tracking_s", f"{writer.busy_s:.3f}")
    table = leaderboard(trials, declared.metric)
    client.log_text(parent, table.to_csv(index=False), "leaderboard.csv")
    client.log_table(parent, table.astype(object).where(table.notna(), None), "leaderboard.json")
    return trials
