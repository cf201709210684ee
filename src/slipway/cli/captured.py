"""The command `slipway captured`."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from slipway.cli._options import command, json_option, show
from slipway.errors import UsageError
from slipway.settings import Settings

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@command(example="slipway captured flight_delays --since 1h --output asked.parquet")
@click.argument("name")
@click.option("--since", metavar="TIME", help="Count from here on: 90s, 15m, 1h or 7d ago, or a time in UTC.")
@click.option("--output", type=click.Path(path_type=Path), help="A Parquet or CSV file: each row with its label.")
@json_option
def captured(settings: Settings, name: str, since: str | None, output: Path | None, as_json: bool) -> None:
    """Count what a service captured, and write it to a file."""
    moment = _moment(since) if since else None
    from slipway.workflows.captured import look_at_captured

    show(look_at_captured(settings, name, moment, output), as_json)


def _moment(text: str) -> datetime:
    try:
        if ago := re.fullmatch(r"(\d+)([smhd])", text):
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"'{text}' is not a valid time; allowed is 90s, 15m, 1h, 7d, or a time such as 2026-11-24T09:30"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
