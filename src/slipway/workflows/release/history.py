"""`slipway history`: the transitions of a model, the versions that held its stages at some time, and a check of its ledger."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from slipway.core.release.history import History, Moment, Verified
from slipway.registry.history_client import MOST_TRANSITIONS, snapshot
from slipway.settings import Settings
from slipway.workflows.session import resolve_tracking_uri


def history(settings: Settings, name: str, last: int | None = None, *, comments: bool = False) -> History:
    """Return the transitions of a registered model, the newest `last` of them. Raises UnknownName for no such model.

    comments: also the comments on versions.
    """
    asked = {"last": str(last), **({"comments": "true"} if comments else {})}
    if last and last <= MOST_TRANSITIONS and (answer := _snapshot(settings, name, **asked)):
        return History.from_dict(answer)
    from slipway.registry.history import history_of
    from slipway.workflows.promotion.transition import open_registry

    return history_of(*open_registry(settings, name), last, comments=comments)


def history_at(settings: Settings, name: str, at: datetime) -> Moment:
    """Return the versions that held the stages at a time (UTC). Raises UnknownName when there is no such model."""
    if answer := _snapshot(settings, name, at=at.isoformat()):
        return Moment.from_dict(answer)
    from slipway.registry.history import moment_of
    from slipway.workflows.promotion.transition import open_registry

    return moment_of(open_registry(settings, name)[1], at)


def verify_history(settings: Settings, name: str) -> Verified:
    """Verify the ledger by its own hashes, by the evidence that is kept with it, and by the stages in the registry.

    The entries themselves are read and hashed here; a guarded server is not asked whether they are right.

    Raises UnknownName when there is no such model.
    """
    from slipway.registry.history import verified
    from slipway.workflows.promotion.transition import open_registry

    return verified(*open_registry(settings, name))


def _snapshot(settings: Settings, name: str, **query: str) -> Mapping[str, Any] | None:
    return snapshot(resolve_tracking_uri(settings), name, query, settings.tracking_auth)
