"""Stands between Textual's compositor and the terminal, and sends only what differs.

Textual sends every region that may have changed, and a whole table for each line it scrolls by;
over a serial line or a slow SSH link that queues for seconds. Here each frame goes into a picture
of cells, and the terminal gets the difference to what it shows already. While earlier output
still waits, frames are only taken into the picture: the next difference then leads straight to
the last of them.

Where anything is unfamiliar, Textual's own output goes through untouched.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
import termios
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import textual
from rich.color import ColorSystem
from rich.console import RenderableType
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

from tui_licenses.terminal import has_scroll_regions
from tui_licenses.tui.crash import record_failure
from tui_licenses.tui.terminal_cells import Line, Pen, cells_of, first_cells
from tui_licenses.tui.terminal_changes import ShownPicture

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

# What stands behind the underscores used here was read in these versions of Textual, and the
# tests compare both outputs in the one that is installed.
PROVEN_TEXTUAL = ("8.2.8",)

# How often to look whether output still waits, while a picture waits for it.
_WAIT_SECONDS = 0.005
# What a serial line sends within 50 ms at 115200 baud.
_WAITING_BYTES_MAXIMUM = 576


def is_proven_textual() -> bool:
    """Say whether the Textual that runs is one the screen diff was proven with.

    Looks for the folder of the package's metadata: to ask for the version costs 10 ms of the
    start.
    """
    site = Path(textual.__file__).parents[1]
    return any((site / f"textual-{version}.dist-info").is_dir() for version in PROVEN_TEXTUAL)


class ScreenDiff:
    """Shows the frames of an app by their difference, or leaves them to Textual.

    `shown` is what the terminal shows before the first frame; frames are then held until
    `release`, since the first ones are of screens half arranged.
    """

    def __init__(self, app: App[Any], is_wanted: bool, shown: list[Line] | None = None) -> None:
        self._app = app
        self._is_wanted = is_wanted
        self._is_possible: bool | None = None
        self._picture = FramePicture(shown)
        self._is_held = shown is not None
        self._first_size = (len(shown[0].glyphs), len(shown)) if shown else None
        self._waiting: asyncio.TimerHandle | None = None

    def show(self, screen: Screen[Any], frame: RenderableType | None) -> RenderableType | None:
        """Show a frame; returns what is left for Textual to show, None where nothing is."""
        app = self._app
        if frame is None or app._batch_count or not app._running or app._closed:
            return frame
        if not self._can_show(frame):
            self._picture.forget()
            return frame
        try:
            return self._show(screen, frame)
        except Exception as error:  # noqa: BLE001 - Textual's own output goes on without it
            return self._give_up(screen, error)

    def repaint(self) -> None:
        """Trust nothing on the terminal, and paint all of it anew."""
        self._picture.forget()
        if self._app.screen_stack:
            self._app.screen.refresh()

    def release(self) -> None:
        """Show the frames that were held, by their difference to what the terminal showed."""
        if self._is_held:
            self._is_held = False
            if self._is_possible and self._waiting is None:
                self._send_later()

    def is_first_size(self, size: Size) -> bool:
        """Say whether the terminal still has the size, and shows what it did, at the start."""
        return self._is_held and self._first_size == (size.width, size.height)

    def lines(self) -> list[Line] | None:
        """Return the lines that the terminal shows, None where they are not known."""
        if not self._is_possible or self._waiting is not None or self._is_held:
            return None
        return self._picture.lines()

    def output_of(self, lines: list[Line]) -> str:
        """Return what draws these lines on an empty terminal."""
        shown = ShownPicture(len(lines[0].glyphs), len(lines))
        return shown.change_to(lines, range(len(lines)), (0, 0))

    def _can_show(self, frame: RenderableType) -> bool:
        if self._is_possible is None:
            driver = self._app._driver
            self._is_possible = (
                self._is_wanted
                and isinstance(driver, LinuxDriver)
                and not driver.is_inline
                and has_scroll_regions(os.environ)
                and is_proven_textual()
            )
        return self._is_possible and type(frame) in (ChopsUpdate, LayoutUpdate)

    def _show(self, screen: Screen[Any], frame: RenderableType) -> RenderableType | None:
        app = self._app
        if not self._picture.takes(frame):
            # A piece of a picture that is not known: the whole of it.
            frame = self._whole(screen)
        colors = app.console._color_system or ColorSystem.TRUECOLOR
        self._picture.take(frame, colors)
        if self._waiting is None and not self._is_held:
            self._send_or_wait()
        return None

    def _send_or_wait(self) -> None:
        self._waiting = None
        app = self._app
        if not app._running or app._closed or app._driver is None:
            return
        if self._is_output_waiting():
            loop = asyncio.get_running_loop()
            self._waiting = loop.call_later(_WAIT_SECONDS, self._send_later)
            return
        changes = self._picture.changes(self._cursor_place())
        if changes and app._sync_available:
            changes = f"{SYNC_START}{changes}{SYNC_END}"
        if changes:
            app._driver.write(changes)
            app._driver.flush()

    def _cursor_place(self) -> tuple[int, int] | None:
        """Return where the hidden cursor tells input methods to open: in a text field."""
        app = self._app
        place = app.screen.outer_size.clamp_offset(app.cursor_position)
        app._previous_cursor_position = place
        return (place.x, place.y) if hasattr(app.focused, "cursor_screen_offset") else None

    def _send_later(self) -> None:
        try:
            self._send_or_wait()
        except Exception as error:  # noqa: BLE001 - as above
            screen = self._app.screen
            self._app._display(screen, self._give_up(screen, error))

    def _is_output_waiting(self) -> bool:
        driver = self._app._driver
        assert isinstance(driver, LinuxDriver)
        writer = driver._writer_thread
        assert writer is not None
        if writer._queue.qsize():
            return True
        try:
            # What a serial port has not sent yet; pseudo-terminals always say 0.
            waiting = fcntl.ioctl(writer.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
        except (OSError, ValueError):
            return False
        return int.from_bytes(waiting, sys.byteorder) > _WAITING_BYTES_MAXIMUM

    def _whole(self, screen: Screen[Any]) -> LayoutUpdate:
        frame = screen._compositor.render_update(
            full=True, screen_stack=self._app._background_screens
        )
        assert isinstance(frame, LayoutUpdate)
        return frame

    def _give_up(self, screen: Screen[Any], error: Exception) -> RenderableType:
        """Leave everything to Textual from now on; nobody notices but the log."""
        self._is_possible = False
        record_failure(error, datetime.now(UTC))
        if self._app._driver is not None:
            self._app._driver.write("\x1b[r\x1b[m")
        return self._whole(screen)


class FramePicture:
    """The picture that frames of Textual make, and the one the terminal shows of it."""

    def __init__(self, shown: list[Line] | None = None) -> None:
        self._wanted: list[Line] = []
        self._width = 0
        self._touched: set[int] = set()
        self._shown = ShownPicture.of(shown or [])

    def forget(self) -> None:
        """Trust nothing on the terminal any more."""
        self._shown.forget()
        self._wanted = []

    def lines(self) -> list[Line]:
        """Return the lines that the terminal shows."""
        return self._shown.lines[:]

    def takes(self, frame: RenderableType) -> bool:
        """Say whether a frame can be taken: pieces are for a picture that is known."""
        if isinstance(frame, ChopsUpdate):
            ends = frame.chop_ends
            return bool(ends) and len(ends) == len(self._wanted) and ends[0][-1] == self._width
        return isinstance(frame, LayoutUpdate)

    def take(self, frame: RenderableType, colors: ColorSystem) -> None:
        """Take a frame into the picture."""
        if isinstance(frame, LayoutUpdate):
            self._take_whole(frame, colors)
        elif isinstance(frame, ChopsUpdate):
            self._take_pieces(frame, colors)

    def changes(self, rest: tuple[int, int] | None) -> str:
        """Return what to send for the terminal to show the picture, its cursor at (x, y)."""
        touched, self._touched = self._touched, set()
        return self._shown.change_to(self._wanted, touched, rest)

    def _take_whole(self, frame: LayoutUpdate, colors: ColorSystem) -> None:
        _, _, width, height = frame.region
        if (width, height) != (self._shown.width, self._shown.height):
            self._shown = ShownPicture(width, height)
        if len(self._wanted) != height or self._width != width:
            self._wanted, self._width = [Line.blank(width)] * height, width
        for y, strips in enumerate(frame.strips):
            x = 0
            for strip in strips:
                end = min(width, x + strip.cell_length)
                self._put(y, x, *cells_of(strip._segments, end - x, colors))
                x = end
        self._touched.update(range(height))

    def _take_pieces(self, frame: ChopsUpdate, colors: ColorSystem) -> None:
        for y, start, stop in frame.spans:
            if not 0 <= y < len(self._wanted):
                continue
            for end, (x, strip) in zip(frame.chop_ends[y], frame.chops[y].items(), strict=True):
                if strip is None or x >= stop or end <= start:
                    continue
                # What lies behind the span may be newer than what is to be shown now.
                width = min(strip.cell_length, end - x)
                glyphs, pens = cells_of(strip._segments, width, colors)
                self._put(y, x, *first_cells(glyphs, pens, stop - x))

    def _put(self, y: int, x: int, glyphs: list[str], pens: list[Pen]) -> None:
        line = self._wanted[y]
        changed = line.with_piece(x, glyphs, pens)
        if changed is not line:
            self._wanted[y] = changed
            self._touched.add(y)
