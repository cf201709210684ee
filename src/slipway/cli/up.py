"""The commands `slipway up` and `slipway down`."""

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import click

from slipway.cli._options import Integer, command, json_option, show
from slipway.settings import Settings


@command(example="slipway up --detach")
@click.option("--host", help="127.0.0.1 by default; another address, such as 0.0.0.0, needs --auth.")
@click.option(
    "--port",
    type=Integer(0, 65535),
    help="By default the home's last port, else 5000; the next free one where it is taken; 0 for any free one.",
)
@click.option("--detach", is_flag=True, help="Return when the server answers; `slipway down` stops it.")
@click.option("--auth", is_flag=True, help="With MLflow's users and permissions; a home that has them keeps them.")
@click.option(
    "--backend", metavar="URI", help="The database, postgresql://USER@HOST/DATABASE; by default SLIPWAY_BACKEND."
)
@click.option("--artifacts", metavar="URI", help="The bucket, s3://BUCKET/PREFIX; by default SLIPWAY_ARTIFACTS.")
@click.option(
    "--notices",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Who is told of what; by default notices.yaml in the home, where there is one.",
)
@click.option(
    "--allow-origin",
    "origins",
    metavar="ORIGIN",
    multiple=True,
    help="Take requests from pages of it, too, as https://slipway.example before a proxy; by default SLIPWAY_ALLOWED_ORIGINS.",
)
@json_option
def up(
    settings: Settings,
    host: str | None,
    port: int | None,
    detach: bool,
    auth: bool,
    backend: str | None,
    artifacts: str | None,
    notices: Path | None,
    origins: tuple[str, ...],
    as_json: bool,
) -> None:
    """Start the MLflow tracking server and keep it up until Ctrl-C.

    Without --backend and --artifacts the server keeps everything in its home, in SQLite and a folder.
    """
    from slipway.workflows.platform import up

    if backend:
        _keep_out_of_the_process_list(backend)
    chosen = replace(
        settings,
        backend=backend or settings.backend,
        artifacts=artifacts or settings.artifacts,
        notices=notices.resolve() if notices else settings.notices,
        allowed_origins=origins or settings.allowed_origins,
    )
    server = up(chosen, host=host, port=port, auth=auth, detach=detach)
    show(server, as_json)
    server.stay()


@command(example="slipway down")
@json_option
def down(settings: Settings, as_json: bool) -> None:
    """Stop the MLflow tracking server that `slipway up` started."""
    from slipway.workflows.platform import down

    show(down(settings), as_json)


def _keep_out_of_the_process_list(backend: str) -> None:
    """Start this process anew without --backend if a password is in it, since every user of the machine can read arguments."""
    secret = re.search(r"://[^@]*:.*@|password=", backend)
    words = [word for word in sys.orig_argv[1:] if word not in (backend, "--backend", f"--backend={backend}")]
    if secret and len(words) < len(sys.orig_argv) - 1:
        os.execve(sys.executable, [sys.orig_argv[0], *words], {**os.environ, "SLIPWAY_BACKEND": backend})
