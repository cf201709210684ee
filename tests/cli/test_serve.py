"""`slipway serve` with what cannot be meant: one line that says what was found, and nothing is started."""

import socket
from pathlib import Path

import pytest

from slipway.cli import main
from slipway.errors import ServiceFailed, UsageError
from slipway.serving.http.sockets import listen


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name either the models to serve, or with --from a folder"),
        (("m", "--from", "."), "one of the two"),
        (("--from", ".", "--stage", "Staging"), "leave --version and --stage out"),
        (("--from", ".", "--shadow", "Staging"), "--shadow takes one registered model"),
        (("m", "--stage", "Prod"), "there is: None, Staging, Production, Archived"),
        (("m", "--workers", "0"), "0 is not in the range 1<=x<=64"),
        (("m", "--port", "70000"), "70000 is not in the range 0<=x<=65535"),
        (("m", "--timeout", "nan"), "'nan' is not a number"),
        (("m", "--keep-warm", "NaN"), "'NaN' is not a number"),
        (("m", "--capture", "200%"), "'200%' is not a valid share"),
        (("m", "--capture-max-mb", "10"), "which is not given; add --capture"),
        (("m", "--log", "."), "is a directory"),
        (
            ("m", "--engine", "mlflow", "--workers", "2"),
            "does not have --workers; leave that out, or serve with --engine slipway",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *words]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told


def test_mlflows_engine_is_no_way_around_the_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "keys").write_text("the-key\n")
    assert main(["serve", "m", "--engine", "mlflow", "--api-keys", str(tmp_path / "keys")]) == 2
    assert "--engine mlflow does not have --api-keys" in capsys.readouterr().err
    monkeypatch.setenv("SLIPWAY_API_KEYS", "the-key")
    assert main(["serve", "m", "--engine", "mlflow"]) == 2
    told = capsys.readouterr().err
    assert "SLIPWAY_API_KEYS is set, and --engine mlflow checks no keys" in told
    assert "the-key" not in told


def test_an_empty_host_is_not_every_address() -> None:
    with pytest.raises(UsageError, match="--host is empty"):
        listen("", 0)


def test_a_port_that_is_taken_is_named() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ServiceFailed, match=r"is taken on 127.0.0.1; name another"),
    ):
        listen(*taken.getsockname())
