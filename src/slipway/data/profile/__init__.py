"""The profile of a table: guesses of what each column is and what can be learned, each with its reason."""

from slipway.data.profile.bounds import nulls_with_room, numbers_with_room
from slipway.data.profile.columns import ColumnProfile, Role
from slipway.data.profile.table import Doubt, TableProfile, Wishes, profile_table
from slipway.data.profile.target import TargetGuess

__all__ = [
    "ColumnProfile",
    "Doubt",
    "Role",
    "TableProfile",
    "TargetGuess",
    "Wishes",
    "nulls_with_room",
    "numbers_with_room",
    "profile_table",
]
