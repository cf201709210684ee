"""The origins whose pages may ask the server: its own, and those of a list."""

from collections.abc import Callable, Collection

from mlflow.server.security_utils import INVALID_HOST_MSG

from slipway.server.door.asgi import App, Receive, Scope, Send, header, headers, refuse
from slipway.server.door.counts import Counts, Reason
from slipway.tracking.address import plain_origin

_READS = ("GET", "HEAD", "OPTIONS")
# What a form of a page can send to any server, without asking that server first.
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


class Origins:
    """ASGI middleware that refuses what a page of another origin sends with the credentials of a browser.

    Browsers say in the Origin header of every write whose page sent it. MLflow trusts every page of this machine, on any
    port; here only the server's own pages and those of the list count. Whoever sends no Origin is a program, unless the
    request says otherwise: by Sec-Fetch-Site, or as a form, which only pages and careless programs send.
    """

    def __init__(self, app: App, allowed: Collection[str], is_host: Callable[[Scope], bool], counts: Counts) -> None:
        self._app = app
        self._allowed = allowed
        self._is_host = is_host
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        # Before the login, since a browser would ask its user for a password, in the name of the page that poses as the server.
        reason = why_foreign(scope, self._allowed) if self._is_host(scope) else INVALID_HOST_MSG
        if reason is None:
            return await self._app(scope, receive, send)
        self._counts.refused(Reason.ORIGIN)
        return await refuse(scope, receive, send, 403, reason, code="PERMISSION_DENIED")


def why_foreign(scope: Scope, allowed: Collection[str]) -> str | None:
    """Return why a request is not taken from the page that sent it; None for any other request."""
    named = headers(scope, b"origin")
    if named:
        own = plain_origin(f"{scope['scheme']}://{header(scope, b'host') or ''}")
        known = {*allowed, *([own] if own else ())}
        foreign = [each for each in named if plain_origin(each) not in known]
        return _another_site(foreign[0]) if foreign else None
    if scope["method"] in _READS:
        return None
    sites = headers(scope, b"sec-fetch-site")
    if any(site not in ("same-origin", "none") for site in sites):
        return _another_site("not named")
    kind = (header(scope, b"content-type") or "").partition(";")[0].strip().casefold()
    if scope["method"] == "POST" and kind in _FORMS and not sites:
        return "this form has no Origin header, so its page is not known; send JSON"
    return None


def _another_site(origin: str) -> str:
    # Bounded, since the sender chose it.
    return (
        f"this request came from a page of another site (Origin: {origin[:100]!a}); use the pages of this server, or "
        "`slipway`. Where this server is known by that name, as behind a proxy, start it with --allow-origin"
    )
