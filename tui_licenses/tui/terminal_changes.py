"""The fewest bytes that turn the picture a terminal shows into another.

Only sequences are used that xterm, the Linux console, screen, tmux and everything descended from
a VT100 read alike: cursor moves, SGR, scroll regions with IND and RI, and EL in the default
colours, since terminals differ in the colour they erase with. For the same reason there is no
ECH, and no REP, which many do not know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from tui_licenses.tui.terminal_cells import DEFAULT_PEN, Doubt, Line, Pen, doubt_of, runs_of

# The whole screen scrolls, default colours, nothing on it.
_CLEAR = "\x1b[r\x1b[m\x1b[H\x1b[2J"
_ERASE_TO_END = "\x1b[K"
_ERASE_BYTES = 8
_GAP_CELLS_MAXIMUM = 5
# What a scroll costs beside two bytes for each line: region, place, and the region ended.
_SCROLL_BYTES = 20
# A shorter one costs more than it saves.
_SCROLL_ROWS_MINIMUM = 3
# Codes that end an attribute everywhere; for the others everything is ended.
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "7": "27"}


@lru_cache(maxsize=1024)
def pen_change(before: Pen, after: Pen) -> str:
    """Return the shortest sequence that changes one pen into another."""
    link = "" if before.link == after.link else f"\x1b]8;;{after.link}\x1b\\"
    # Attributes come last: in old Linux consoles the code of the default colour ends underlining.
    fresh = [code for code in (after.foreground, after.background) if code not in ("39", "49")]
    fresh += after.attributes
    whole = f"\x1b[0;{';'.join(fresh)}m" if fresh else "\x1b[m"
    ended = [code for code in before.attributes if code not in after.attributes]
    if any(code not in _OFF for code in ended):
        return link + whole
    off = sorted({_OFF[code] for code in ended})
    changes = off + [
        new
        for old, new in zip(before[1:3], after[1:3], strict=True)
        if old != new  # the two colours
    ]
    changes += [
        code
        for code in after.attributes
        if code not in before.attributes or _OFF.get(code) in off  # 22 ends bold and dim alike
    ]
    step = f"\x1b[{';'.join(changes)}m" if changes else ""
    return link + min(step, whole, key=len)


def _changed_cells(old: Line, new: Line, end: int) -> list[int]:
    if old is new:
        return []
    cells = zip(old.glyphs[:end], new.glyphs[:end], old.pens[:end], new.pens[:end], strict=True)
    return [x for x, (g, h, p, q) in enumerate(cells) if g != h or p is not q]


def _blank_tail(line: Line) -> int:
    """Return the column from which on an erased line looks like this one."""
    x = len(line.glyphs)
    while x and line.glyphs[x - 1] == " " and line.pens[x - 1] is DEFAULT_PEN:
        x -= 1
    return x


class ShownPicture:
    """What the terminal shows, cell by cell, and how to make it show something else."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.lines = [Line.blank(width)] * height
        self._is_known = False
        self._parts: list[str] = []
        self._pen = DEFAULT_PEN
        # Where the cursor is; None where terminals might disagree.
        self._x: int | None = None
        self._y: int | None = None
        self._rest = (-1, -1)

    def forget(self) -> None:
        """Trust nothing on the terminal any more; the next change repaints it whole."""
        self._is_known = False

    def change_to(self, wanted: Sequence[Line], rows: Iterable[int], rest: tuple[int, int]) -> str:
        """Return what to send so that the terminal shows `wanted`, its cursor resting at (x, y).

        `rows` are those that may have changed. What is returned is taken for shown.
        """
        self._parts, self._x, self._y = [], None, None
        if self._is_known:
            changed = sorted(y for y in rows if not self.lines[y].is_same(wanted[y]))
            changed = self._scroll(wanted, changed)
        else:
            self._parts.append(_CLEAR)
            self.lines = [Line.blank(self.width)] * self.height
            changed = list(range(self.height))
            self._is_known, self._pen = True, DEFAULT_PEN
        for y in changed:
            self._write_line(y, self.lines[y], wanted[y])
            self.lines[y] = wanted[y]
        if self._parts or rest != self._rest:
            # Whoever writes next, or takes over at the end, finds the pen put down.
            self._take(DEFAULT_PEN)
            self._move(*rest)
        self._rest = rest
        return "".join(self._parts)

    # Cursor and pen

    def _take(self, pen: Pen) -> None:
        if pen is not self._pen:
            self._parts.append(pen_change(self._pen, pen))
            self._pen = pen

    def _move(self, x: int, y: int) -> None:
        if (x, y) == (self._x, self._y):
            return
        column = f";{x + 1}" if x else ""
        candidates = [f"\x1b[{y + 1 if y or x else ''}{column}H"]
        if y == self._y:
            if x == 0:
                candidates.append("\r")
            if self._x is not None and x > self._x:
                cells = x - self._x
                candidates.append(f"\x1b[{cells if cells > 1 else ''}C")
        elif self._y is not None and y > self._y:
            if x == 0 and y == self._y + 1:
                candidates.append("\r\n")
            if x == self._x:
                lines = y - self._y
                candidates.append(f"\x1b[{lines if lines > 1 else ''}B")
        self._parts.append(min(candidates, key=len))
        self._x, self._y = x, y

    def _write(self, line: Line, start: int, end: int) -> None:
        """Write cells from the cursor on."""
        while start < end:
            pen = line.pens[start]
            stop = start + 1
            while stop < end and line.pens[stop] is pen:
                stop += 1
            self._take(pen)
            self._parts.append("".join(line.glyphs[start:stop]))
            start = stop
        # At the right edge terminals differ in where the cursor then is.
        self._x = end if end < self.width else None

    # Lines

    def _write_line(self, y: int, old: Line, new: Line) -> None:
        # What stands behind a glyph of doubtful width is sent anew with it.
        doubt = min(old.doubt, new.doubt)
        if old.glyphs[doubt:] == new.glyphs[doubt:] and old.pens[doubt:] == new.pens[doubt:]:
            self._write_changes(y, old, new, doubt)
            return
        self._write_changes(y, old, new, doubt)
        self._write_rest(y, new, doubt)

    def _write_changes(self, y: int, old: Line, new: Line, limit: int) -> None:
        """Write what differs before cell `limit`, every width there being sure."""
        cells = _changed_cells(old, new, limit)
        if not cells:
            return
        erased = limit
        if limit == self.width and new.pens[-1] is DEFAULT_PEN:
            tail = _blank_tail(new)
            erased = next((x for x in cells if x >= tail), limit)
            if cells[-1] - erased < _ERASE_BYTES:
                erased = limit
            cells = [x for x in cells if x < erased]
        done = 0
        for start, end in runs_of(cells):
            while start and not new.glyphs[start]:
                start -= 1  # noqa: PLW2901 - a glyph is written from its first cell
            while end < limit and not new.glyphs[end]:
                end += 1  # noqa: PLW2901 - and moves the cursor behind its last
            if self._is_cheap_gap(new, done, start, y):
                start = done  # noqa: PLW2901 - the gap is sent again
            self._move(start, y)
            self._write(new, start, end)
            done = end
        if erased < limit:
            self._move(erased, y)
            self._take(DEFAULT_PEN)
            self._parts.append(_ERASE_TO_END)

    def _is_cheap_gap(self, line: Line, start: int, end: int, y: int) -> bool:
        """Say whether sending the cells between two runs again is shorter than a move."""
        if y != self._y or start != self._x or not 0 < end - start <= _GAP_CELLS_MAXIMUM:
            return False
        pen = line.pens[start]
        if any(other is not pen for other in line.pens[start:end]):
            return False
        if pen is not self._pen and pen is not line.pens[end]:
            return False
        move = 3 if end - start == 1 else 4
        return len("".join(line.glyphs[start:end]).encode()) <= move

    def _write_rest(self, y: int, line: Line, x: int) -> None:
        """Write a line from cell `x` on, which may not be the second of a glyph."""
        while x < self.width and not line.glyphs[x]:
            x += 1
        tail = max(x, _blank_tail(line))
        while x < tail:
            end = x + 1
            is_sure = doubt_of(line.glyphs[x]) is Doubt.NONE
            while end < tail and (
                not line.glyphs[end] or (doubt_of(line.glyphs[end]) is Doubt.NONE) is is_sure
            ):
                end += 1
            self._move(x, y)
            if is_sure:
                self._write(line, x, end)
            else:
                self._write_doubtful(y, line, x, end)
            x = end
        if tail < self.width:
            self._move(tail, y)
            self._take(DEFAULT_PEN)
            self._parts.append(_ERASE_TO_END)

    def _write_doubtful(self, y: int, line: Line, start: int, end: int) -> None:
        if any(doubt_of(glyph) is Doubt.ANY for glyph in line.glyphs[start:end]):
            # Where the terminal draws it narrower, nothing old may show behind it.
            blank = Line([" "] * self.width, line.pens)
            self._write(blank, start, end)
            self._x = self._y = None
            self._move(start, y)
        self._write(line, start, end)
        self._x = self._y = None

    # Scrolling

    def _scroll(self, wanted: Sequence[Line], rows: list[int]) -> list[int]:
        """Move the lines that only stand elsewhere; returns the rows that then differ."""
        found = self._find_scroll(wanted, rows)
        if found is None:
            return rows
        top, bottom, shift = found
        scrolled = self._scrolled(top, bottom, shift)
        region = range(top, bottom + 1)
        before = sum(len(_changed_cells(self.lines[y], wanted[y], self.width)) for y in region)
        after = sum(len(_changed_cells(scrolled[y], wanted[y], self.width)) for y in region)
        if before - after <= _SCROLL_BYTES + 2 * abs(shift):
            return rows
        is_whole = top == 0 and bottom == self.height - 1
        if not is_whole:
            self._parts.append(f"\x1b[{top + 1};{bottom + 1}r")
        # A scroll fills with the colour of the pen on some terminals: it lies in the default one.
        self._move(0, bottom if shift > 0 else top)
        self._parts.append(("\x1bD" if shift > 0 else "\x1bM") * abs(shift))
        if not is_whole:
            self._parts.append("\x1b[r")
        self._x = self._y = None
        self.lines = scrolled
        candidates = sorted({*rows, *region})
        return [y for y in candidates if not scrolled[y].is_same(wanted[y])]

    def _scrolled(self, top: int, bottom: int, shift: int) -> list[Line]:
        """Return the lines as they are after a scroll up by `shift`, or down where negative."""
        blank = [Line.blank(self.width)] * abs(shift)
        moved = self.lines[top : bottom + 1]
        moved = moved[shift:] + blank if shift > 0 else blank + moved[:shift]
        return [*self.lines[:top], *moved, *self.lines[bottom + 1 :]]

    def _find_scroll(self, wanted: Sequence[Line], rows: list[int]) -> tuple[int, int, int] | None:
        """Return (top, bottom, shift) of the lines that moved, by their text alone.

        Colours do not count: the cursor moves over lines that scroll below it.
        """
        if len(rows) < _SCROLL_ROWS_MINIMUM:
            return None
        places: dict[str, list[int]] = {}
        for y in rows:
            places.setdefault(self.lines[y].text, []).append(y)
        votes: Counter[int] = Counter()
        voters: dict[int, list[int]] = {}
        for y in rows:
            found = places.get(wanted[y].text, ())
            # A text that stands in many lines tells nothing.
            if len(found) == 1 and found[0] != y and not wanted[y].text.isspace():
                votes[found[0] - y] += 1
                voters.setdefault(found[0] - y, []).append(y)
        if not votes:
            return None
        shift, count = votes.most_common(1)[0]
        if count * 2 < abs(shift):
            return None
        first, last = voters[shift][0], voters[shift][-1]
        return (first, last + shift, shift) if shift > 0 else (first + shift, last, shift)
