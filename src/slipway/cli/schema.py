"""The command `slipway schema`."""

import json

import click

from slipway.cli._options import command
from slipway.settings import Settings


@command(example="slipway schema > experiment.schema.json")
@click.option("--policy", is_flag=True, help="Print that of policy.yaml instead.")
def schema(_settings: Settings, policy: bool) -> None:
    """Print the JSON Schema of experiment.yaml, for editors."""
    from slipway.core.spec import json_schema, policy_schema

    click.echo(json.dumps(policy_schema() if policy else json_schema(), indent=2, ensure_ascii=False))
