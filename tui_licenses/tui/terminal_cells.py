"""A picture as a terminal holds it: one glyph and one pen for each cell.

A glyph of two cells stands in the first of them, and the second holds an empty text. A picture
is changed piece by piece, with the strips that Textual's compositor hands out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from tui_licenses.text import is_narrow, width_cells
from tui_licenses.tui.theme import is_drawn_sign
from tui_licenses.tui.wall import without_hidden

# Attributes that nobody sees on a space.
UNSEEN = frozenset({"1", "2", "3"})


class Pen:
    """What a cell is drawn with: codes of attributes, and both colours; never a link.

    `known` makes them: equal pens are one object, so that `is` compares them. `blank` is the pen
    that stands for all that draw a space as this one does.
    """

    __slots__ = ("attributes", "background", "blank", "foreground")

    _known: ClassVar[dict[tuple[tuple[str, ...], str, str], Pen]] = {}

    def __init__(self, attributes: tuple[str, ...], foreground: str, background: str) -> None:
        self.attributes = attributes
        self.foreground = foreground
        self.background = background
        self.blank = self

    @classmethod
    def known(
        cls,
        attributes: tuple[str, ...] = (),
        foreground: str = "39",
        background: str = "49",
    ) -> Pen:
        """Return the one pen of these codes."""
        key = (attributes, foreground, background)
        pen = cls._known.get(key)
        if pen is None:
            pen = cls._known[key] = cls(*key)
            if UNSEEN.issuperset(attributes):
                pen.blank = cls.known((), "39", background)
        return pen


DEFAULT_PEN = Pen.known()


@lru_cache(maxsize=4096)
def pen_of(style: Style | None, color_system: ColorSystem) -> Pen:
    """Return the pen of a style."""
    if style is None:
        return DEFAULT_PEN
    flags = (
        style.bold,
        style.dim,
        style.italic,
        style.underline,
        style.blink,
        style.blink2,
        style.reverse,
        style.conceal,
        style.strike,
        style.underline2,
        style.frame,
        style.encircle,
        style.overline,
    )
    codes = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "51", "52", "53")
    foreground, background = "39", "49"
    if style.color is not None:
        foreground = ";".join(style.color.downgrade(color_system).get_ansi_codes())
    if style.bgcolor is not None:
        background = ";".join(style.bgcolor.downgrade(color_system).get_ansi_codes(False))
    attributes = tuple(code for code, flag in zip(codes, flags, strict=True) if flag)
    return Pen.known(attributes, foreground, background)


class Doubt(IntEnum):
    """How far terminals disagree about the width of a glyph."""

    NONE = 0
    WIDER = 1  # some give it two cells in place of one, or show it in another order
    ANY = 2


# Letters that every terminal draws alone and one cell wide, but for the ambiguous ones, which
# terminals for East Asia may draw two cells wide.
_NARROW = (range(0xA0, 0x300), range(0x370, 0x530), range(0x1E00, 0x2000))
# Ideographs, kana, Hangul syllables and full-width forms have been two cells wide for ever;
# what came later (emoji above all) depends on the age of the terminal.
_WIDE = (
    range(0x3001, 0x303F),
    range(0x3041, 0x4DC0),
    range(0x4E00, 0xA4D0),
    range(0xAC00, 0xD7A4),
    range(0xF900, 0xFB00),
    range(0xFF01, 0xFF61),
    range(0x20000, 0x2FA20),
)
# Runs in doubt with so few sure cells between them are one: a word stays in one piece. Two spaces
# part columns.
_NEAR_CELLS = 4
_BETWEEN_COLUMNS = "  "


class DoubtfulRun(NamedTuple):
    """Neighbouring cells whose widths are in doubt, from `start` to before `end`.

    The cells from `end` to before `blank_end` are empty: a run that a terminal draws wider than
    we count may reach into them.
    """

    start: int
    end: int
    blank_end: int
    doubt: Doubt


@lru_cache(maxsize=4096)
def doubt_of(glyph: str) -> Doubt:
    """Say whether the cursor is where it should be after a glyph was written."""
    if glyph.isascii() or is_drawn_sign(glyph):
        return Doubt.NONE
    cells = width_cells(glyph)
    if len(glyph) > 1 or cells != cell_len(glyph) or unicodedata.category(glyph)[0] in "CM":
        return Doubt.ANY
    codes = _NARROW if cells == 1 else _WIDE
    is_agreed = unicodedata.east_asian_width(glyph) != "A" and any(
        ord(glyph) in known for known in codes
    )
    if is_agreed:
        return Doubt.NONE
    return Doubt.WIDER if cells == 1 else Doubt.ANY


@lru_cache(maxsize=4096)
def _split(text: str, measure: Callable[[str], int]) -> tuple[str, tuple[str, ...]]:
    """Return the marks a text begins with, and its glyphs, one for each cell."""
    # Not even a bug may send a control character.
    text = without_hidden(text)
    if is_narrow(text):
        return "", tuple(text)
    from wcwidth import iter_graphemes

    marks = ""
    glyphs: list[str] = []
    head = -1
    for glyph in iter_graphemes(text):
        width = measure(glyph)
        if width > 0:
            head = len(glyphs)
            glyphs += [glyph, *[""] * (width - 1)]
        elif head >= 0:
            glyphs[head] += glyph
        else:
            marks += glyph
    return marks, tuple(glyphs)


def _parse(
    segments: Iterable[Segment], color_system: ColorSystem, measure: Callable[[str], int]
) -> tuple[list[str], list[Pen]]:
    glyphs: list[str] = []
    pens: list[Pen] = []
    for text, style, control in segments:
        if control:
            continue
        pen = pen_of(style, color_system)
        if text.isascii() and text.isprintable():
            glyphs += text
            pens += _pens_of(text, pen)
            continue
        marks, cells = _split(text, measure)
        if marks and glyphs:
            # The cursor of a text field parts a letter from its marks.
            head = next(x for x in reversed(range(len(glyphs))) if glyphs[x])
            glyphs[head] += marks
        glyphs += cells
        pens += _pens_of(cells, pen)
    return glyphs, pens


def _pens_of(glyphs: Sequence[str], pen: Pen) -> list[Pen]:
    blank = pen.blank
    if blank is pen or " " not in glyphs:
        return [pen] * len(glyphs)
    return [blank if glyph == " " else pen for glyph in glyphs]


def cells_of(
    segments: Sequence[Segment], width: int, color_system: ColorSystem
) -> tuple[list[str], list[Pen]]:
    """Return the glyphs and pens of the segments of a strip that takes `width` cells.

    Some widgets count cells in one way and some in another; the width tells which way it was.
    """
    glyphs, pens = _parse(segments, color_system, width_cells)
    if len(glyphs) != width:
        other = _parse(segments, color_system, cell_len)
        if len(other[0]) == width:
            return other
        missing = width - len(glyphs)
        if missing > 0:
            glyphs += " " * missing
            pens += [pens[-1].blank if pens else DEFAULT_PEN] * missing
        else:
            return first_cells(glyphs, pens, width)
    return glyphs, pens


def first_cells(glyphs: list[str], pens: list[Pen], width: int) -> tuple[list[str], list[Pen]]:
    """Return at most `width` cells; a glyph that reaches further becomes spaces."""
    if len(glyphs) > width:
        _blank_rest(glyphs, pens, width)
        del glyphs[width:], pens[width:]
    return glyphs, pens


def _blank_rest(glyphs: list[str], pens: list[Pen], x: int) -> None:
    """Replace the glyph that reaches over the edge before cell `x` by spaces."""
    is_cut = 0 < x < len(glyphs) and not glyphs[x]
    while is_cut:
        x -= 1
        is_cut = not glyphs[x]
        glyphs[x], pens[x] = " ", pens[x].blank


def _find_doubts(glyphs: list[str]) -> list[DoubtfulRun]:
    found: list[tuple[int, int, Doubt]] = []
    for x in [x for x, glyph in enumerate(glyphs) if glyph > "\x7f" or len(glyph) > 1]:
        doubt = doubt_of(glyphs[x])
        if doubt is Doubt.NONE:
            continue
        end = x + 1
        while end < len(glyphs) and not glyphs[end]:
            end += 1
        between = "".join(glyphs[found[-1][1] : x]) if found else _BETWEEN_COLUMNS
        if len(between) <= _NEAR_CELLS and _BETWEEN_COLUMNS not in between:
            start, _, before = found.pop()
            found.append((start, end, max(before, doubt)))
        else:
            found.append((x, end, doubt))
    return [DoubtfulRun(x, end, _blank_end(glyphs, end), doubt) for x, end, doubt in found]


def _blank_end(glyphs: list[str], x: int) -> int:
    while x < len(glyphs) and glyphs[x] == " ":
        x += 1
    return x


class Line:
    """One line of a picture; never changed, so that pictures can share it."""

    __slots__ = ("_doubts", "_text", "glyphs", "pens")

    def __init__(self, glyphs: list[str], pens: list[Pen]) -> None:
        self.glyphs = glyphs
        self.pens = pens
        self._text: str | None = None
        self._doubts: list[DoubtfulRun] | None = None

    @classmethod
    def blank(cls, width: int) -> Line:
        """Return a line as an erased one is."""
        return cls([" "] * width, [DEFAULT_PEN] * width)

    @property
    def text(self) -> str:
        """Return the characters of the line."""
        if self._text is None:
            self._text = "".join(self.glyphs)
        return self._text

    @property
    def doubts(self) -> list[DoubtfulRun]:
        """Return each run of cells whose widths are in doubt."""
        if self._doubts is None:
            self._doubts = []
            if not self.text.isascii():
                self._doubts = _find_doubts(self.glyphs)
        return self._doubts

    def with_piece(self, x: int, glyphs: list[str], pens: list[Pen]) -> Line:
        """Return the line with other cells from `x` on; this one where they are the same."""
        end = x + len(glyphs)
        if self.glyphs[x:end] == glyphs and self.pens[x:end] == pens:
            return self
        all_glyphs, all_pens = self.glyphs[:], self.pens[:]
        # Half a glyph is none.
        _blank_rest(all_glyphs, all_pens, x)
        all_glyphs[x:end], all_pens[x:end] = glyphs, pens
        while end < len(all_glyphs) and not all_glyphs[end]:
            all_glyphs[end], all_pens[end] = " ", all_pens[end].blank
            end += 1
        return Line(all_glyphs, all_pens)

    def is_same(self, other: Line) -> bool:
        """Say whether two lines look the same."""
        return self is other or (self.glyphs == other.glyphs and self.pens == other.pens)


def runs_of(cells: Sequence[int]) -> list[tuple[int, int]]:
    """Return the (start, end) of each run of neighbouring cells, from their sorted columns."""
    if not cells:
        return []
    cuts = [0, *(i for i, (x, y) in enumerate(pairwise(cells), 1) if y != x + 1), len(cells)]
    return [(cells[a], cells[b - 1] + 1) for a, b in pairwise(cuts)]
