"""The newest labelled rows: those that the source holds now, and neither of two versions had seen."""

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
    """Return the labelled rows that are later than all that was seen, oldest first; None where none are known.

    seen: the test rows of the versions; of what is cut by time they are the last. Where the experiment has no time, or its
    source cannot be read from here, nothing is known of new rows, which is said.
    """
    time, target = experiment.data.time, experiment.data.target
    folder = settings.experiments / experiment.name
    if not time or not all(time in rows for rows in seen) or not folder.is_dir():
        return None
    from slipway.data import (  # here, since most versions have no time by which rows are newer
        check_contract,
        read_source,
    )

    try:
        raw = read_source(folder, experiment.name, experiment.data)
        frame, violations = check_contract(raw, experiment.data, now=datetime.now(UTC).replace(tzinfo=None))
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
