"""slipway serve."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from slipway.cli.command import Integer, Number, command, json_option, share, show, stage
from slipway.cli.variants import arm_options, second_version
from slipway.errors import UsageError
from slipway.settings import Settings
from slipway.types import Stage

if TYPE_CHECKING:
    from slipway.registry.watch import Followed
    from slipway.serving.config import VariantConfig

_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_OURS = ("api_keys", "workers", "max_rows", "max_body_mb", "timeout", "keep_warm", "contract")
"""Options of which `mlflow models serve` knows nothing."""


@command(example="slipway serve flight_delays --port 5001 --workers 2 --api-keys keys.txt")
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--from", "folder", type=_folder, help="A folder of `slipway image`; no registry is asked.")
@click.option("--stage", "of", type=stage, default=Stage.PRODUCTION, show_default="Production", metavar="STAGE")
@click.option("--version", type=Integer(1), help="This version for good, whatever its stage.")
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 to answer other machines.")
@click.option("--port", type=Integer(0, 65535), default=5001, show_default=True, help="0 for any free one.")
@click.option("--workers", type=Integer(1, 64), default=1, show_default=True, help="Processes that answer.")
@click.option("--api-keys", type=_file, help="A file with one key a line; or SLIPWAY_API_KEYS, comma separated.")
@click.option("--max-rows", type=Integer(1), default=10_000, show_default=True, help="Of a request.")
@click.option("--max-body-mb", type=Integer(1), default=10, show_default=True, help="Of a request.")
@click.option("--timeout", type=Number(0.1), default=30.0, show_default=True, help="Seconds for an answer.")
@click.option("--keep-warm", type=Number(0), default=300.0, show_default=True, help="Seconds for the version before.")
@click.option(
    "--contract",
    type=click.Choice(["count", "refuse"]),
    default="count",
    show_default=True,
    help="What becomes of values that break the data contract: counted in /metrics, or refused with 400 too.",
)
@click.option(
    "--capture",
    type=share,
    is_flag=False,
    flag_value="100%",
    metavar="SHARE",
    help="Keep requests and answers, all or a share such as 10%; nothing by default.",
)
@click.option("--capture-max-mb", type=Integer(1), default=1000, show_default=True, help="On disk, of each model.")
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write; by default a file in the home's logs.",
)
@click.option("--engine", type=click.Choice(["slipway", "mlflow"]), default="slipway", show_default=True)
@arm_options
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
    contract: str,
    capture: float | None,
    capture_max_mb: int,
    log: Path | None,
    engine: str,
    variant_routing: dict[str, Any],
    as_json: bool,
) -> None:
    """Answer REST requests with the version of a stage until Ctrl-C.

    The registry is followed: a version that comes into the stage takes over without a request being lost. Several models are
    answered at /models/NAME/invocations. `--engine mlflow` runs `mlflow models serve`, which stays with the version it started
    with and knows none of the limits.

    With `--shadow` or `--canary` a second version is beside the one that answers, compared with it and judged. A canary that
    passes a bound is ended: all callers are answered by the first version again.
    """
    _require_one_source(names, folder, version, log, engine)
    variant = second_version(next(iter(names), ""), variant_routing)
    if variant:
        _require_room_for(variant, names, of, version, engine)
    if _given("capture_max_mb") and not capture:
        raise UsageError("--capture-max-mb bounds what --capture keeps, and that is not given; add --capture")
    if capture and engine == "mlflow":
        raise UsageError("--engine mlflow captures nothing; leave --capture out, or serve with --engine slipway")
    if engine == "mlflow":
        _require_known_to_mlflow(settings)
        from slipway.workflows.endpoint.mlflow import serve_with_mlflow

        endpoint = serve_with_mlflow(settings, names[0], stage=of, number=version, host=host, port=port)
    else:
        from slipway.registry.watch import Followed
        from slipway.serving.config import ServingConfig
        from slipway.workflows.endpoint.capture import to_capture
        from slipway.workflows.endpoint.folder import serve_folder
        from slipway.workflows.serve import serve

        config = ServingConfig(
            fronts=workers,
            max_rows=max_rows,
            max_body_bytes=max_body_mb * 1_000_000,
            max_bodies_bytes=max(10, max_body_mb) * 10_000_000,
            timeout_s=timeout,
            keep_warm_s=keep_warm,
            strict=contract == "refuse",
            variant_config=variant[0] if variant else None,
        )
        followed = [Followed(name, of, version) for name in dict.fromkeys(names)]
        kept = to_capture(settings, capture, capture_max_mb * 1_000_000) if capture else None
        start = partial(serve, settings, followed, beside=variant[1] if variant else None)
        if folder:
            start = partial(serve_folder, settings, folder)
        endpoint = start(host=host, port=port, config=config, keys_file=api_keys, log=log, capture=kept)
    show(endpoint, as_json)
    endpoint.stay()


def _given(option: str) -> bool:
    return click.get_current_context().get_parameter_source(option) is ParameterSource.COMMANDLINE


def _require_known_to_mlflow(settings: Settings) -> None:
    """Refuse what would be ignored, above all keys: who asks for them has to get a service that asks for them."""
    if unknown := [f"--{each.replace('_', '-')}" for each in _OURS if _given(each)]:
        raise UsageError(
            f"--engine mlflow knows no {', '.join(unknown)}; leave that out, or serve with --engine slipway"
        )
    if settings.api_keys:
        raise UsageError(
            "SLIPWAY_API_KEYS is set, and --engine mlflow asks nobody for a key; unset it, or --engine slipway"
        )


def _require_room_for(
    variant: "tuple[VariantConfig, Followed]", names: tuple[str, ...], of: Stage, version: int | None, engine: str
) -> None:
    variant_config, beside = variant
    if len(set(names)) != 1 or engine == "mlflow":
        raise UsageError(f"--{variant_config.role} takes one name of the registry, and no --engine mlflow")
    if (beside.version and beside.version == version) or (not version and not beside.version and beside.stage == of):
        raise UsageError(
            f"--{variant_config.role} {variant_config.of} is what is served already; name another stage, or a version"
        )


def _require_one_source(
    names: tuple[str, ...], folder: Path | None, version: int | None, log: Path | None, engine: str
) -> None:
    if bool(names) == bool(folder):
        raise UsageError("name the models to serve, or a folder that `slipway image` wrote with --from; one of the two")
    if folder and (version or _given("of")):
        raise UsageError("--from serves the version that is in the folder; it goes without --version and --stage")
    if engine == "mlflow" and (folder or log):
        raise UsageError("--engine mlflow goes without --from and --log")
    if len(names) > 1 and (version or engine == "mlflow"):
        raise UsageError("--version and --engine mlflow take one name")
