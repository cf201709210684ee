"""slipway serve."""

from functools import partial
from pathlib import Path

import click

from slipway.cli.command import command, json_option, show, stage
from slipway.errors import UsageError
from slipway.settings import Settings
from slipway.types import Stage

_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@command(example="slipway serve flight_delays --port 5001 --workers 2 --api-keys keys.txt")
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--from", "folder", type=_folder, help="A folder of `slipway image`; no registry is asked.")
@click.option("--stage", "of", type=stage, default=Stage.PRODUCTION, show_default="Production", metavar="STAGE")
@click.option("--version", type=click.IntRange(1), help="This version for good, whatever its stage.")
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 to answer other machines.")
@click.option("--port", type=click.IntRange(0, 65535), default=5001, show_default=True, help="0 for any free one.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that answer.")
@click.option("--api-keys", type=_file, help="A file with one key a line; or SLIPWAY_API_KEYS, comma separated.")
@click.option("--max-rows", type=click.IntRange(1), default=10_000, show_default=True, help="Of a request.")
@click.option("--max-body-mb", type=click.IntRange(1), default=10, show_default=True, help="Of a request.")
@click.option("--timeout", type=click.FloatRange(0.1), default=30.0, show_default=True, help="Seconds for an answer.")
@click.option(
    "--keep-warm", type=click.FloatRange(0), default=300.0, show_default=True, help="Seconds for the version before."
)
@click.option("--log", type=click.Path(path_type=Path), help="Where to write; by default a file in the home's logs.")
@click.option("--engine", type=click.Choice(["slipway", "mlflow"]), default="slipway", show_default=True)
@json_option
def serve(
    settings: Settings,
    names: tuple[str, ...],
    folder: Path | None,
    of: Stage,
    version: int | None,
    host: str,
    port: int,
    workers: int,
    api_keys: Path | None,
    max_rows: int,
    max_body_mb: int,
    timeout: float,
    keep_warm: float,
    log: Path | None,
    engine: str,
    as_json: bool,
) -> None:
    """Answer REST requests with the version of a stage until Ctrl-C.

    The registry is followed: a version that comes into the stage takes over without a request being lost. Several models are
    answered at /models/NAME/invocations. `--engine mlflow` runs `mlflow models serve`, which stays with the version it started
    with and knows none of the limits.
    """
    _require_one_source(names, folder, version, log, engine)
    if engine == "mlflow":
        from slipway.workflows.serve_mlflow import serve_with_mlflow

        endpoint = serve_with_mlflow(settings, names[0], stage=of, number=version, host=host, port=port)
    else:
        from slipway.registry.following import Followed
        from slipway.serving.config import ServingConfig
        from slipway.workflows import serve as workflow
        from slipway.workflows.serve_folder import serve_folder

        config = ServingConfig(
            fronts=workers,
            max_rows=max_rows,
            max_body_bytes=max_body_mb * 1_000_000,
            timeout_s=timeout,
            keep_warm_s=keep_warm,
        )
        followed = [Followed(name, of, version) for name in dict.fromkeys(names)]
        start = partial(serve_folder, settings, folder) if folder else partial(workflow.serve, settings, followed)
        endpoint = start(host=host, port=port, config=config, keys_file=api_keys, log=log)
    show(endpoint, as_json)
    endpoint.stay()


def _require_one_source(
    names: tuple[str, ...], folder: Path | None, version: int | None, log: Path | None, engine: str
) -> None:
    if bool(names) == bool(folder):
        raise UsageError("name the models to serve, or a folder that `slipway image` wrote with --from; one of the two")
    if folder and version:
        raise UsageError("--from serves the version that is in the folder; it goes without --version")
    if engine == "mlflow" and (folder or log):
        raise UsageError("--engine mlflow goes without --from and --log")
    if len(names) > 1 and (version or engine == "mlflow"):
        raise UsageError("--version and --engine mlflow take one name")
