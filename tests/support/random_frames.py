"""Random frames, as Textual's compositor hands them out, in every script."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

CONSOLE = Console(color_system="truecolor", force_terminal=True)

WORDS = (
    ["Berlin", "Depot", "KEY-0042", "ok", "x", "{}", "6.1.0", "2026-11-25", "active"],
    ["東京駅", "上海", "新大阪", "ラボ", "１２", "서울", "부산역"],
    ["Αθήνα", "Москва", "София", "Zürich", "Hà", "Nội", "Văn", "phòng", "Łódź"],
    ["e\u0301", "n\u0303o", "A\u030a\u0323", "re\u0301sume\u0301"],
    ["🚀", "⌚", "👍🏽", "👩\u200d👩\u200d👧", "🇩🇪", "❤️", "☂", "🫨"],
    ["القاهرة", "المحطة", "תל", "אביב", "שָׁלוֹם"],
    ["छत्रपति", "क्ष", "กรุงเทพ", "தமிழ்", "নমস্কার"],
    ["●", "▲", "↷", "──", "│", "▁▇", "…", "✓", "‖"],
)
STYLES = (
    None,
    Style(),
    Style(color="default", bgcolor="default"),
    Style(color="red"),
    Style(color="bright_white", bgcolor="blue"),
    Style(color="color(114)", bgcolor="color(16)"),
    Style(color="color(114)", bgcolor="color(16)", bold=True),
    Style(color="#d6dde6", bgcolor="#0f141a"),
    Style(color="#d6dde6", bgcolor="#0f141a", bold=True, dim=True),
    Style(color="#d6dde6", bgcolor="#0f141a", dim=True),
    Style(bgcolor="#0f141a", underline=True),
    Style(underline2=True, italic=True),
    Style(reverse=True, strike=True),
    Style(blink=True, overline=True, conceal=True),
    Style(link="https://example.com", color="cyan"),
)
CURSOR = Style(reverse=True)

Piece = tuple[int, Strip]


class RandomFrames:
    """A picture that changes at random; `step` returns the frame that shows how."""

    def __init__(self, random: Random, measure: Callable[[str], int]) -> None:
        self._random = random
        self._measure = measure
        self.resize()

    def resize(self) -> LayoutUpdate:
        """Start anew in another size."""
        self.width = self._random.randint(8, 44)
        self.height = self._random.randint(3, 12)
        self._lines = [self._line() for _ in range(self.height)]
        return self.whole()

    def whole(self) -> LayoutUpdate:
        """Return the whole picture, as Textual paints it itself."""
        strips = [[strip for _, strip in line] for line in self._lines]
        return LayoutUpdate(strips, Region(0, 0, self.width, self.height))

    def step(self) -> LayoutUpdate | ChopsUpdate:
        """Change something and return a frame that shows at least that."""
        before = self._lines[:]
        chance = self._random.random()
        if chance < 0.3:
            self._scroll()
        elif chance < 0.5:
            self._move_cursor()
        elif chance < 0.8:
            for _ in range(self._random.randint(1, 3)):
                self._edit()
        elif chance < 0.9:
            self._lines[self._row()] = self._line()
        else:
            self._lines = [self._line() for _ in range(self.height)]
        if self._random.random() < 0.3:
            return self.whole()
        return self._partial(before)

    def _row(self) -> int:
        return self._random.randrange(self.height)

    def _partial(self, before: list[list[Piece]]) -> ChopsUpdate:
        """Return a frame of the pieces that changed; the others are not even rendered."""
        chops: list[dict[int, Strip | None]] = []
        ends: list[list[int]] = []
        spans: list[tuple[int, int, int]] = []
        for y, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            edges = [*(x for x, _ in new[1:]), self.width]
            has_cuts_of_old = [x for x, _ in old] == [x for x, _ in new]
            chop: dict[int, Strip | None] = {}
            for number, (x, strip) in enumerate(new):
                is_same = has_cuts_of_old and old[number][1] is strip
                chop[x] = None if is_same else strip
                if not is_same:
                    spans.append((y, x, edges[number]))
            chops.append(chop)
            ends.append(edges)
        return ChopsUpdate(chops, spans or [(0, 0, 0)], ends)

    # What changes

    def _scroll(self) -> None:
        top = self._row()
        bottom = self._random.randint(top, self.height - 1)
        shift = self._random.choice((1, 1, 1, -1, -1, 2, 3, -2, 5))
        region = self._lines[top : bottom + 1]
        shift = max(-len(region), min(len(region), shift))
        new = [self._line() for _ in range(abs(shift))]
        region = region[shift:] + new if shift > 0 else new + region[:shift]
        self._lines[top : bottom + 1] = region
        if self._random.random() < 0.5:
            self._move_cursor()

    def _move_cursor(self) -> None:
        for y in {self._row(), self._row()}:
            self._lines[y] = [
                (x, Strip([Segment(s.text, CURSOR) for s in strip], strip.cell_length))
                for x, strip in self._lines[y]
            ]

    def _edit(self) -> None:
        line = self._lines[y := self._row()][:]
        number = self._random.randrange(len(line))
        x, strip = line[number]
        line[number] = (x, self._strip(strip.cell_length))
        self._lines[y] = line

    def _line(self) -> list[Piece]:
        cuts = {
            self._random.randrange(1, self.width) for _ in range(self._random.choice((0, 1, 2)))
        }
        edges = [0, *sorted(cuts), self.width]
        return [(x, self._strip(end - x)) for x, end in itertools.pairwise(edges)]

    def _strip(self, width: int) -> Strip:
        segments: list[Segment] = []
        words = self._random.choice(WORDS)
        style = self._random.choice(STYLES)
        used = 0
        if self._random.random() < 0.2:
            words = ()
        while words and self._random.random() < 0.85:
            word = self._random.choice(words)
            cells = self._measure(word)
            if used + cells > width:
                break
            segments += self._segments(word, style)
            used += cells
            gap = min(self._random.choice((1, 1, 1, 7)), width - used)
            segments.append(Segment(" " * gap, style))
            used += gap
            if self._random.random() < 0.4:
                style = self._random.choice(STYLES)
                words = self._random.choice(WORDS)
        segments.append(Segment(" " * (width - used), style))
        return Strip([segment for segment in segments if segment.text], width)

    def _segments(self, word: str, style: Style | None) -> list[Segment]:
        # The cursor of a text field stands on a letter without its marks.
        if "\u0301" in word and self._random.random() < 0.3:
            first, mark, rest = word.partition("\u0301")
            return [Segment(first, CURSOR), Segment(mark + rest, style)]
        return [Segment(word, style)]
