"""The command `slipway init`."""

import sys

import click

from slipway.cli._options import command, json_option, show
from slipway.settings import Settings


@command(example="slipway init rides --data rides.csv --target cancelled --owner team@example.com")
@click.argument("name")
@click.option("--data", required=True, metavar="SOURCE", help="The table: its path or URL.")
@click.option("--table", metavar="NAME", help="The table or view, where --data is a database.")
@click.option(
    "--format", type=click.Choice(["csv", "parquet", "jsonl", "arrow"]),
    help="Where neither the ending says it nor the files of a folder do.",
)  # fmt: skip
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict.")
@click.option("--task", type=click.Choice(["binary", "multiclass", "regression"]), help="By default as the target is.")
@click.option("--metric", help="The metric to search by; by default one that fits the task.")
@click.option("--time", metavar="COLUMN", help="The moment of the prediction; by default a column that looks like it.")
@click.option("--id", "id_", metavar="COLUMN", help="The column that names the row; by default one that looks like it.")
@click.option("--goal", help="What is predicted, for whom and when; asked for on a terminal.")
@click.option("--decision", help="What is done with the answer.")
@click.option("--owner", help="Who answers for it; nothing comes to Production without one.")
@click.option(
    "--maturity", type=click.Choice(["poc", "mvp"]), default="poc", show_default=True,
    help="What has to be declared; mvp asks for a decision and an owner.",
)  # fmt: skip
@click.option("--effort", type=click.Choice(["fast", "normal", "best"]), default="normal", show_default=True,
              help="How long to search.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show the file and write nothing.")
@click.option("--force", is_flag=True, help="Write over an experiment.yaml that is there.")
@json_option
def init(
    settings: Settings,
    name: str,
    data: str,
    table: str | None,
    format: str | None,
    target: str,
    task: str | None,
    metric: str | None,
    time: str | None,
    id_: str | None,
    goal: str | None,
    decision: str | None,
    owner: str | None,
    maturity: str,
    effort: str,
    dry_run: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write an experiment.yaml from a table.

    The file runs as it is. Each of its lines is a guess with its reason, and what a person has to look at comes first.
    """
    if not (dry_run or as_json) and sys.stdin.isatty():
        goal = goal or _asked("What is predicted, for whom and when")
        decision = decision or _asked("What is done with the answer")
        owner = owner or _asked("Who answers for it (an address)")
    from slipway.core.tasks import Task
    from slipway.data.profile import Wishes
    from slipway.workflows.init import InitWishes
    from slipway.workflows.init import init as workflow

    of_table = Wishes(Task(task) if task else None, metric, time, id_)
    wishes = InitWishes(target, of_table, goal, decision, owner, maturity, effort)
    given = {key: value for key, value in (("url", data), ("table", table), ("format", format)) if value}
    show(workflow(settings, name, given, wishes, dry_run=dry_run, force=force), as_json)


def _asked(question: str) -> str | None:
    answer = click.prompt(f"{question} (Enter leaves it for later)", default="", show_default=False, err=True)
    return str(answer).strip() or None
