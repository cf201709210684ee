"""Times without a zone, apart from `casts`: reading an experiment.yaml must not import pandas."""

from datetime import UTC, datetime


def naive_utc(moment: datetime) -> datetime:
    """Return a time in UTC without a zone, as `to_time` does; a time without a zone stays as it is.

    Raises ValueError for a time at either end of the calendar that does not exist in UTC.
    """
    try:
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except OverflowError:
        raise ValueError("this time does not exist in UTC") from None
