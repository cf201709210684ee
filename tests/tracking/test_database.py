"""A real PostgreSQL, checked with right and wrong names, and addresses that are read without showing a password."""

import time

import pytest

from slipway.errors import StoreUnusable, UsageError
from slipway.processes import free_port
from slipway.tracking.database import Database, check_database, parse_database
from slipway.tracking.schema import known_revisions, newest_revision


@pytest.mark.parametrize(
    ("given", "uri", "password"),
    [
        ("postgresql://ann@db.example/runs", "postgresql://ann@db.example/runs", None),
        ("postgresql://ann:se%2Fcret@db.example:5433/runs", "postgresql://ann@db.example:5433/runs", "se/cret"),
        ("postgres://ann:secret@db.example/runs", "postgresql://ann@db.example/runs", "secret"),
        ("postgresql+psycopg2://ann:secret@db.example/runs", "postgresql://ann@db.example/runs", "secret"),
        ("postgresql://ann@h/runs?sslmode=require&password=secret", "postgresql://ann@h/runs?sslmode=require", "secret"),
        ("postgresql://ann:secret@[::1]:5433/runs", "postgresql://ann@[::1]:5433/runs", "secret"),
        ("postgresql://ann:se?c#r:et@db/runs", "postgresql://ann@db/runs", "se?c#r:et"),
        ("postgresql:///runs?host=/run/pg&user=ann", "postgresql://ann@/runs?host=%2Frun%2Fpg", None),
        ("postgresql://", "postgresql:///", None),
    ],
)  # fmt: skip
def test_the_password_is_taken_out_of_the_address(given: str, uri: str, password: str | None) -> None:
    database = parse_database(given)
    assert (database.uri, database.password) == (uri, password)
    assert not password or password not in repr(database) + database.store_uri
    assert database.store_uri.startswith("postgresql+psycopg2://")
    assert database.environment == ({"PGPASSWORD": password} if password else {})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("mysql://ann:secret@db/runs", "found 'mysql://…'"),
        ("sqlite:///secret.db", "found 'sqlite://…'"),
        ("postgresql+psycopg://ann:secret@db/runs", r"found 'postgresql\+psycopg://…'"),
        ("ann:secret@db/runs", "found no scheme"),
        ("postgresql://ann:sec/secret@db/runs", "is written percent-encoded"),
        ("postgresql://ann:12/secret@db/runs", "is written percent-encoded"),
        ("postgresql://ann:sec@secret@db/runs", "is written percent-encoded"),
        ("postgresql://ann:sec%zzsecret@db/runs", "is written percent-encoded"),
        ("postgresql://ann@db:port/runs", "is written percent-encoded"),
        ("postgresql://ann@db/runs?sslpassword=secret", "holds sslpassword"),
    ],
)
def test_what_cannot_be_used_is_refused_without_being_repeated(given: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        parse_database(given)
    assert "secret" not in str(refused.value)


@pytest.mark.slow
def test_an_empty_database_and_one_of_this_mlflow_can_be_used(postgres) -> None:
    check_database(parse_database(postgres()))
    check_database(parse_database(postgres(migrated=True)))


def test_one_that_cannot_be_used_is_told_within_seconds_and_what_to_do(postgres) -> None:
    right = postgres()
    nobody = f"postgresql://team@127.0.0.1:{free_port('127.0.0.1', 0)}/runs"
    for given, told in (
        (right.replace("word", "wort"), "password authentication failed.*; give the user's password in PGPASSWORD"),
        (right.replace(":team%2Fword", ""), "no password supplied.*; give the user's password in PGPASSWORD"),
        (right.replace("/slipway_", "/sloppy_"), 'database "sloppy_.*" does not exist; make it with `createdb`'),
        (nobody, "Connection refused; see that it is up"),
        (right.replace("127.0.0.1", "nowhere.invalid"), "nowhere.invalid.*; see that it is up"),
    ):
        started = time.monotonic()
        with pytest.raises(StoreUnusable, match=told) as refused:
            check_database(parse_database(given))
        assert time.monotonic() - started < 20
        assert "word" not in str(refused.value).replace("password", "").replace("PGPASSWORD", "")


def test_pgpassword_is_enough(postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "team/word")
    check_database(Database(postgres().replace(":team%2Fword", "")))


@pytest.mark.parametrize(
    ("revision", "told"),
    [
        (
            known_revisions()[-2],
            rf"older than the {newest_revision()} of the installed MLflow(?s:.*)`mlflow db upgrade",
        ),
        ("f" * 12, "which the installed MLflow does not know"),
    ],
)
@pytest.mark.slow
def test_tables_of_another_mlflow_are_left_alone(postgres, revision: str, told: str) -> None:
    uri = postgres(migrated=True)
    postgres.ask(uri.replace("team:team%2Fword", "postgres"), "UPDATE alembic_version SET version_num = %s", revision)
    with pytest.raises(StoreUnusable, match=told) as refused:
        check_database(parse_database(uri))
    assert "word@" not in str(refused.value)


def test_a_database_of_something_else_or_without_permission_is_told(postgres) -> None:
    uri = postgres()
    postgres.ask(uri, "CREATE TABLE orders (number INTEGER)")
    with pytest.raises(StoreUnusable, match=r"holds 1 table\(s\) that are not MLflow's; name one that is empty"):
        check_database(parse_database(uri))
    name = uri.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} OWNER TO postgres")
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(StoreUnusable, match="is read-only; name the primary"):
        check_database(parse_database(uri))
    other = postgres()
    postgres.execute(f"ALTER DATABASE {other.rpartition('/')[2]} OWNER TO postgres")
    with pytest.raises(StoreUnusable, match="GRANT CREATE ON SCHEMA public"):
        check_database(parse_database(other))
