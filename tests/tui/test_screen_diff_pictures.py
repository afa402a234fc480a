"""The screen diff shows what Textual shows: both outputs, cell by cell, in a terminal emulator."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, LayoutUpdate
from wcwidth import iter_graphemes, wcswidth, wcwidth

from tests.support.emulator import Emulator, differences
from tests.support.random_frames import CONSOLE, RandomFrames
from tui_licenses.tui import terminal_cells, terminal_changes
from tui_licenses.tui.screen_diff import FramePicture
from tui_licenses.tui.terminal_cells import Doubt

STEPS = 9_000
STEPS_OF_AN_ESTATE = 60


class Both:
    """A random picture, shown by Textual in one terminal and by the screen diff in another."""

    def __init__(self, random: Random, measure: Callable[[str], int] = wcswidth) -> None:
        self.random = random
        self.frames = RandomFrames(random, measure)
        self.picture = FramePicture()
        self.kind = {
            "measure": measure,
            "erases_in_color": random.random() < 0.5,
            "wraps_always": random.random() < 0.3,
        }
        self.start(self.frames.whole())

    def start(self, frame: object) -> None:
        """Begin in two new terminals with the noise of another program on them."""
        size = self.frames.width, self.frames.height
        self.textual, self.diff = Emulator(*size, **self.kind), Emulator(*size, **self.kind)
        self.diff.feed("\x1b[7mnoise")
        self.picture.forget()
        self.show(frame)

    def step(self) -> None:
        """Change the picture and show it in both ways."""
        chance = self.random.random()
        if chance < 0.01:
            self.start(self.frames.resize())
        elif chance < 0.03:
            self.picture.forget()
            self.show(self.frames.whole())
        else:
            self.show(self.frames.step())

    def show(self, frame: object) -> None:
        """Show a frame; sometimes the terminal is slow and sees only the next one."""
        self.picture.take(frame, ColorSystem.TRUECOLOR)
        if self.random.random() < 0.9:
            self.compare()

    def compare(self) -> None:
        """Send the changes and compare every cell with Textual's own picture."""
        rest = self.random.randrange(self.frames.width), self.random.randrange(self.frames.height)
        if self.random.random() < 0.5:
            self.diff.feed(self.picture.changes(None))
        else:
            self.diff.feed(self.picture.changes(rest))
            assert (self.diff.cursor.x, self.diff.cursor.y) == rest
        assert self.diff.cursor.attrs == self.diff.default_char
        assert self.diff.margins is None
        self.textual.feed("\x1b[H" + self.frames.whole().render_segments(CONSOLE))
        assert differences(self.diff, self.textual) == []


def _play(random: Random, steps: int, measure: Callable[[str], int] = wcswidth) -> None:
    both = Both(random, measure)
    for _ in range(steps):
        both.step()
    both.compare()


@pytest.mark.parametrize("seed", range(4))
def test_thousands_of_random_pictures_look_as_textual_shows_them(seed: int) -> None:
    for number in range(STEPS // 4 // STEPS_OF_AN_ESTATE + 1):
        measure = (wcswidth, cell_len)[number % 2]
        _play(Random(f"{seed} {number}"), STEPS_OF_AN_ESTATE, measure)


@given(st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_random_picture_looks_as_textual_shows_it(random: Random) -> None:
    _play(random, 6)


# Terminals that count otherwise


def _legacy(glyph: str) -> int:
    """Count as terminals do that know nothing of clusters."""
    return sum(max(0, wcwidth(sign)) for sign in glyph)


def _old(glyph: str) -> int:
    """Count as terminals do that were made before emoji."""
    return 1 if ord(glyph[0]) > 0x1F000 else _legacy(glyph)


def _east_asian(glyph: str) -> int:
    """Count as terminals do that draw ambiguous letters two cells wide."""
    is_wide = terminal_cells.doubt_of(glyph) is Doubt.WIDER
    return 2 if is_wide else max(1, wcswidth(glyph))


@pytest.mark.parametrize("measure", [_legacy, _old, _east_asian])
@pytest.mark.parametrize("seed", range(6))
def test_columns_hold_on_terminals_that_count_the_cells_of_a_glyph_otherwise(
    measure: Callable[[str], int], seed: int
) -> None:
    frames = RandomFrames(Random(f"{seed} {measure.__name__}"), wcswidth)
    terminal = Emulator(frames.width, frames.height, measure=measure)
    picture = FramePicture()
    frame: LayoutUpdate | ChopsUpdate = frames.whole()
    for _ in range(60):
        picture.take(frame, ColorSystem.TRUECOLOR)
        terminal.feed(picture.changes((0, 0)))
        _check_columns(picture, terminal)
        frame = frames.step()


def _check_columns(picture: FramePicture, terminal: Emulator) -> None:
    for y, (line, shown) in enumerate(zip(picture._wanted, terminal.cells(), strict=True)):
        doubtful = {x for run in line.doubts for x in range(run.start, run.blank_end)}
        for x in set(range(terminal.columns)) - doubtful:
            assert shown[x].data == line.glyphs[x], (y, x, line.text)
        for run in line.doubts:
            name = "".join(line.glyphs[run.start : run.end])
            seen = "".join(cell.data for cell in shown[run.start : run.blank_end])
            cells = sum(map(terminal.measured, iter_graphemes(name)))
            if cells <= run.blank_end - run.start:
                # Whole, and nothing old behind it.
                assert seen.rstrip() == name.rstrip(), (y, run, line.text)
            else:
                # At the right edge of the terminal, glyphs are written over one another.
                edge = 2 if run.blank_end == terminal.columns else 0
                seen = "".join(cell.data for cell in shown[run.start : run.blank_end - edge])
                assert name.startswith(seen.rstrip()), (y, run, line.text)


# The comparison itself


def _play_often() -> None:
    for seed in range(20):
        _play(Random(seed), 60)


def _without_colours(old: terminal_cells.Line, new: terminal_cells.Line) -> list[int]:
    pairs = zip(old.glyphs, new.glyphs, strict=True)
    return [x for x, (glyph, other) in enumerate(pairs) if glyph != other]


def _as_if_narrow(text: str, measure: Callable[[str], int]) -> tuple[str, tuple[str, ...]]:
    return "", tuple(itertools.islice(text, max(0, measure(text))))


@pytest.mark.parametrize(
    ("module", "name", "broken"),
    [
        (terminal_changes, "_changed_cells", _without_colours),
        (terminal_cells, "_split", _as_if_narrow),
        (terminal_changes, "_CLEAR", "\x1b[r\x1b[m\x1b[H"),
        (terminal_changes, "_ERASE_TO_END", ""),
        (terminal_changes, "pen_change", lambda before, after: ""),
    ],
)
def test_the_comparison_finds_what_a_broken_diff_does(
    module: object, name: str, broken: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, broken)
    with pytest.raises(AssertionError):
        _play_often()
