"""No secret of a source is ever seen: a canary is looked for in every message that can be provoked."""

import base64
import contextlib
import hashlib
import logging
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.helpers.source_kinds import put_into_postgres, rows

from slipway.core.spec import Source, source_at
from slipway.core.spec._yaml import read_experiment
from slipway.errors import FileUnusable, SlipwayError, SpecInvalid, UsageError
from slipway.sources import open_table, peek, read_table
from slipway.sources._download import _answer

CANARY = "tweet/like@a bird's"
SEEN = ("tweet", "bird", "canary_user")
VARIABLES = {"DB_USER": "canary_user", "DB_WORD": CANARY}


def unseen(error: BaseException) -> str:
    """Return the message of an error, once no secret is in it nor in its traceback."""
    told = f"{error} {error!r} {''.join(traceback.format_exception(error))}"
    shown = "".join(line for line in told.splitlines() if "CANARY" not in line and "VARIABLES" not in line)
    assert not [part for part in SEEN if part in shown], shown
    return str(error)


def refused(url: str, variables: dict[str, str] = VARIABLES, **keys: Any) -> str:
    with pytest.raises(SlipwayError) as raised:
        read_table(source_at(url, **keys), variables=variables)
    return unseen(raised.value)


@pytest.fixture
def loud(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Take everything that is logged at any level, and what is printed, and look through it at the end."""
    caplog.set_level(logging.DEBUG)
    yield
    told = caplog.text + "".join(capfd.readouterr())
    assert not [part for part in SEEN if part in told]


@pytest.mark.parametrize(
    "source",
    [
        "postgresql://team:tweet@db/warehouse",
        "postgresql://team:tweet/like@db/warehouse",
        "postgresql://team:tweet@like@db/warehouse",
        "postgresql://team:${A}tweet@db/warehouse",
        "postgresql://db/warehouse?password=tweet",
        "https://me:tweet@x.com/rows.csv",
        "https://x.com/rows.csv?X-Amz-Signature=tweet",
        "https://x.com/rows.csv?sig=tweet",
        "s3://team:tweet@bucket/rows.csv",
        "mysql://team:tweet@db/warehouse",
        "oracle+x://team:tweet@db:port/warehouse",
        "[postgresql://team:tweet@db/warehouse]",
        "{url: 7, table: 'postgresql://team:tweet@db', sep: [postgresql://team:tweet@db/w]}",
    ],
)
def test_a_password_in_yaml_is_refused_with_its_line_and_not_repeated(source: str) -> None:
    text = (
        "name: rides\nscope: {goal: Say more.}\ntask: binary\ndata:\n"
        f"  source: {source}\n  target: late\n  columns: {{late: {{type: int}}, x: {{type: int}}}}\n"
        "split: {method: random}\nsearch:\n  metric: roc_auc\n"
        "  candidates: {a: {estimator: sklearn.linear_model.LogisticRegression}}\n"
    )
    with pytest.raises(SpecInvalid) as raised:
        read_experiment(text)
    assert "experiment.yaml:5: data.source" in unseen(raised.value)


@pytest.mark.parametrize("key", ["access_key", "a=1&Subscription-Key", "pwd", "auth", "AWS_SECRET", "jwt"])
def test_a_query_that_names_a_secret_is_refused_whatever_the_secret_is_called(key: str) -> None:
    with pytest.raises(UsageError, match="which is a secret") as raised:
        source_at(f"https://x.com/rows.csv?{key}=tweet", sha256="0" * 64)
    assert "tweet" not in str(raised.value)
    for harmless in ("keyboard", "passenger", "author"):
        source_at(f"https://x.com/rows.csv?{harmless}=1", sha256="0" * 64)


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(UsageError, match=r"the variable DB_WORD of the environment, which is not set"):
        read_table(source_at("postgresql://me:${DB_WORD}@127.0.0.1/x", table="t"))


def test_a_database_that_is_not_there_shows_no_secret(loud: None) -> None:
    said = refused("postgresql://${DB_USER}:${DB_WORD}@127.0.0.1:1/ware", table="rides")
    assert "postgresql://127.0.0.1:1/ware cannot be read as sql: connection to server" in said


@pytest.mark.slow
def test_a_real_database_that_refuses_shows_no_secret(postgres: Any, tmp_path: Path, loud: None) -> None:
    uri = postgres()
    given = put_into_postgres(uri, rows(5))
    place = uri.rpartition("@")[2]
    url = f"postgresql://${{DB_USER}}:${{DB_WORD}}@{place}"
    assert 'password authentication failed for user "***"' in refused(url, table="rides")
    team = {**given.variables, **VARIABLES}
    ours = str(given.source.url)
    for keys in (
        {"table": "nothing"},
        {"query": "SELECT nothing FROM rides"},
        {"query": "SELECT 1/0 AS a"},
        {"query": "SELECT ("},
    ):
        assert "cannot be read as sql" in refused(ours, team, **keys)
    assert "a data-modifying statement" in refused(
        ours, team, query="WITH x AS (DELETE FROM rides RETURNING *) SELECT * FROM x"
    )
    assert "read-only transaction" in refused(ours, team, query="SELECT lo_create(0)")
    assert len(read_table(given.source, variables=team)) == 5
    assert "statement timeout" in refused(ours, team, query="SELECT pg_sleep(30)::text AS a", timeout_s=0.3)
    assert "has more than 1 MB; raise `max_mb`" in refused(
        ours, team, query="SELECT repeat('x', 999) a FROM generate_series(1, 9999)", max_mb=1
    )


def test_a_web_server_gets_the_password_and_nobody_else_sees_it(web: Any, loud: None) -> None:
    body = b"a\n1\n"
    web.files["/rows.csv"] = body
    url = web.url.replace("http://", "http://${DB_USER}:${DB_WORD}@")
    frame = read_table(source_at(f"{url}/rows.csv", sha256=hashlib.sha256(body).hexdigest()), variables=VARIABLES)
    assert frame["a"].tolist() == [1]
    wanted = "Basic " + base64.b64encode(f"canary_user:{CANARY}".encode()).decode()
    assert web.asked[0]["Authorization"] == wanted
    assert "404" in refused(f"{url}/other.csv", sha256="0" * 64)
    assert "is not the file that is declared" in refused(f"{url}/rows.csv", sha256="0" * 64)


def test_a_download_that_breaks_off_is_an_error_and_leaves_nothing(
    web: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        handler.wfile.write(b"a\n1\n")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    web.files.update({"/rows.csv": broken, "/many.csv": b"a\n" + b"1\n" * 600_000})
    assert "cannot be read as csv" in refused(f"{web.url}/rows.csv")
    assert "has more than 1 MB; raise `max_mb`" in refused(f"{web.url}/many.csv", max_mb=1)
    assert not list(tmp_path.iterdir())


def test_a_server_that_dribbles_is_left_at_the_time_limit(web: Any) -> None:
    left = threading.Event()

    def dribbling(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        with contextlib.suppress(OSError):
            while not left.wait(0.1):
                handler.wfile.write(b"1\n")

    web.files["/rows.csv"] = dribbling
    failed: list[str] = []
    reading = threading.Thread(target=lambda: failed.append(refused(f"{web.url}/rows.csv", timeout_s=0.5)), daemon=True)
    reading.start()
    reading.join(60)
    left.set()
    assert failed and "took longer than 0.5 s" in failed[0]


def test_a_body_in_chunks_is_read_whole(web: Any) -> None:
    def chunked(handler: Any) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for part in (b"a\n1\n", b"2\n", b""):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

    web.files["/rows.csv"] = chunked
    assert read_table(source_at(f"{web.url}/rows.csv"))["a"].tolist() == [1, 2]


class Elsewhere:
    """A session that finds a redirect at every address."""

    def __init__(self, to: str) -> None:
        self.to = to
        self.asked: list[str] = []

    def get(self, url: str, **_: Any) -> Any:
        self.asked.append(url)
        return SimpleNamespace(is_redirect=True, headers={"Location": self.to}, close=lambda: None)


@pytest.mark.parametrize(
    "to", ["http://127.0.0.1:5000/api", "http://localhost/x", "file:///etc/passwd", "http://other/x"]
)
def test_another_machine_does_not_lead_to_what_only_this_one_sees(to: str) -> None:
    session = Elsewhere(to)
    with pytest.raises(FileUnusable, match="which is not https"):
        _answer(session, "https://example.org/rows.csv", None)
    assert session.asked == ["https://example.org/rows.csv"]


def test_a_password_does_not_follow_a_redirect_to_another_host(web: Any, loud: None) -> None:
    def away(handler: Any) -> None:
        handler.send_response(302)
        handler.send_header("Location", web.url.replace("127.0.0.1", "localhost") + "/rows.csv")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    web.files.update({"/moved.csv": away, "/rows.csv": b"a\n1\n"})
    url = web.url.replace("http://", "http://${DB_USER}:${DB_WORD}@")
    sample = peek(source_at(f"{url}/moved.csv"), 5, variables=VARIABLES)
    assert sample.source.sha256 == hashlib.sha256(b"a\n1\n").hexdigest()
    assert ["Authorization" in asked for asked in web.asked[:2]] == [True, False]


@pytest.mark.slow
def test_a_bucket_that_is_not_there_shows_no_key(s3: Any, as_environment: Callable[..., None], loud: None) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "tweet_like_a_bird"}
    as_environment({**s3.environment, **keys})
    assert "there is no file s3://nobodys/rows.csv" in refused("s3://nobodys/rows.csv", keys)


def test_an_error_of_somebody_elses_code_is_not_taken_for_one_of_the_table(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a\n1\n")
    with pytest.raises(OSError, match="disk full"), open_table(Source(url="rows.csv"), tmp_path) as table:
        for _ in table.batches():
            raise OSError("disk full")


def test_sql_cannot_write_to_a_file_and_a_missing_file_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match=r"there is no file .*ware\.db; sqlite:/// takes a path from"):
        read_table(source_at("sqlite:///ware.db", table="rides"), folder=tmp_path)
    assert not list(tmp_path.iterdir())
