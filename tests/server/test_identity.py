"""Users and their roles, as an admin gives them by command."""

import io
import json
from typing import TYPE_CHECKING

import pytest

from slipway.cli import main
from slipway.errors import UsageError
from slipway.tracking.server import start_server

if TYPE_CHECKING:
    from conftest import Guarded


def give(
    server: "Guarded", capsys: pytest.CaptureFixture[str], *words: str, as_: str = "admin", password: str = ""
) -> tuple[int, str]:
    with server.client(as_), pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        code = main(["--tracking-uri", server.uri, "user", *words, "--json"])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_an_admin_makes_a_user_and_gives_roles(server: "Guarded", capsys: pytest.CaptureFixture[str]) -> None:
    if not server.users:
        code, said = give(server, capsys, "ana", "promoter")
        assert code == 2 and "start it with `slipway up --auth`" in said
        with pytest.raises(UsageError, match="is up without auth"):
            start_server(server.home, auth=True)
        return
    model = server.model()
    code, said = give(server, capsys, "ana", "approver", "--model", model, password="short")
    assert code == 2 and "the password of ana has 5 characters; it takes at least 12" in said
    code, said = give(server, capsys, "ana", "approver", "--model", model, password="ana-may-approve-1")
    assert (code, json.loads(said)) == (
        0,
        {"name": "ana", "role": "approver", "model": model, "new": True, "trains": False},
    )
    server.users["ana"] = "ana-may-approve-1"
    about = f"/api/2.0/slipway/about?model={model}"
    assert server.ask("GET", about, "ana").json()["may"] == ["approve"]
    for _ in range(2):
        code, said = give(server, capsys, "ana", "promoter", "--model", model)
        assert (code, json.loads(said)["new"]) == (0, False)
    assert server.ask("GET", about, "ana").json()["may"] == ["judge", "approve", "promote"]
    assert server.ask("GET", "/api/2.0/slipway/about?model=another", "ana").json()["may"] == []
    code, said = give(server, capsys, "ana", "promoter", as_="ana")
    assert code == 1 and "only an admin sees and changes users" in said


@pytest.mark.parametrize(
    "words", [("user", "ana", "approver"), ("history", "rides"), ("promote", "rides", "1", "Staging")]
)
def test_no_and_wrong_credentials_are_told_apart_and_exit_alike(
    server: "Guarded", capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    if not server.users:
        return  # nobody has to prove who he is
    for who, told in (
        (None, "does not know who asks: set MLFLOW_"),
        (("pia", "wrong"), "the user 'pia' or its password"),
    ):
        with server._speaking_as(who):
            assert main(["--tracking-uri", server.uri, *words]) == 2
        said = capsys.readouterr().err
        assert told in said and "wrong" not in said and "--debug" not in said


@pytest.mark.parametrize(
    ("words", "verb"),
    [
        (("promote", "MODEL", "2", "Production"), "promote"),
        (("gates", "MODEL", "2"), "run the gates of"),
        (("rollback", "MODEL"), "roll back"),
        (("archive", "MODEL", "2"), "archive a version of"),
        (("reconcile", "MODEL"), "reconcile"),
    ],
)
def test_who_may_not_is_told_before_the_work_and_by_what_was_asked(
    server: "Guarded", capsys: pytest.CaptureFixture[str], words: tuple[str, ...], verb: str
) -> None:
    if not server.users:
        return  # everybody may
    model = server.model()  # of which nothing can be downloaded: work that begins fails otherwise
    with server.client("edi"):
        assert main(["--tracking-uri", server.uri, *(model if word == "MODEL" else word for word in words)]) == 1
    assert f"edi may not {verb} {model}: that takes the permission MANAGE" in capsys.readouterr().err
