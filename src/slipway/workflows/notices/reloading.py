"""The notices of a home as its notices.yaml says now: a server that runs for months reads it again when it changes."""

import logging

from slipway.errors import SlipwayError
from slipway.settings import Settings
from slipway.workflows.notices.configured import Notices, notices_file, notices_of

_log = logging.getLogger(__name__)


class Reloading:
    """The notices of a home; a notices.yaml that cannot be used leaves those of before.

    Attributes:
        now: the notices by the newest file that could be used; None for a home without any.
        problem: why the file as it is now cannot be used; empty while it can be.
    """

    def __init__(self, settings: Settings) -> None:
        """Read the file of a home. Raises SlipwayError for one that cannot be used, as `slipway up` does."""
        self._settings = settings
        self._seen = self._marks()
        self.problem = ""
        self.now = self._read()

    def reload(self) -> bool:
        """Read the file again if its time, size or place has changed; say whether other notices are told from now on."""
        seen = self._marks()
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            self.now = self._read()
        except SlipwayError as error:
            self.problem = next(iter(str(error).splitlines()), "it cannot be used")
            _log.warning("notices.yaml was changed and is not taken, what it said before goes on: %s", error)
            return False
        self.problem = ""
        _log.info("notices.yaml was read again: %s", self.now or "nothing is told any more")
        return True

    def _read(self) -> Notices | None:
        notices = notices_of(self._settings)
        if notices:
            notices.check()
        return notices

    def _marks(self) -> tuple[int, ...]:
        """Return what differs after each change of the file; empty where there is none."""
        try:
            found = notices_file(self._settings).stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino
