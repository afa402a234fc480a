"""The fewest bytes that turn the picture a terminal shows into another.

Only sequences are used that xterm, the Linux console, screen, tmux and everything descended from
a VT100 read alike: cursor moves, SGR, scroll regions with IND and RI, and EL in the default
colours, since terminals differ in the colour they erase with. For the same reason there is no
ECH, and no REP, which many do not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from operator import ne

from tui_licenses.tui.terminal_cells import (
    DEFAULT_PEN,
    UNSEEN,
    Doubt,
    DoubtfulRun,
    Line,
    Pen,
    runs_of,
)

# The whole screen scrolls, default colours, nothing on it.
_CLEAR = "\x1b[r\x1b[m\x1b[H\x1b[2J"
_ERASE_TO_END = "\x1b[K"
_ERASE_CELLS = 8
_GAP_CELLS_MAXIMUM = 5
# What a scroll costs beside two bytes for each line: region, place, and the region ended.
_SCROLL_BYTES = 20
# A shorter one costs more than it saves.
_SCROLL_ROWS_MINIMUM = 3
# The cursor is drawn on one line, so that the one beside it may be better left where it is.
_EDGE_LINES = 1
# Codes that end an attribute everywhere; for the others everything is ended.
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "7": "27"}


@lru_cache(maxsize=1024)
def pen_change(before: Pen, after: Pen) -> str:
    """Return the shortest sequence that changes one pen into another."""
    # Attributes come last: in old Linux consoles the code of the default colour ends underlining.
    fresh = [code for code in (after.foreground, after.background) if code not in ("39", "49")]
    fresh += after.attributes
    whole = f"\x1b[0;{';'.join(fresh)}m" if fresh else "\x1b[m"
    ended = [code for code in before.attributes if code not in after.attributes]
    if any(code not in _OFF for code in ended):
        return whole
    off = sorted({_OFF[code] for code in ended})
    changes = off
    if after.foreground != before.foreground:
        changes.append(after.foreground)
    if after.background != before.background:
        changes.append(after.background)
    changes += [
        code
        for code in after.attributes
        if code not in before.attributes or _OFF.get(code) in off  # 22 ends bold and dim alike
    ]
    step = f"\x1b[{';'.join(changes)}m" if changes else ""
    return min(step, whole, key=len)


def _changed_cells(old: Line, new: Line) -> list[int]:
    if old is new:
        return []
    cells = zip(old.glyphs, new.glyphs, old.pens, new.pens, strict=True)
    return [x for x, (g, h, p, q) in enumerate(cells) if g != h or p is not q]


def _reach(start: int, end: int, doubt: Doubt, width: int) -> int:
    """Return the column before which a run of doubtful glyphs may leave traces."""
    return min(width, 2 * end - start) if doubt is Doubt.WIDER else width


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
        self._rest: tuple[int, int] | None = None

    @classmethod
    def of(cls, lines: list[Line]) -> ShownPicture:
        """Return the picture of a terminal that shows these lines, its pen put down."""
        shown = cls(len(lines[0].glyphs) if lines else 0, len(lines))
        shown.lines, shown._is_known = lines[:], True
        return shown

    def forget(self) -> None:
        """Trust nothing on the terminal any more; the next change repaints it whole."""
        self._is_known = False

    def change_to(
        self, wanted: Sequence[Line], rows: Iterable[int], rest: tuple[int, int] | None
    ) -> str:
        """Return what to send so that the terminal shows `wanted`, its cursor resting at (x, y).

        `rows` are those that may have changed. None for `rest` lets the cursor, which is hidden,
        stay anywhere. What is returned is taken for shown.
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
            if rest is not None:
                self._move(*rest)
        self._rest = rest
        return "".join(self._parts)

    # Cursor and pen

    def _take(self, pen: Pen) -> None:
        if pen is not self._pen:
            self._parts.append(pen_change(self._pen, pen))
            self._pen = pen

    def _take_for_blank(self, blank: Pen) -> None:
        """Take any pen that draws spaces as `blank` does: the nearest to the one in hand."""
        if self._pen.blank is blank:
            return
        kept = tuple(code for code in self._pen.attributes if code in UNSEEN)
        near = Pen.known(kept, self._pen.foreground, blank.background)
        self._take(near if near.blank is blank else blank)

    def _move(self, x: int, y: int) -> None:
        if (x, y) == (self._x, self._y):
            return
        column = f";{x + 1}" if x else ""
        candidates = [f"\x1b[{y + 1 if y or x else ''}{column}H"]
        if y == self._y:
            if x == 0:
                candidates.append("\r")
            # Where the column is in doubt, the left edge is not.
            cells = x - (self._x or 0)
            if cells > 0:
                return_first = "\r" if self._x is None else ""
                candidates.append(f"{return_first}\x1b[{cells if cells > 1 else ''}C")
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
            text = "".join(line.glyphs[start:stop])
            if text.strip(" ") or pen.blank is not pen:
                self._take(pen)
            elif stop < end and line.pens[stop].blank is pen:
                if self._pen.blank is not pen:
                    self._take(line.pens[stop])
            else:
                self._take_for_blank(pen)
            self._parts.append(text)
            start = stop
        # At the right edge terminals differ in where the cursor then is.
        self._x = end if end < self.width else None

    # Lines

    def _write_line(self, y: int, old: Line, new: Line) -> None:
        cells = self._cells_to_send(old, new)
        erased = self._erased_from(new, cells)
        done = 0
        for start, end in runs_of([x for x in cells if x < erased]):
            # A glyph is written from its first cell, and moves the cursor behind its last.
            while start and not new.glyphs[start]:
                start -= 1  # noqa: PLW2901
            while end < self.width and not new.glyphs[end]:
                end += 1  # noqa: PLW2901
            if self._is_cheap_gap(new, done, start, y):
                start = done  # noqa: PLW2901 - the gap is sent again
            done = max(done, end)
            self._write_cells(y, new, start, end)
        if erased < self.width:
            self._move(erased, y)
            self._take_for_blank(DEFAULT_PEN)
            self._parts.append(_ERASE_TO_END)

    def _cells_to_send(self, old: Line, new: Line) -> list[int]:
        """Return the columns that differ, and those a glyph of doubtful width may have hit."""
        cells = _changed_cells(old, new)
        if not old.doubts and not new.doubts:
            return cells
        sent = set(cells)
        for start, end, blank_end, doubt in sorted([*old.doubts, *new.doubts]):
            if not sent.isdisjoint(range(start, blank_end)):
                sent.update(range(start, _reach(start, end, doubt, self.width)))
        return sorted(sent)

    def _erased_from(self, new: Line, cells: list[int]) -> int:
        """Return from where on it is shortest to erase the rest of the line."""
        if not cells or new.pens[-1] is not DEFAULT_PEN:
            return self.width
        if new.doubts and new.doubts[-1].blank_end == self.width:
            # A run that is drawn wider than we count reaches into the blanks, which come first.
            return self.width
        x = self.width
        while x and new.glyphs[x - 1] == " " and new.pens[x - 1] is DEFAULT_PEN:
            x -= 1
        first = next((cell for cell in cells if cell >= x), self.width)
        return first if cells[-1] - first >= _ERASE_CELLS else self.width

    def _is_cheap_gap(self, line: Line, start: int, end: int, y: int) -> bool:
        """Say whether sending the cells between two runs again is shorter than a move."""
        if y != self._y or start != self._x or not 0 < end - start <= _GAP_CELLS_MAXIMUM:
            return False
        text = "".join(line.glyphs[start:end])
        if not text.isascii() or len(text) > (3 if end - start == 1 else 4):
            return False
        for pen in (self._pen, line.pens[end]):
            like = (pen, pen.blank)
            if all(other is like[0] or other is like[1] for other in line.pens[start:end]):
                return True
        return False

    def _write_cells(self, y: int, line: Line, start: int, end: int) -> None:
        """Write cells, each run of doubtful widths on its own."""
        for run in line.doubts:
            if run.start >= end or run.end <= start:
                continue
            if start < run.start:
                self._move(start, y)
                self._write(line, start, run.start)
            start = max(run.start, start)
            part = DoubtfulRun(start, min(run.end, end), min(run.blank_end, end), run.doubt)
            self._write_doubtful(y, line, part)
            start = part.blank_end
        if start < end:
            self._move(start, y)
            self._write(line, start, end)

    def _write_doubtful(self, y: int, line: Line, run: DoubtfulRun) -> None:
        """Write a run, and before it the blanks behind: where it is drawn wider, it stays whole."""
        start, end, blank_end, doubt = run
        # Where the terminal draws it narrower, nothing old may show behind it.
        blank_start = start if doubt is Doubt.ANY else end
        if blank_start < blank_end:
            self._move(blank_start, y)
            spaces = Line([" "] * self.width, [pen.blank for pen in line.pens])
            self._write(spaces, blank_start, blank_end)
        self._move(start, y)
        self._write(line, start, end)
        self._x = None
        if _reach(start, end, doubt, self.width) == self.width:
            # Without regard to what was asked for, some terminals then stand in the next line.
            self._y = None

    # Scrolling

    def _scroll(self, wanted: Sequence[Line], rows: list[int]) -> list[int]:
        """Move the lines that only stand elsewhere; returns the rows that then differ."""
        if len(rows) < _SCROLL_ROWS_MINIMUM:
            return rows
        moved, is_clear = self._find_moved(wanted, rows)
        candidates = [moved] if moved else []
        if not is_clear:
            # Lines of a kind may come to lie on one another, instances on instances.
            by_one = ((rows[0], rows[-1], shift) for shift in (1, -1))
            candidates += [scroll for scroll in by_one if self._is_likely(wanted, scroll)]
        costs = {y: len(_changed_cells(self.lines[y], wanted[y])) for y in rows if candidates}
        gains = (self._gain(wanted, costs, *scroll) for scroll in candidates)
        gain, top, bottom, shift = max(gains, default=(0, 0, 0, 0))
        if gain <= 0:
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
        self.lines = self._scrolled(top, bottom, shift)
        touched = sorted({*rows, *range(top, bottom + 1)})
        return [y for y in touched if not self.lines[y].is_same(wanted[y])]

    def _is_likely(self, wanted: Sequence[Line], scroll: tuple[int, int, int]) -> bool:
        """Say whether fewer characters differ after a scroll, at a glance."""
        top, bottom, shift = scroll
        gain = 0
        for y in range(top + max(0, -shift), bottom + 1 - max(0, shift)):
            glyphs = wanted[y].glyphs
            gain += sum(map(ne, self.lines[y].glyphs, glyphs))
            gain -= sum(map(ne, self.lines[y + shift].glyphs, glyphs))
        return gain > 0

    def _gain(
        self, wanted: Sequence[Line], costs: dict[int, int], top: int, bottom: int, shift: int
    ) -> tuple[int, int, int, int]:
        """Return how many cells fewer a scroll leaves to send, and its (top, bottom, shift).

        Lines at the edges take no part where that is better: at the one that content leaves by
        any number of them, at the other the few that show the cursor.
        """
        step = abs(shift)
        # From the edge that content leaves by to that where blank lines come in.
        rows = range(top, bottom + 1) if shift > 0 else range(bottom, top - 1, -1)
        blank = Line.blank(self.width)
        gains = [
            costs.get(y, 0) - len(_changed_cells(self.lines[source], wanted[y]))
            for y, source in zip(rows, rows[step:], strict=False)
        ]
        losses = [
            costs.get(y, 0) - len(_changed_cells(blank, wanted[y]))
            for y in rows[len(gains) - _EDGE_LINES :]
        ]
        best = (0, top, bottom, shift)
        for edge in range(min(_EDGE_LINES, len(gains) - 1) + 1):
            kept = len(gains) - edge
            sums = list(accumulate(reversed(gains[:kept])))
            most = max(range(kept), key=sums.__getitem__)
            gain = sums[most] + sum(losses[_EDGE_LINES - edge :][:step])
            ends = sorted((rows[kept - 1 - most], rows[kept - 1 + step]))
            best = max(best, (gain - _SCROLL_BYTES - 2 * step, ends[0], ends[1], shift))
        return best

    def _scrolled(self, top: int, bottom: int, shift: int) -> list[Line]:
        """Return the lines as they are after a scroll up by `shift`, or down where negative."""
        blank = [Line.blank(self.width)] * abs(shift)
        moved = self.lines[top : bottom + 1]
        moved = moved[shift:] + blank if shift > 0 else blank + moved[:shift]
        return [*self.lines[:top], *moved, *self.lines[bottom + 1 :]]

    def _find_moved(
        self, wanted: Sequence[Line], rows: list[int]
    ) -> tuple[tuple[int, int, int] | None, bool]:
        """Return (top, bottom, shift) of the lines that moved, and whether most of them did.

        The text alone counts: the cursor moves over lines that scroll below it.
        """
        places: dict[str, list[int]] = {}
        for y in rows:
            places.setdefault(self.lines[y].text, []).append(y)
        voters: dict[int, list[int]] = {}
        for y in rows:
            found = places.get(wanted[y].text, ())
            # A text that stands in many lines tells nothing.
            if len(found) == 1 and found[0] != y:
                voters.setdefault(found[0] - y, []).append(y)
        if not voters:
            return None, False
        shift, ys = max(voters.items(), key=lambda item: len(item[1]))
        ends = ys[0] + min(0, shift), ys[-1] + max(0, shift)
        return (*ends, shift), 2 * len(ys) > len(rows)
