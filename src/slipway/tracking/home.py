"""The home of the embedded server: the files that a backup keeps, and copies of databases while the server is up."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from slipway.errors import FileUnusable
from slipway.files import is_partial

DATABASE = "mlflow.db"
# These belong to the machine and the moment: logs, addresses, locks (all that `notices` has), served and captured files.
_STAYS = {"logs", "models", "capture", "server.json", "server.lock", "server.port", ".restore", "notices"}
_SIDECARS = ("-wal", "-shm", "-journal")
_SQLITE = b"SQLite format 3\0"
_COUNTED = {"experiments": "experiments", "runs": "runs", "models": "registered_models", "versions": "model_versions"}


def is_kept(name: str) -> bool:
    """Say whether a backup keeps an entry at the top of the home: databases, settings, artifacts."""
    if is_partial(name) or name.endswith(_SIDECARS):
        return False
    return name not in _STAYS and not name.startswith(("server.json.", "replaced-"))


def keep_private(file: Path) -> None:
    """Let only the owner read a file; an empty file is made where there is none, so that it is private before it is filled.

    SQLite gives the files beside a database the same permissions. Raises FileUnusable when the file cannot be made.
    """
    try:
        os.close(os.open(file, os.O_RDONLY | os.O_CREAT, 0o600))
    except OSError as error:
        raise FileUnusable(f"{file} cannot be written: {error.strerror}") from error
    with suppress(PermissionError):  # the file is of another user, who shares it on purpose
        file.chmod(0o600)


def databases(home: Path) -> list[Path]:
    """Return the SQLite databases at the top of `home`, whatever their names."""
    return [path for path in sorted(home.iterdir()) if is_kept(path.name) and path.is_file() and _is_sqlite(path)]


def other_files(home: Path) -> Iterator[Path]:
    """Yield every file that a backup keeps beside the databases. Raises FileUnusable at a link: it may lead elsewhere."""
    database_names = {path.name for path in databases(home)}
    for top in sorted(home.iterdir()):
        if top.name in database_names or not is_kept(top.name):
            continue
        if top.is_file():
            yield top
        for folder, _, names in os.walk(top):
            for path in (Path(folder, name) for name in sorted(names)):
                if path.is_symlink() or not path.is_file():
                    if path.is_symlink() or path.exists():
                        raise FileUnusable(f"{path} is no file; a backup holds files only: put the file itself there")
                    continue  # deleted since
                yield path


def copy_database(source: Path, target: Path) -> None:
    """Copy an SQLite database as it is at one moment, while other processes write to it. Raises FileUnusable."""
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True, timeout=60)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            copy.execute("PRAGMA journal_mode = OFF")  # nothing beside the copy either, should this be killed
            live.backup(copy, sleep=0.02)  # in one step: in many, each write of another process would begin it anew
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
    except sqlite3.Error as error:
        raise FileUnusable(f"the database {source} cannot be copied to {target.parent}: {error}") from error


def revision(database: Path) -> str:
    """Return the revision of MLflow's tables in an SQLite file. Raises FileUnusable when there are none."""
    return str(_ask(database, "SELECT version_num FROM alembic_version"))


def counts(database: Path) -> dict[str, int]:
    """Return how many experiments, runs, models and versions an SQLite file holds. Raises FileUnusable."""
    return {name: int(str(_ask(database, f"SELECT count(*) FROM {table}"))) for name, table in _COUNTED.items()}  # noqa: S608


def _ask(database: Path, question: str) -> object:
    try:
        with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)) as connection:
            return connection.execute(question).fetchone()[0]
    except (sqlite3.Error, TypeError) as error:  # TypeError: the table has no row
        raise FileUnusable(f"{database.name} is no database of MLflow: {error}") from error


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE
