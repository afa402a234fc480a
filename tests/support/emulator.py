"""A terminal emulator to compare pictures in: pyte, with what it lacks.

It knows all attributes, glyphs of any number of cells whose halves cannot stay behind, both ways
to erase (in the default colours, or in those of the pen), and terminals that count the cells of
a glyph in other ways than we do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pyte
from pyte import modes
from wcwidth import iter_graphemes, wcswidth

Measure = Callable[[str], int]

_ATTRIBUTES = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 21, 51, 52, 53})
_ENDS = {
    22: {1, 2},
    23: {3},
    24: {4, 21},
    25: {5, 6},
    27: {7},
    28: {8},
    29: {9},
    54: {51, 52},
    55: {53},
}
_UNSEEN_ON_SPACES = frozenset({1, 2, 3})


class Cell(NamedTuple):
    """One cell: what stands in it and how."""

    data: str = " "
    fg: tuple[int, ...] = ()
    bg: tuple[int, ...] = ()
    attributes: frozenset[int] = frozenset()

    @property
    def seen(self) -> Cell:
        """Return the cell without what nobody can see: the letter colours of a space."""
        if self.data == " " and self.attributes <= _UNSEEN_ON_SPACES:
            return Cell(" ", (), self.bg)
        return self


def differences(one: Emulator, other: Emulator) -> list[tuple[int, int, Cell, Cell]]:
    """Return (row, column, cell, other cell) of each cell that looks otherwise."""
    return [
        (y, x, cell.seen, other_cell.seen)
        for y, (line, other_line) in enumerate(zip(one.cells(), other.cells(), strict=True))
        if line != other_line
        for x, (cell, other_cell) in enumerate(zip(line, other_line, strict=True))
        if cell != other_cell and cell.seen != other_cell.seen
    ]


class Emulator(pyte.Screen):
    """A screen of cells; `feed` takes what a program sends."""

    def __init__(
        self,
        columns: int,
        lines: int,
        *,
        measure: Measure = wcswidth,
        erases_in_color: bool = False,
        wraps_always: bool = False,
    ) -> None:
        self._measure = measure
        self._erases_in_color = erases_in_color
        self._wraps_always = wraps_always
        super().__init__(columns, lines)
        self._stream = pyte.Stream(self)
        self.feed("\x1b[?7l")

    @property
    def default_char(self) -> Cell:
        """Return an erased cell."""
        return Cell()

    def feed(self, text: str) -> None:
        """Take what a program sends, as a terminal line with ONLCR hands it on."""
        self._stream.feed(text.replace("\n", "\r\n"))

    def cells(self) -> list[list[Cell]]:
        """Return the cells, line by line."""
        columns = range(self.columns)
        return [list(map(self.buffer[y].__getitem__, columns)) for y in range(self.lines)]

    def reset(self) -> None:
        """Start with nothing on the screen."""
        super().reset()
        self.cursor.attrs = Cell()

    def set_mode(self, *numbers: int, **arguments: bool) -> None:
        """Set modes."""
        super().set_mode(*numbers, **arguments)

    def reset_mode(self, *numbers: int, **arguments: bool) -> None:
        """Reset modes; some terminals wrap whatever they are told."""
        super().reset_mode(*numbers, **arguments)
        if self._wraps_always:
            self.mode.add(modes.DECAWM)

    # Drawing

    def draw(self, data: str) -> None:
        """Draw glyphs from the cursor on."""
        if data.isascii() and self.cursor.x + len(data) <= self.columns:
            self._put_all(data)
            return
        for glyph in iter_graphemes(data):
            width = self.measured(glyph)
            if width > 0:
                self._put(glyph, width)
            else:
                self._join(glyph)

    def measured(self, glyph: str) -> int:
        """Return how many cells this terminal gives to a glyph."""
        return 1 if glyph.isascii() else self._measure(glyph)

    def _put_all(self, data: str) -> None:
        x = self.cursor.x
        end = x + len(data)
        line = self.buffer[self.cursor.y]
        self._part(line, x)
        self._part(line, end)
        _, fg, bg, attributes = self.cursor.attrs
        cells = [Cell(sign, fg, bg, attributes) for sign in data]
        line.update(zip(range(x, end), cells, strict=True))
        self.cursor.x = end

    def _put(self, glyph: str, width: int) -> None:
        x = self.cursor.x
        if x + width > self.columns:
            if modes.DECAWM in self.mode:
                self.carriage_return()
                self.index()
                x = 0
            else:
                x = min(x, self.columns - 1)
        end = min(self.columns, x + width)
        line = self.buffer[self.cursor.y]
        self._part(line, x)
        self._part(line, end)
        pen = self.cursor.attrs
        line[x] = pen._replace(data=glyph)
        for column in range(x + 1, end):
            line[column] = pen._replace(data="")
        self.cursor.x = end

    def _part(self, line: dict[int, Cell], x: int) -> None:
        """Blank the glyph that reaches over the left edge of a cell."""
        if not 0 < x < self.columns or line[x].data:
            return
        head = x
        while head and not line[head].data:
            head -= 1
        end = x
        while end < self.columns and not line[end].data:
            end += 1
        for column in range(head, end):
            line[column] = line[column]._replace(data=" ")

    def _join(self, mark: str) -> None:
        line = self.buffer[self.cursor.y]
        x = self.cursor.x - 1
        while x > 0 and not line[x].data:
            x -= 1
        if x >= 0:
            line[x] = line[x]._replace(data=line[x].data + mark)

    # Erasing and scrolling

    @property
    def _erased(self) -> Cell:
        return Cell(" ", (), self.cursor.attrs.bg) if self._erases_in_color else Cell()

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        """Erase from the cursor to the end of the line; nothing else is ever asked for."""
        assert how == 0
        line = self.buffer[self.cursor.y]
        x = min(self.cursor.x, self.columns - 1)
        self._part(line, x)
        for column in range(x, self.columns):
            line[column] = self._erased

    def erase_in_display(self, how: int = 0, *arguments: int, **names: bool) -> None:
        """Erase the screen; nothing less is ever asked for."""
        assert how == 2
        for y in range(self.lines):
            for x in range(self.columns):
                self.buffer[y][x] = self._erased

    def index(self) -> None:
        """Move down, and scroll at the lower margin."""
        self._scroll_at(self.margins.bottom if self.margins else self.lines - 1, 1)

    def reverse_index(self) -> None:
        """Move up, and scroll at the upper margin."""
        self._scroll_at(self.margins.top if self.margins else 0, -1)

    def _scroll_at(self, margin: int, step: int) -> None:
        if self.cursor.y != margin:
            self.cursor.y = max(0, min(self.lines - 1, self.cursor.y + step))
            return
        top, bottom = self.margins or (0, self.lines - 1)
        rows = [self.buffer[y] for y in range(top, bottom + 1)]
        new = type(rows[0])(Cell())
        new.update(dict.fromkeys(range(self.columns), self._erased))
        rows = [*rows[1:], new] if step > 0 else [new, *rows[:-1]]
        self.buffer.update(zip(range(top, bottom + 1), rows, strict=True))

    # Colours

    def select_graphic_rendition(self, *codes: int, private: bool = False) -> None:
        """Change the pen."""
        pen, left = self.cursor.attrs, list(codes or (0,))
        while left:
            code = left.pop(0)
            if code == 0:
                pen = Cell()
            elif code in _ATTRIBUTES:
                pen = pen._replace(attributes=pen.attributes | {code})
            elif code in _ENDS:
                pen = pen._replace(attributes=pen.attributes - _ENDS[code])
            else:
                size = {5: 2, 2: 4}[left[0]] if code in (38, 48) else 0
                color = (code % 10, *left[:size]) if code not in (39, 49) else ()
                color = (code, *color) if 90 <= code <= 107 else color
                del left[:size]
                is_background = 40 <= code <= 49 or 100 <= code <= 107
                pen = pen._replace(bg=color) if is_background else pen._replace(fg=color)
        self.cursor.attrs = pen
