"""A new experiment from rows in memory: they are written as Parquet into its folder, and the rest is `slipway init`."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from slipway.errors import DataUnusable, FileUnusable, SlipwayError
from slipway.files import whole_file
from slipway.settings import Settings
from slipway.workflows.init.command import InitReport, init, require_free
from slipway.workflows.init.wishes import InitWishes

_ROWS = "rows.parquet"


def init_from_frame(
    settings: Settings, name: str, frame: pd.DataFrame, wishes: InitWishes, *, force: bool = False
) -> InitReport:
    """Write `experiments/NAME` with the rows of a frame and the experiment.yaml that they suggest.

    An index with names becomes columns; any other index is left out, as it says nothing of a row.

    Args:
        settings: the settings of the project.
        name: the name of the experiment.
        frame: the rows; names of columns become texts.
        wishes: what the person said.
        force: write over an experiment that is there.

    Raises what `init` raises, and DataUnusable for a column whose values are of several types.
    """
    path = require_free(settings, name, wishes, force=force)
    file = path.parent / _ROWS
    try:
        rows = frame.reset_index() if all(frame.index.names) else frame
        table = pa.Table.from_pandas(rows.set_axis(rows.columns.astype(str), axis=1), preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as error:
        message = " ".join(str(each) for each in error.args)
        raise DataUnusable(
            f"the frame cannot be kept as Parquet: {message}; give each column a name of its own and values of one type"
        ) from None
    before = file.exists()
    _write(file, table)
    try:
        return init(settings, name, {"url": str(file)}, wishes, dry_run=False, force=force)
    except SlipwayError:
        if not before:
            file.unlink()
        raise


def _write(file: Path, table: pa.Table) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as draft:
            pq.write_table(table, draft, compression="zstd")
    except OSError as error:
        raise FileUnusable(f"{file} cannot be written: {error.strerror}") from error
