"""The common part of all commands: their settings, their options, their output, and types of arguments."""

import functools
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from slipway.cli._terminal import for_terminal
from slipway.errors import UsageError
from slipway.settings import Settings, project_above, read_settings

_F = TypeVar("_F", bound=Callable[..., Any])
_GIVEN = "slipway.cli.given"


class Result(Protocol):
    """The result of a workflow: `str` of a Result is for people, `as_dict` for scripts."""

    def as_dict(self) -> dict[str, Any]: ...


def global_options(function: _F) -> _F:
    """Add the options that every command takes, before its name or after it."""
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    for option in (
        click.option(
            "--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."
        ),  # `failures.report` reads it from the arguments, since parsing may be what failed
        click.option(
            "--project",
            type=folder,
            expose_value=False,
            callback=_remember,
            help="The folder that holds experiments/; by default the nearest above the working directory.",
        ),
        click.option(
            "--tracking-uri",
            metavar="URI",
            expose_value=False,
            callback=_remember,
            help="The MLflow server; by default MLFLOW_TRACKING_URI, else the one `slipway up` keeps.",
        ),
    ):
        function = option(function)
    return function


def command(*, example: str) -> Callable[[Callable[..., None]], click.Command]:
    """Return a decorator that makes a click command of a function whose first argument is the Settings."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def call(**given: Any) -> None:
            function(settings_of(click.get_current_context()), **given)

        return click.command(epilog=f"\b\nExample:\n  {example}")(global_options(call))

    return decorate


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def show(result: Result, as_json: bool) -> None:
    """Print the result of a workflow."""
    click.echo(
        json.dumps(result.as_dict(), indent=2, ensure_ascii=False, default=str)
        if as_json
        else for_terminal(str(result))
    )


def import_skops_first() -> None:
    """Import skops before MLflow, in a command that loads or stores a model.

    skops looks through all modules for each of 350 functions of scipy, and MLflow's lazy modules are imported by being looked
    at: `promote` takes 2.3 s of CPU so, and 3.1 s the other way round.
    """
    import skops.io  # noqa: F401


class Integer(click.IntRange):
    """A whole number within bounds, which help and errors call an integer and not a range."""

    name = "integer"


class Number(click.FloatRange):
    """A number within bounds, which help and errors call a number and not a range."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if math.isnan(number := super().convert(value, param, ctx)):  # NaN passes every comparison with the bounds
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


def share(text: str) -> float:
    """Return the share that a text such as `10%` or `0.1` names, above 0 and up to 1. Raises UsageError."""
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = math.nan
    if not 0 < number <= 1:
        raise UsageError(f"'{text}' is not a valid share; it has to be above 0 and up to 1 or 100%, such as 0.1 or 10%")
    return number


def _remember(context: click.Context, option: click.Parameter, value: Any) -> None:
    if value is not None and option.name:
        context.meta.setdefault(_GIVEN, {})[option.name] = value  # `meta` is shared by the group and its command


def settings_of(context: click.Context) -> Settings:
    """Return the settings of a command, by its environment and the options that every command takes."""
    given = context.meta.get(_GIVEN, {})
    project = given.get("project") or project_above(Path.cwd())
    return read_settings(os.environ, project=project, tracking_uri=given.get("tracking_uri"))
