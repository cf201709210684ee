"""The command `slipway serve`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from slipway.cli._options import Integer, Number, command, json_option, share, show
from slipway.cli._variants import read_variant, variant_options
from slipway.core.release.transitions import stage_named
from slipway.errors import UsageError
from slipway.settings import Settings
from slipway.types import Stage

if TYPE_CHECKING:
    from slipway.registry.watch import Followed
    from slipway.serving.config import VariantConfig

_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_OURS = ("api_keys", "workers", "max_rows", "max_body_mb", "timeout", "keep_warm", "contract")
"""The options that `mlflow models serve` does not have."""


@command(example="slipway serve flight_delays --port 5001 --workers 2 --api-keys keys.txt")
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--from", "folder", type=_folder, help="A folder that `slipway image` wrote; no registry is asked.")
@click.option("--stage", "of", type=stage_named, default=Stage.PRODUCTION, show_default="Production", metavar="STAGE")
@click.option("--version", type=Integer(1), help="Always this version, whatever its stage.")
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 to answer other machines.")
@click.option("--port", type=Integer(0, 65535), default=5001, show_default=True, help="0 for any free one.")
@click.option("--workers", type=Integer(1, 64), default=1, show_default=True, help="Processes that answer.")
@click.option("--api-keys", type=_file, help="A file with one key a line; or SLIPWAY_API_KEYS, comma separated.")
@click.option("--max-rows", type=Integer(1), default=10_000, show_default=True, help="Rows of a request.")
@click.option("--max-body-mb", type=Integer(1), default=10, show_default=True, help="Megabytes of a request.")
@click.option("--timeout", type=Number(0.1), default=30.0, show_default=True, help="Seconds for an answer.")
@click.option(
    "--keep-warm",
    type=Number(0),
    default=300.0,
    show_default=True,
    help="Seconds that the version before stays loaded.",
)
@click.option(
    "--contract",
    type=click.Choice(["count", "refuse"]),
    default="count",
    show_default=True,
    help="Values that break the data contract are counted in /metrics, or refused with 400 as well.",
)
@click.option(
    "--capture",
    type=share,
    is_flag=False,
    flag_value="100%",
    metavar="SHARE",
    help="Keep requests and answers, all of them or a share such as 10%; by default none.",
)
@click.option(
    "--capture-max-mb", type=Integer(1), default=1000, show_default=True, help="Megabytes on disk for each model."
)
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The log file; by default one in the home's logs.",
)
@click.option("--engine", type=click.Choice(["slipway", "mlflow"]), default="slipway", show_default=True)
@variant_options
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
    variant_given: dict[str, Any],
    as_json: bool,
) -> None:
    """Answer REST requests with the version of a stage until Ctrl-C.

    The service follows the registry: a version that comes into the stage takes over without a request being lost. Several
    models are answered at /models/NAME/invocations. `--engine mlflow` runs `mlflow models serve`, which stays with the version
    that it started with and has none of the limits.

    With `--shadow` or `--canary` a second version, the variant, runs beside the primary, and is compared with the primary and
    judged. A canary that violates a guardrail is ended: the primary answers all callers again.
    """
    _require_one_source(names, folder, version, log, engine)
    variant = read_variant(next(iter(names), ""), variant_given)
    if variant:
        _require_room_for(variant, names, of, version, engine)
    if _given("capture_max_mb") and not capture:
        raise UsageError("--capture-max-mb needs --capture, which is not given; add --capture")
    if capture and engine == "mlflow":
        raise UsageError("--engine mlflow cannot capture; leave --capture out, or serve with --engine slipway")
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
        capturing = to_capture(settings, capture, capture_max_mb * 1_000_000) if capture else None
        start = partial(serve, settings, followed, beside=variant[1] if variant else None)
        if folder:
            start = partial(serve_folder, settings, folder)
        endpoint = start(host=host, port=port, config=config, keys_file=api_keys, log=log, capture=capturing)
    show(endpoint, as_json)
    endpoint.stay()


def _given(option: str) -> bool:
    return click.get_current_context().get_parameter_source(option) is ParameterSource.COMMANDLINE


def _require_known_to_mlflow(settings: Settings) -> None:
    """Refuse options that MLflow's server would ignore; ignored keys above all would leave the service open to everybody."""
    if unknown := [f"--{each.replace('_', '-')}" for each in _OURS if _given(each)]:
        raise UsageError(
            f"--engine mlflow does not have {', '.join(unknown)}; leave that out, or serve with --engine slipway"
        )
    if settings.api_keys:
        raise UsageError(
            "SLIPWAY_API_KEYS is set, and --engine mlflow checks no keys; unset it, or serve with --engine slipway"
        )


def _require_room_for(
    variant: "tuple[VariantConfig, Followed]", names: tuple[str, ...], of: Stage, version: int | None, engine: str
) -> None:
    variant_config, beside = variant
    if len(set(names)) != 1 or engine == "mlflow":
        raise UsageError(
            f"--{variant_config.role} takes one registered model and Slipway's own engine; "
            "name one model, and leave --engine mlflow out"
        )
    if (beside.version and beside.version == version) or (not version and not beside.version and beside.stage == of):
        raise UsageError(
            f"--{variant_config.role} {variant_config.of} is served already as the primary; name another stage or version"
        )


def _require_one_source(
    names: tuple[str, ...], folder: Path | None, version: int | None, log: Path | None, engine: str
) -> None:
    if bool(names) == bool(folder):
        raise UsageError(
            "name either the models to serve, or with --from a folder that `slipway image` wrote; one of the two"
        )
    if folder and (version or _given("of")):
        raise UsageError("--from serves the version in the folder; leave --version and --stage out")
    if engine == "mlflow" and (folder or log):
        raise UsageError("--engine mlflow has neither --from nor --log; leave them out, or serve with --engine slipway")
    if len(names) > 1 and (version or engine == "mlflow"):
        raise UsageError(f"--version and --engine mlflow take one model, and {len(names)} are named; name one")
