"""The newest labelled rows: rows that the source holds now, and that are later than the test rows of both versions."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from slipway.core.spec import Experiment
from slipway.errors import SlipwayError
from slipway.progress import note
from slipway.settings import Settings


def newest_rows(
    settings: Settings, experiment: Experiment, seen: Sequence[pd.DataFrame], classes: Sequence[object]
) -> pd.DataFrame | None:
    """Return the labelled rows that are later than all rows in `seen`, oldest first; None where there are none.

    There are none where the experiment has no time column or its folder is not here. A source that cannot be read, or breaks
    its contract now, gives none either, with a note.

    Args:
        settings: the folder of the experiments.
        experiment: the declaration.
        seen: the test rows of the versions, which are the latest rows of a split by time.
        classes: the target's classes; rows with another label are left out. Empty for a regression.
    """
    time, target = experiment.data.time, experiment.data.target
    folder = settings.experiments / experiment.name
    if not time or not all(time in rows for rows in seen) or not folder.is_dir():
        return None
    from slipway.data import (  # imported here, since most experiments have no time column
        check_contract,
        labelled,
        read_source,
    )

    try:
        raw = read_source(folder, experiment.name, experiment.data)
        checked, violations = check_contract(raw, experiment.data, now=datetime.now(UTC).replace(tzinfo=None))
        frame, _ = labelled(checked, experiment.data)
    except SlipwayError as error:
        note(f"newest rows: none, the source cannot be read: {str(error).splitlines()[0]}")
        return None
    later = frame[frame[time] > max(rows[time].max() for rows in seen)]
    if later.empty:
        return None
    if violations:
        note(f"newest rows: none, the source breaks its contract now: {violations[0]}")
        return None
    known = later[later[target].isin(classes)] if classes else later[later[target].notna()]
    return known.sort_values(time).reset_index(drop=True) if len(known) else None
