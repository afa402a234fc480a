"""The screen diff by itself: when it waits, what it sends, and what it leaves to Textual."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from queue import Queue
from random import Random

import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App, ComposeResult
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Offset, Region
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Input, Static
from wcwidth import wcswidth

from tests.support.emulator import Emulator
from tests.support.random_frames import RandomFrames
from tui_licenses import paths
from tui_licenses.terminal import has_scroll_regions
from tui_licenses.tui import screen_diff
from tui_licenses.tui.screen_diff import (
    FramePicture,
    ScreenDiff,
    is_proven_textual,
)
from tui_licenses.tui.terminal_cells import DEFAULT_PEN, Doubt, cells_of, doubt_of, pen_of
from tui_licenses.tui.terminal_changes import pen_change


class Writer:
    """Stands for the thread that writes; `waiting` holds what it has not written yet."""

    def __init__(self) -> None:
        self.written = ""
        self._queue: Queue[str] = Queue()
        self.descriptor = os.open(os.devnull, os.O_WRONLY)

    def write(self, text: str) -> None:
        self.written += text

    def fileno(self) -> int:
        return self.descriptor

    def flush(self) -> None:
        pass


class Host(App[None]):
    """An app whose frames go through the screen diff, to a terminal of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.diff = ScreenDiff(self, is_wanted=True)

    def compose(self) -> ComposeResult:
        yield Static("one")

    def _display(self, screen, renderable) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
        super()._display(screen, self.diff.show(screen, renderable))


@asynccontextmanager
async def _shown(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Pilot[None], Writer]]:
    monkeypatch.setenv("TERM", "xterm")
    app, writer = Host(), Writer()
    async with app.run_test(size=(20, 4)) as pilot:
        headless = app._driver
        app._driver = driver = LinuxDriver.__new__(LinuxDriver)
        driver._writer_thread = writer  # type: ignore[assignment]
        # Looked at once, and then the terminal was none.
        app.diff = ScreenDiff(app, is_wanted=True)
        try:
            app.diff.repaint()
            await pilot.pause()
            yield pilot, writer
        finally:
            app._driver = headless
            os.close(writer.descriptor)


def _picture(written: str) -> list[str]:
    emulator = Emulator(20, 4)
    emulator.feed(written.replace("\x1b[?2026h", "").replace("\x1b[?2026l", ""))
    return ["".join(cell.data for cell in line).rstrip() for line in emulator.cells()]


async def test_a_frame_goes_to_the_terminal_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _shown(monkeypatch) as (pilot, writer):
        assert _picture(writer.written)[0] == "one"
        writer.written = ""
        pilot.app._sync_available = True
        pilot.app.query_one(Static).update("two")
        await pilot.pause()
        assert writer.written.startswith("\x1b[?2026h")
        assert writer.written.endswith("\x1b[?2026l")
        assert len(writer.written) < 60


async def test_while_output_waits_nothing_is_added_and_then_the_last_picture_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with _shown(monkeypatch) as (pilot, writer):
        writer._queue.put("something")
        before = writer.written
        for word in ("two", "three", "four"):
            pilot.app.query_one(Static).update(word)
            await pilot.pause()
        await asyncio.sleep(0)
        assert writer.written == before
        writer._queue.get()
        while writer.written == before:
            await pilot.pause(0.001)
        assert _picture(writer.written)[0] == "four"
        assert "three" not in writer.written
        assert pilot.app.diff._waiting is None, "it looks on, with nothing to wait for"


async def test_what_a_serial_port_still_has_to_send_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting = [2000, 1000, 100]

    def ioctl(descriptor: int, request: int, _: bytes) -> bytes:
        assert request == termios.TIOCOUTQ
        assert descriptor == writer.descriptor
        return waiting.pop(0).to_bytes(4, sys.byteorder)

    async with _shown(monkeypatch) as (pilot, writer):
        monkeypatch.setattr(fcntl, "ioctl", ioctl)
        writer.written = ""
        pilot.app.query_one(Static).update("two")
        while not writer.written:
            await pilot.pause(0.001)
        assert waiting == []


async def test_a_picture_that_is_the_same_costs_no_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _shown(monkeypatch) as (pilot, writer):
        writer.written = ""
        pilot.app.screen.refresh()
        await pilot.pause()
        assert writer.written == ""


async def test_the_cursor_rests_where_a_text_field_wants_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with _shown(monkeypatch) as (pilot, writer):
        await pilot.app.mount(field := Input(compact=True))
        field.cursor_blink = False
        field.focus()
        field.value = "ab"
        await pilot.pause()
        writer.written = ""
        field.cursor_position = 1
        await pilot.pause()
        emulator = Emulator(20, 4)
        emulator.feed(writer.written)
        assert Offset(emulator.cursor.x, emulator.cursor.y) == field.cursor_screen_offset


async def test_a_bug_while_output_waited_is_noticed_by_the_log_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError

    async with _shown(monkeypatch) as (pilot, writer):
        writer._queue.put("something")
        pilot.app.query_one(Static).update("two")
        await pilot.pause()
        monkeypatch.setattr(screen_diff.FramePicture, "changes", broken)
        writer._queue.get()
        while "two" not in _picture(writer.written)[0]:
            await pilot.pause(0.001)
        pilot.app.query_one(Static).update("three")
        await pilot.pause()
        assert _picture(writer.written)[0] == "three"
        assert "ZeroDivisionError" in paths.log_file().read_text(encoding="utf-8")


def test_pieces_are_for_a_picture_of_their_own_size_and_known_as_a_whole() -> None:
    frames = RandomFrames(Random(1), wcswidth)
    picture, pieces = FramePicture(), ChopsUpdate([{0: None}] * 3, [(0, 0, 0)], [[9]] * 3)
    assert not picture.takes(pieces)
    picture.take(LayoutUpdate([[Strip.blank(9)]] * 3, Region(0, 0, 9, 3)), ColorSystem.TRUECOLOR)
    assert picture.takes(pieces)
    assert not picture.takes(ChopsUpdate([{0: None}] * 3, [(0, 0, 0)], [[8]] * 3))
    assert not picture.takes(ChopsUpdate([{0: None}] * 2, [(0, 0, 0)], [[9]] * 2))
    assert picture.takes(frames.whole())
    picture.forget()
    assert not picture.takes(pieces)


def test_a_terminal_without_cells_is_sent_none() -> None:
    picture = FramePicture()
    picture.take(LayoutUpdate([[Strip.blank(0)]], Region(0, 0, 0, 1)), ColorSystem.TRUECOLOR)
    picture.changes(None)
    picture.take(LayoutUpdate([[Strip.blank(0)]], Region(0, 0, 0, 1)), ColorSystem.TRUECOLOR)
    assert picture.changes(None) == ""


async def test_a_headless_app_is_left_to_textual() -> None:
    app = Host()
    async with app.run_test(size=(20, 4)) as pilot:
        app.screen.refresh()
        await pilot.pause()
        assert app.diff._is_possible is False


def test_the_textual_that_is_installed_is_one_the_diff_was_proven_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert is_proven_textual()
    monkeypatch.setattr(screen_diff, "PROVEN_TEXTUAL", ("8.2.7",))
    assert not is_proven_textual()


@pytest.mark.parametrize(
    ("term", "is_able"),
    [
        *[(term, True) for term in ("xterm", "xterm-256color", "xterm-kitty", "linux", "vt100")],
        *[(term, True) for term in ("screen.xterm-256color", "tmux-256color", "rxvt-unicode")],
        *[(term, True) for term in ("vt220", "foot", "alacritty", "st-256color")],
        *[(term, False) for term in ("", "dumb", "unknown", "vt52", "ansi", "cons25", "xtermish")],
    ],
)
def test_scroll_regions_are_known_by_the_name_of_the_terminal(term: str, is_able: bool) -> None:
    assert has_scroll_regions({"TERM": term}) is is_able


@pytest.mark.parametrize(
    ("glyph", "doubt"),
    [
        *[(glyph, Doubt.NONE) for glyph in "aÄ…●│▁東あ한"],
        *[(glyph, Doubt.WIDER) for glyph in "ßüαЖאم"],
        *[
            (glyph, Doubt.ANY)
            for glyph in ("e\u0301", "🚀", "⌚", "👩\u200d👧", "क्ष", "❤\ufe0f", "\u00ad")
        ],
    ],
)
def test_glyphs_whose_width_terminals_disagree_on_are_known(glyph: str, doubt: Doubt) -> None:
    assert doubt_of(glyph) is doubt


def test_pens_change_by_no_more_than_they_differ() -> None:
    plain, bold = Style(color="color(114)"), Style(color="color(114)", bold=True)
    dim = Style(color="color(114)", bold=True, dim=True)
    blinking = Style(blink=True)

    def change(before: Style, after: Style) -> str:
        pens = [pen_of(style, ColorSystem.EIGHT_BIT) for style in (before, after)]
        return pen_change(*pens)

    assert change(plain, bold) == "\x1b[1m"
    assert change(bold, plain) == "\x1b[22m"
    assert change(dim, bold) == "\x1b[22;1m"
    assert change(plain, Style()) == "\x1b[m"
    assert change(blinking, plain) == "\x1b[0;38;5;114m"
    assert change(plain, plain) == ""


def test_a_link_is_never_opened() -> None:
    link = pen_of(Style(link="https://example.com"), ColorSystem.TRUECOLOR)
    assert link is DEFAULT_PEN


def test_no_control_character_passes_whatever_a_widget_draws() -> None:
    glyphs, pens = cells_of([Segment("a\x1b[31m\nü\x07\x9b")], 12, ColorSystem.TRUECOLOR)
    assert "".join(glyphs) == "a[31mü      "
    assert len(pens) == 12
