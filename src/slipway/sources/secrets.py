"""The secrets of a source: taken from the environment, and taken out of every message."""

import re
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

from slipway.core.urls import Url, filled, variables_of
from slipway.errors import UsageError

# Libraries take these by themselves; none of them should repeat their values, and none of them is trusted not to.
_OF_LIBRARIES = ("PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_USER_IN_URL = re.compile(r"(?<=://)[^/\s@]*@")


class Secrets:
    """The user and the password of a URL, with the values of the variables that the URL names."""

    def __init__(self, url: Url, variables: Mapping[str, str]):
        names = list(variables_of(url))
        if absent := [name for name in names if not variables.get(name)]:
            raise UsageError(
                f"{url.shown} is read with the variable {', '.join(absent)} of the environment, which is not set; set it "
                "before the command, and never write its value into a file of the project"
            )
        values = {name: variables[name] for name in names}
        self.user = filled(url.user, values)
        self.password = filled(url.password, values)
        known = [*values.values(), *(variables.get(name, "") for name in _OF_LIBRARIES)]
        spelled = {form for value in known if value for form in _spellings(value)}
        self._spelled = sorted(spelled, key=len, reverse=True)

    def scrub(self, text: str) -> str:
        """Return a text without any value of a secret, and without users in URLs."""
        for secret in self._spelled:
            text = text.replace(secret, "***")
        return _USER_IN_URL.sub("", text)


def _spellings(value: str) -> tuple[str, ...]:
    """Return a secret as it may stand in a message: plain, in a URL, and between the quotes of a program."""
    return value, quote(value), quote(value, safe=""), quote_plus(value), repr(value)[1:-1], value.replace("'", "''")
