"""The stores of a tracking server for runs and artifacts: in its home, or in a database and a bucket of the team."""

from dataclasses import dataclass

from slipway.errors import UsageError
from slipway.tracking.bucket import Bucket, check_bucket, parse_bucket
from slipway.tracking.database import Database, check_database, parse_database

# Relative to the working directory, which is the home: a `#`, `?` or `%` in its name would be read as a part of the URI.
SQLITE, FOLDER = "sqlite:///mlflow.db", "./artifacts"


@dataclass(frozen=True)
class Stores:
    """The stores of a server. database: None = SQLite in the home. bucket: None = the folder `artifacts` in the home."""

    database: Database | None = None
    bucket: Bucket | None = None

    @property
    def backend(self) -> str:
        """The database as it may be shown."""
        return self.database.uri if self.database else SQLITE

    @property
    def artifacts(self) -> str:
        """The folder or bucket of the artifacts."""
        return self.bucket.uri if self.bucket else FOLDER

    @property
    def words(self) -> list[str]:
        """The options of `mlflow server`; nothing secret is among them."""
        store = self.database.store_uri if self.database else SQLITE
        return ["--backend-store-uri", store, "--artifacts-destination", self.artifacts, "--serve-artifacts"]

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the server's environment, secrets among them."""
        return (self.database.environment if self.database else {}) | (self.bucket.environment if self.bucket else {})

    def check(self) -> None:
        """Check that a server can be started on these stores. Raises StoreUnusable."""
        if self.database:
            check_database(self.database)
        if self.bucket:
            check_bucket(self.bucket)

    def require_same(self, backend: str, artifacts: str) -> None:
        """Raise UsageError for a server that is up on other stores than these; a store in the home agrees with any."""
        for asked, wanted, found in (
            (self.database, self.backend, backend),
            (self.bucket, self.artifacts, artifacts),
        ):
            if asked and wanted != found:
                raise UsageError(
                    f"the tracking server is up on {found}, not on {wanted}; stop it first with `slipway down`, or name "
                    "another home with SLIPWAY_HOME"
                )


def parse_stores(backend: str | None, artifacts: str | None, endpoint: str | None) -> Stores:
    """Read the values of --backend and --artifacts, and the endpoint of S3. Raises UsageError."""
    return Stores(
        parse_database(backend) if backend else None, parse_bucket(artifacts, endpoint) if artifacts else None
    )
