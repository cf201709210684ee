"""Records on their way from the processes that answer to the one that writes them down."""

from slipway.handover.left import Left, leave, left_in
from slipway.handover.record import ANSWERED, LABELS, About, Record, packed
from slipway.handover.ring import Ring

__all__ = ["ANSWERED", "LABELS", "About", "Left", "Record", "Ring", "leave", "left_in", "packed"]
