"""How many bytes a careful program needs to turn one screen into another.

A yardstick, not an exact minimum: only what differs is sent, a cursor move for each run (a gap
shorter than the move is sent again instead), colours and attributes where they change, one erase
for a blank end of a line, and one scroll of the changed rows by a line where that is cheaper.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pyte.screens import Char

from benchmarks.screen import Row

BLANK = Char(" ")
_ERASE_BYTES = len("\x1b[K")
_NEXT_LINE_BYTES = len("\r\n")
# Set a region, scroll it, set it back.
_SCROLL_BYTES = len("\x1b[10;39r\x1b[2S\x1b[r")
_STYLE_BYTES = len("\x1b[m")
_NAMED_COLOUR_BYTES = len("31;")
_COLOUR_BYTES = len("38;5;123;")
_ATTRIBUTE_BYTES = len("1;")
_HEXADECIMAL = re.compile("[0-9a-f]{6}")
# Fewer changed rows are never cheaper to scroll.
_SCROLLED_ROWS_MINIMUM = 4


def ideal_bytes(before: Sequence[Row], after: Sequence[Row]) -> int:
    """Return the bytes between two pictures of the same size."""
    changed = [
        number for number, rows in enumerate(zip(before, after, strict=True)) if rows[0] != rows[1]
    ]
    cheapest = _difference(before, after)
    if len(changed) < _SCROLLED_ROWS_MINIMUM:
        return cheapest
    top, bottom = changed[0], changed[-1] + 1
    empty: Row = (BLANK,) * len(after[0])
    moved_up = (*before[:top], *before[top + 1 : bottom], empty, *before[bottom:])
    moved_down = (*before[:top], empty, *before[top : bottom - 1], *before[bottom:])
    return min(
        cheapest,
        _SCROLL_BYTES + _difference(moved_up, after),
        _SCROLL_BYTES + _difference(moved_down, after),
    )


def _difference(before: Sequence[Row], after: Sequence[Row]) -> int:
    pen = _Pen()
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        if old != new:
            _write_row(pen, number, old, new)
    return pen.byte_count


def _write_row(pen: _Pen, number: int, old: Row, new: Row) -> None:
    end = len(new)
    while end and new[end - 1] == BLANK:
        end -= 1
    for column in range(end):
        if old[column] != new[column]:
            pen.reach(number, column, new)
            pen.put(new[column])
    if any(cell != BLANK for cell in old[end:]):
        pen.erase_from(number, end)


class _Pen:
    """Counts bytes while it moves over a screen; knows where it is and in which style."""

    def __init__(self) -> None:
        self.byte_count = 0
        self._style = BLANK
        self._row = self._column = -1

    def reach(self, row: int, column: int, cells: Row) -> None:
        """Come to a cell: by a move, or by sending the cells in between again."""
        if row == self._row and column == self._column:
            return
        if row == self._row and column - self._column <= _move_bytes(row, column):
            for cell in cells[self._column : column]:
                self.put(cell)
            return
        is_next_line = column == 0 and row == self._row + 1 and self._row >= 0
        self.byte_count += _NEXT_LINE_BYTES if is_next_line else _move_bytes(row, column)
        self._row, self._column = row, column

    def put(self, cell: Char) -> None:
        """Send one cell."""
        self._change_style(cell)
        self.byte_count += len(cell.data.encode())
        self._column += 1

    def erase_from(self, row: int, column: int) -> None:
        """Send the blank end of a line."""
        if (row, column) != (self._row, self._column):
            self.byte_count += _move_bytes(row, column)
        self._row, self._column = row, column
        self._change_style(BLANK)
        self.byte_count += _ERASE_BYTES

    def _change_style(self, cell: Char) -> None:
        if cell[1:] == self._style[1:]:
            return
        self.byte_count += _STYLE_BYTES
        for old, new in ((self._style.fg, cell.fg), (self._style.bg, cell.bg)):
            if old != new:
                is_named = _HEXADECIMAL.fullmatch(new) is None
                self.byte_count += _NAMED_COLOUR_BYTES if is_named else _COLOUR_BYTES
        attributes = zip(self._style[3:], cell[3:], strict=True)
        self.byte_count += sum(_ATTRIBUTE_BYTES for old, new in attributes if old != new)
        self._style = cell


def _move_bytes(row: int, column: int) -> int:
    return len(f"\x1b[{row + 1};{column + 1}H")
