"""Stages by what people call them."""

from slipway.errors import UnknownName
from slipway.types import HELD_STAGES, Stage


def stage_named(text: str) -> Stage:
    """Return the stage of that name, in upper or lower case. Raises UnknownName."""
    for known in Stage:
        if known.lower() == text.lower():
            return known
    raise UnknownName("stage", text, Stage)


def held_stage_named(text: str) -> Stage:
    """Return the stage that a version is to be moved to. Raises UnknownName, which lists Staging and Production."""
    try:
        return stage_named(text)
    except UnknownName:
        raise UnknownName("stage", text, HELD_STAGES) from None
