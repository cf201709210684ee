"""An evidence bundle: the evidence of a version for its gates, as a handful of small files that travel as one zip.

case.json       the version, the champion, their digests, the measurements, the verdicts of the experiment's own gates
test.parquet    truth, challenger's and champion's answers on the test rows; which rows the champion was not trained on
newest.parquet  truth and answers on the newest labelled rows, where there are any

The judge does not believe a bundle: truth, digests and declarations are compared with those stored beside the version.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import ArrowException
from pydantic import Field, TypeAdapter, ValidationError

from slipway.core.gates import Measured, Newest
from slipway.core.statistics.metrics import Outcome
from slipway.errors import UsageError
from slipway.registry.evidence.test_rows import outcome_columns, outcome_of, truth_columns
from slipway.types import MOST_VERSION, Stage

CASE, TEST, NEWEST = "case.json", "test.parquet", "newest.parquet"
FORMAT = 1
MOST_BYTES = 512 * 1024 * 1024
"""The most bytes of a bundle, packed or unpacked: ten million rows with three scores each."""
_MOST_NUMBERS = MOST_BYTES // 2  # of one file, unpacked: a page of Parquet may repeat one number a billion times
_CHALLENGER, _CHAMPION, _UNSEEN = "challenger", "champion", "unseen"


@dataclass(frozen=True)
class BundleFacts:
    """The content of `case.json`.

    Attributes:
        name: the registered model.
        version: the version that is judged.
        stage: the stage that it is judged for.
        digest: the digest of its files.
        champion: the champion's version and digest; None without one.
        problem: why the champion has no answers; empty where it has.
        probabilistic: whether challenger's and champion's scores are probabilities.
        measured: the measurements.
        since: the first of the newest rows; empty without these.
        format: the format of the bundle.
    """

    name: str
    version: Annotated[int, Field(ge=1, le=MOST_VERSION)]
    stage: Stage
    digest: str
    champion: tuple[int, str] | None
    problem: str
    probabilistic: tuple[bool, bool]
    measured: Measured
    since: str = ""
    format: int = FORMAT


@dataclass(frozen=True)
class EvidenceBundle:
    """The evidence of a version for the gates before a stage.

    Attributes:
        name: the registered model.
        version: the version that is judged.
        stage: the stage that it is judged for.
        digest: the digest of its files.
        challenger: its outcome on the test rows.
        champion_version: the champion's version and digest; None without one.
        champion: the champion's outcome on the same rows; None where it could not be scored.
        problem: why the champion could not be scored.
        unseen: (rows,), the test rows that the champion was not trained on; None for all.
        newest: both outcomes on the newest labelled rows; None without any.
        measured: the measurements apart from the answers.
    """

    name: str
    version: int
    stage: Stage
    digest: str
    challenger: Outcome
    champion_version: tuple[int, str] | None = None
    champion: Outcome | None = None
    problem: str = ""
    unseen: NDArray[np.bool_] | None = None
    newest: Newest | None = None
    measured: Measured = field(default_factory=Measured)

    def files(self) -> dict[str, bytes]:
        """Return the bundle as files, by their names."""
        test = {**truth_columns(self.challenger), **outcome_columns(_CHALLENGER, self.challenger)}
        if self.champion:
            test |= outcome_columns(_CHAMPION, self.champion)
        if self.unseen is not None:
            test[_UNSEEN] = self.unseen
        files = {CASE: json.dumps(asdict(self._facts()), indent=2).encode(), TEST: _parquet(test)}
        if self.newest:
            newest = {**truth_columns(ours := self.newest.challenger), **outcome_columns(_CHALLENGER, ours)}
            newest |= outcome_columns(_CHAMPION, self.newest.champion) if self.newest.champion else {}
            files[NEWEST] = _parquet(newest)
        return files

    @property
    def newest_digest(self) -> str:
        """Return the SHA-256 of the truth of the newest rows, and of their weights; empty where there are none."""
        columns = truth_columns(self.newest.challenger).values() if self.newest else ()
        return hashlib.sha256(b"".join(each.tobytes() for each in columns)).hexdigest() if self.newest else ""

    def to_bytes(self) -> bytes:
        """Return the bundle as one zip."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:  # Parquet is compressed already
            for name, content in self.files().items():
                archive.writestr(name, content)
        return packed.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "EvidenceBundle":
        """Read a zip that `to_bytes` wrote. Raises UsageError for bytes that are not a bundle, and for too large a bundle."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = archive.infolist()
                if unknown := {member.filename for member in members} - {CASE, TEST, NEWEST}:
                    raise UsageError(
                        f"an evidence bundle holds {CASE}, {TEST} and {NEWEST}; found {', '.join(sorted(unknown))[:200]}"
                    )
                if sum(member.file_size for member in members) > MOST_BYTES:
                    raise UsageError(f"an evidence bundle is at most {MOST_BYTES:,} bytes, unpacked")
                return cls.from_files({member.filename: archive.read(member) for member in members})
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise UsageError(f"this is not an evidence bundle: {error}; send a zip of {CASE} and {TEST}") from None

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "EvidenceBundle":
        """Read the files that `files` returned. Raises UsageError for files that are not a bundle."""
        try:
            facts = TypeAdapter(BundleFacts).validate_json(files[CASE])
            if facts.format != FORMAT:
                raise UsageError(f"an evidence bundle of format {facts.format}; this Slipway reads {FORMAT}")
            return _bundle(facts, _columns(files[TEST]), files.get(NEWEST))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise UsageError(f"this is not an evidence bundle: {CASE}, {where}: {first['msg']}") from None
        except KeyError as error:
            raise UsageError(f"this is not an evidence bundle: {error} is missing") from None
        except (ValueError, TypeError, OSError, ArrowException) as error:
            raise UsageError(f"this is not an evidence bundle: {str(error).splitlines()[0][:200]}") from None

    def _facts(self) -> BundleFacts:
        flags = self.challenger.probabilistic, bool(self.champion and self.champion.probabilistic)
        since = self.newest.since if self.newest else ""
        return BundleFacts(
            self.name, self.version, self.stage, self.digest, self.champion_version, self.problem, flags, self.measured, since
        )  # fmt: skip


def _bundle(facts: BundleFacts, test: pd.DataFrame, newest: bytes | None) -> EvidenceBundle:
    ours, theirs = facts.probabilistic
    unseen = test[_UNSEEN].to_numpy(dtype=bool) if _UNSEEN in test else None
    return EvidenceBundle(
        facts.name,
        facts.version,
        facts.stage,
        facts.digest,
        _checked(outcome_of(test, _CHALLENGER, ours)),
        facts.champion,
        _champion(test, theirs),
        facts.problem,
        unseen,
        None if newest is None else _newest(facts, _columns(newest)),
        facts.measured,
    )


def _newest(facts: BundleFacts, table: pd.DataFrame) -> Newest:
    ours, theirs = facts.probabilistic
    return Newest(facts.since, _checked(outcome_of(table, _CHALLENGER, ours)), _champion(table, theirs))


def _champion(table: pd.DataFrame, probabilistic: bool) -> Outcome | None:
    return _checked(outcome_of(table, _CHAMPION, probabilistic)) if f"{_CHAMPION}.predicted" in table else None


def _checked(outcome: Outcome) -> Outcome:
    given = (outcome.truth, outcome.predicted, outcome.scores, outcome.weights)
    arrays: list[Any] = [array for array in given if array is not None]
    if any(array.dtype != np.float64 for array in arrays):
        raise ValueError(
            f"truth, answers, scores and weights are float64; found {', '.join(str(a.dtype) for a in arrays)}"
        )
    if outcome.weights is not None and not (np.isfinite(outcome.weights) & (outcome.weights >= 0)).all():
        raise ValueError("a weight is a finite number of at least 0")
    return outcome


def _columns(data: bytes) -> pd.DataFrame:
    shape = pq.read_metadata(io.BytesIO(data))
    if shape.num_rows * shape.num_columns > _MOST_NUMBERS:
        raise ValueError(f"{shape.num_rows:,} rows of {shape.num_columns} columns; {_MOST_NUMBERS:,} numbers are taken")
    return pd.read_parquet(io.BytesIO(data))


def _parquet(columns: Mapping[str, NDArray[Any]]) -> bytes:
    written = io.BytesIO()
    pd.DataFrame(dict(columns)).to_parquet(written, index=False, compression="zstd")
    return written.getvalue()
