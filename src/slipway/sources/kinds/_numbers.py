"""Numbers from the cells of a text table."""

import pyarrow as pa
import pyarrow.compute as pc

from slipway.errors import DataUnusable
from slipway.sources._cells import PLAIN, NumberForm

_TRIED = 50


def as_number(name: str, cells: pa.Array, form: NumberForm) -> pa.Array:
    """Return the cells of a column as numbers where each cell is a number, else as they are.

    Raises DataUnusable for a cell that is a number with a decimal point where numbers have a decimal comma, or another mark
    between thousands: a guess would be wrong by a factor.
    """
    if form != PLAIN:
        cells = _plain(name, cells, form)
    for trimmed in (False, True):
        given = pc.utf8_trim_whitespace(cells) if trimmed else cells
        for kind in (
            pa.int64(),
            pa.float64(),
        ):  # Arrow reads a text to the nearest float, as Python does and pandas does not
            if (cast := _cast(given, kind)) is not None:
                return cast
    return cells


def _cast(cells: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """Return the cells as numbers; None where one of them is no such number.

    Arrow makes a message for each cell that it cannot cast: a column of floats took ten times as long to be no whole numbers
    as to be read. So the first cells are tried alone.
    """
    try:
        pc.cast(cells.slice(0, _TRIED), kind)
        return pc.cast(cells, kind)
    except pa.ArrowInvalid:
        return None


def _plain(name: str, cells: pa.Array, form: NumberForm) -> pa.Array:
    """Return the cells with the numbers of a form spelled in the plain form."""
    trimmed = pc.utf8_trim_whitespace(cells)
    fits = pc.fill_null(pc.match_substring_regex(trimmed, rf"^(?:{form.pattern})$"), False)
    other = pc.and_(pc.invert(fits), pc.fill_null(pc.match_substring_regex(trimmed, rf"^(?:{PLAIN.pattern})$"), False))
    if pc.any(other).as_py():
        (first,) = cells.filter(other).slice(0, 1).to_pylist()
        raise DataUnusable(
            f"column {name} holds {first!r}, and the numbers of this source have decimal {form.decimal!r} and thousands "
            f"{form.thousands!r}: it could be meant otherwise; declare the right marks, or mend the table"
        )
    plain = pc.replace_substring(trimmed, form.thousands, "") if form.thousands else trimmed
    return pc.if_else(fits, pc.replace_substring(plain, form.decimal, "."), cells)
