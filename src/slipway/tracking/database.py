"""The PostgreSQL under a tracking server: its address, and the check that MLflow can be started on it.

The password is no part of the address: libpq takes it from PGPASSWORD, so nothing that shows the address can show it.
"""

from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from slipway.errors import StoreUnusable, UsageError
from slipway.tracking.schema import known_revisions, newest_revision

FORM = "postgresql://USER@HOST/DATABASE"
CONNECT_S = 5
_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg2")
_SECRETS = {"sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"}
# Without a table of revisions, the number of tables and the right to make some say whether MLflow can make its own.
_FACTS = """
SELECT current_setting('transaction_read_only') = 'on',
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
       to_regclass('alembic_version') IS NOT NULL,
       (SELECT count(*) FROM pg_tables WHERE schemaname = current_schema())
"""


@dataclass(frozen=True)
class Database:
    """A PostgreSQL database. uri: without a password, so it may be shown."""

    uri: str
    password: str | None = field(default=None, repr=False, compare=False)

    @property
    def store_uri(self) -> str:
        """The address for MLflow, with the driver that Slipway comes with."""
        return self.uri.replace("postgresql:", "postgresql+psycopg2:", 1)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the server's environment beside those that are set already (PGPASSWORD, PGPASSFILE, ...)."""
        return {"PGPASSWORD": self.password} if self.password else {}


def parse_database(given: str) -> Database:
    """Read the value of --backend. No error repeats the value, since a part of it may be a password.

    Raises UsageError for anything but PostgreSQL, and for an address that cannot be read.
    """
    scheme, separator, rest = given.partition("://")
    if not separator or scheme.lower() not in _SCHEMES:
        shown = f"'{scheme}://…'" if separator else "no scheme"
        raise UsageError(
            f"--backend takes a PostgreSQL database, {FORM}; found {shown}. "
            "Without --backend the runs are kept in an SQLite file of the home folder"
        )
    parts = _parts(f"postgresql://{rest}")
    if parts is None or _is_torn(parts):
        raise UsageError(
            f"--backend cannot be read as {FORM}; a password that has one of `/ @ %` is written percent-encoded there, or "
            "as it is in PGPASSWORD"
        )
    if secret := sorted(_SECRETS & parts.keys()):
        raise UsageError(
            f"--backend holds {secret[0]}, which would be shown; name it in a service file (PGSERVICEFILE)"
        )
    return Database(_shown(parts), parts.get("password"))


def check_database(database: Database) -> None:
    """Check that MLflow can be started on a database: it answers, can be written, and has this MLflow's tables or none.

    Raises StoreUnusable, which says what to do next, after a few seconds at most.
    """
    psycopg2 = _psycopg2()
    given = {"password": database.password} if database.password else {}
    try:
        with (
            closing(psycopg2.connect(database.uri, connect_timeout=CONNECT_S, **given)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(_FACTS)
            read_only, may_create, migrated, tables = cursor.fetchone()
            cursor.execute("SELECT version_num FROM alembic_version" if migrated else "SELECT 0 WHERE false")
            rows = cursor.fetchall()
    except psycopg2.Error as error:
        raise _unreachable(database, error) from error
    if read_only:
        raise StoreUnusable(f"the database {database.uri} is read-only; name the primary, which can be written")
    if rows:
        _check_revision(database, rows[0][0])
    elif tables:
        raise StoreUnusable(
            f"the database {database.uri} holds {tables} table(s) that are not MLflow's; name one that is empty"
        )
    elif not may_create:
        raise StoreUnusable(
            f"no tables can be made in the database {database.uri}; let its owner `GRANT CREATE ON SCHEMA public` to "
            "this user, or make the user its owner"
        )


def _check_revision(database: Database, revision: str) -> None:
    if revision == newest_revision():
        return
    if revision not in known_revisions():
        raise StoreUnusable(
            f"the tables of {database.uri} are at revision {revision}, which the installed MLflow does not know: they are "
            "of a newer MLflow or of another program; install the Slipway that wrote them, or name another database"
        )
    raise StoreUnusable(
        f"the tables of {database.uri} are at revision {revision}, older than the {newest_revision()} of the installed "
        "MLflow. Nothing was changed. Back it up with `pg_dump`, stop every server on it, then run "
        f"`mlflow db upgrade '{database.store_uri}'` (the password in PGPASSWORD or ~/.pgpass)"
    )


def _unreachable(database: Database, error: Any) -> StoreUnusable:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    why = lines[-1 if "FATAL" in lines[-1] else 0] if lines else type(error).__name__
    if "does not exist" in why and "database" in why:
        what = "make it with `createdb`, or name another"
    elif "password" in why:
        what = "give the user's password in PGPASSWORD, in ~/.pgpass or, percent-encoded, in the address"
    else:
        what = "see that it is up, and that host, port, user and password are right"
    return StoreUnusable(f"the database {database.uri} cannot be used: {why}; {what}")


def _parts(uri: str) -> dict[str, Any] | None:
    """Take an address apart as libpq does; None when it cannot be read. libpq's error is dropped: it repeats the address."""
    psycopg2 = _psycopg2()
    try:
        parts: dict[str, Any] = psycopg2.extensions.parse_dsn(uri)
    except psycopg2.ProgrammingError:
        return None
    return parts


def _is_torn(parts: dict[str, Any]) -> bool:
    """Say whether an address was cut at a sign within its password, so that pieces of it stand in other parts."""
    host, port, database = (str(parts.get(key) or "") for key in ("host", "port", "dbname"))
    return "@" in host or "@" in database or "/" in database or bool(port.strip(",0123456789"))


def _shown(parts: dict[str, Any]) -> str:
    """Put an address together again, without its password."""
    user, host, port = (str(parts.get(key) or "") for key in ("user", "host", "port"))
    rest = {key: value for key, value in parts.items() if key not in ("user", "password", "host", "port", "dbname")}
    if "/" in host or "," in host:  # a socket's folder, or several hosts
        rest, host, port = rest | {"host": host} | ({"port": port} if port else {}), "", ""
    host = f"[{host}]" if ":" in host else host
    address = (f"{quote(user, safe='')}@" if user else "") + host + (f":{port}" if port else "")
    query = f"?{urlencode(rest, quote_via=quote)}" if rest else ""
    return f"postgresql://{address}/{quote(str(parts.get('dbname') or ''), safe='')}{query}"


def _psycopg2() -> Any:
    # Not psycopg 3, which SQLAlchemy 2.1 prefers: it hands MLflow's version numbers on as text, and moving a stage fails.
    try:
        import psycopg2
        import psycopg2.extensions
    except ImportError as error:
        raise StoreUnusable(
            f"PostgreSQL's driver cannot be loaded ({error}); install it with `pip install psycopg2-binary`"
        ) from error
    return psycopg2
