"""Times without a zone. Apart from `casts`, since who reads a specification has no need of pandas."""

from datetime import UTC, datetime


def naive_utc(moment: datetime) -> datetime:
    """Return a time as `to_time` does: in UTC, without a zone; one without a zone is taken as it is.

    Raises ValueError at the two ends of the calendar.
    """
    try:
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except OverflowError:
        raise ValueError("this time does not exist in UTC") from None
