"""What stands on the terminal: pyte, with what it lacks and full-screen programs use."""

from __future__ import annotations

import codecs
import itertools
import re
from typing import Any

import pyte
from pyte.screens import Char, Margins

from benchmarks.answers import split_unfinished

Row = tuple[Char, ...]

_ALTERNATE_SCREENS = {47, 1047, 1049}
# What pyte would print as text or take for something else; none of it changes the picture.
_SILENT = re.compile(
    rb"\x1b\[[<=>][0-9;:]*[ -/]*[@-~]"
    rb"|\x1b\[\?[0-9;]*(?:[mu]|\$p)"
    rb"|\x1b\[[0-9;]*(?:t|[ !\"][@-~])"
    rb"|\x1b[P^_X][^\x1b]*\x1b\\"
    rb"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
)
_COLON_COLOUR = re.compile(rb"\x1b\[[0-9;:]*:[0-9;:]*m")


class _Screen(pyte.Screen):
    """Adds the alternate screen, repetition (REP) and scrolling (SU, SD)."""

    def __init__(self, columns: int, rows: int) -> None:
        self._last_drawn = " "
        self._main_screen: dict[int, dict[int, Char]] = {}
        super().__init__(columns, rows)

    def draw(self, data: str) -> None:
        self._last_drawn = data[-1:] or self._last_drawn
        super().draw(data)

    def repeat(self, count: int = 1, **_: bool) -> None:
        """Draw the last character again."""
        self.draw(self._last_drawn * min(count or 1, self.columns))

    def scroll_up(self, count: int = 1, **_: bool) -> None:
        """Move the lines within the margins up."""
        self._at_top_margin(self.delete_lines, count or 1)

    def scroll_down(self, count: int = 1, **_: bool) -> None:
        """Move the lines within the margins down."""
        self._at_top_margin(self.insert_lines, count or 1)

    def _at_top_margin(self, move: Any, count: int) -> None:  # noqa: ANN401 - pyte's own methods
        margins = self.margins or Margins(0, self.lines - 1)
        row, column = self.cursor.y, self.cursor.x
        self.cursor.y = margins.top
        move(count)
        self.cursor.y, self.cursor.x = row, column

    def set_mode(self, *modes: int, **options: bool) -> None:
        super().set_mode(*modes, **options)
        if options.get("private") and _ALTERNATE_SCREENS.intersection(modes):
            self._main_screen = {number: dict(row) for number, row in self.buffer.items()}
            self.erase_in_display(2)

    def reset_mode(self, *modes: int, **options: bool) -> None:
        super().reset_mode(*modes, **options)
        if options.get("private") and _ALTERNATE_SCREENS.intersection(modes):
            self.erase_in_display(2)
            for number, row in self._main_screen.items():
                self.buffer[number].update(row)
            self.dirty.update(range(self.lines))


class _Stream(pyte.Stream):
    csi = pyte.Stream.csi | {"b": "repeat", "S": "scroll_up", "T": "scroll_down"}
    events = frozenset(itertools.chain(pyte.Stream.events, ("repeat", "scroll_up", "scroll_down")))


class Screen:
    """Takes a program's output and tells what a user sees."""

    def __init__(self, columns: int, rows: int) -> None:
        self._screen = _Screen(columns, rows)
        self._stream = _Stream(self._screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._carried = b""
        self._lines = [""] * rows

    def feed(self, data: bytes) -> None:
        """Take the next bytes; a sequence cut in two is put together."""
        whole, self._carried = split_unfinished(self._carried + data)
        whole = _SILENT.sub(b"", whole)
        if b":" in whole:
            whole = _COLON_COLOUR.sub(lambda found: found[0].replace(b":", b";"), whole)
        self._stream.feed(self._decoder.decode(whole))

    def text(self) -> str:
        """Return the picture as text, one line for each row."""
        columns = range(self._screen.columns)
        for number in self._screen.dirty:
            row = self._screen.buffer[number]
            self._lines[number] = "".join(row[column].data for column in columns).rstrip()
        self._screen.dirty.clear()
        return "\n".join(self._lines)

    def cells(self) -> tuple[Row, ...]:
        """Return the picture with its colours and attributes."""
        columns = range(self._screen.columns)
        rows = (self._screen.buffer[number] for number in range(self._screen.lines))
        return tuple(tuple(row[column] for column in columns) for row in rows)
