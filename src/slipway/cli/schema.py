"""The command `slipway schema`."""

import json

import click

from slipway.cli._options import command
from slipway.settings import Settings


@command(example="slipway schema > experiment.schema.json")
def schema(_settings: Settings) -> None:
    """Print the JSON Schema of experiment.yaml, for editors."""
    from slipway.core.spec import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
