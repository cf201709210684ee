"""Shared memory between processes: the ring that takes records from the fronts to the capture writer, and shared numbers."""

from slipway.sharedmem.left import Left, leave, left_in
from slipway.sharedmem.record import ANSWERED, LABELS, AnsweringVersion, Record, packed
from slipway.sharedmem.ring import Ring

__all__ = ["ANSWERED", "LABELS", "AnsweringVersion", "Left", "Record", "Ring", "leave", "left_in", "packed"]
