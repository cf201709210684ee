"""Times without a zone, apart from `casts`: reading an experiment.yaml must not import pandas."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def naive_utc(moment: datetime) -> datetime:
    """Return a time in UTC without a zone, as `to_time` does; a time without a zone stays as it is.

    Raises ValueError for a time at either end of the calendar that does not exist in UTC.
    """
    try:
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except OverflowError:
        raise ValueError("this time does not exist in UTC") from None


def is_zone(name: str) -> bool:
    """Say whether a name is that of an IANA time zone."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # a folder of zones, a path, an unknown name
        return False
    return True


def why_no_format(text: str) -> str:
    """Say why a text is not a format of times for `strptime`; "" where it is one."""
    shown = datetime(2013, 1, 31, 10, 30, tzinfo=UTC)
    try:
        again = datetime.strptime(shown.strftime(text), text)
    except ValueError as error:
        return f"this is not a format of times: {error}; as in %d.%m.%Y %H:%M, epoch_s or epoch_ms"
    if again.year != shown.year:
        return "a format of times names the year, as %Y or %y does: %d.%m.%Y"
    return ""
