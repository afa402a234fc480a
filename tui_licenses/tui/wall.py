"""The second wall: what no text may do to the terminal, even where `clean` was forgotten.

Textual hands on what it is given: escape sequences in a text, links, a traceback with the values
of variables. Every app of this program is a `WalledApp`; frames pass its line filter, and
`without_hidden` stands at every other way out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Generic

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ReturnType
from textual.color import Color
from textual.filter import LineFilter

from tui_licenses.errors import TuiLicensesError
from tui_licenses.text import clean, is_hidden
from tui_licenses.tui.clipboard import copy_sequence
from tui_licenses.tui.crash import record_failure


def without_hidden(text: str) -> str:
    """Return a text without any hidden character, of as many cells as Textual counts.

    What takes a cell becomes a question mark, which every terminal can draw; what takes none goes.
    """
    if text.isascii() and text.isprintable():
        return text
    return _without_hidden(text)


@lru_cache(maxsize=4096)
def _without_hidden(text: str) -> str:
    return "".join("?" * cell_len(sign) if is_hidden(sign) else sign for sign in text)


class Wall(LineFilter):
    """Lets no hidden character and no link through, whichever widget drew it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """Return the segments as they are, or those in which something was hidden anew."""
        for text, style, _ in segments:
            if not (text.isascii() and text.isprintable()) or (style and style.link):
                return [_walled(*segment) for segment in segments]
        return segments


def _walled(text: str, style: Style | None, control: object) -> Segment:
    # Textual puts no control segments into lines; one that is there would be somebody else's.
    if control:
        return Segment("", style)
    return Segment(without_hidden(text), style.update_link() if style and style.link else style)


class WalledApp(App[ReturnType], Generic[ReturnType]):
    """An app that shows nothing it was not meant to: not in a frame, not when it fails.

    `failure` is what ended it, in words.
    """

    def __init__(self, driver_class: type | None = None) -> None:
        super().__init__(driver_class=driver_class)
        self.failure: TuiLicensesError | None = None
        self._wall = Wall()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters of the app, the wall behind them all."""
        return [*super().get_line_filters(), self._wall]

    def copy_to_clipboard(self, text: str) -> None:
        """Send a text that was selected on the screen to the clipboard of the terminal."""
        self._clipboard = text
        sequence = copy_sequence(text, os.environ)
        if sequence is not None and self._driver is not None:
            self._driver.write(sequence)

    def keep_failure(self, error: Exception) -> TuiLicensesError:
        """Log a failure, and return it in words, as `failure` too."""
        self.failure = record_failure(error, datetime.now(UTC))
        if self._exception is None:
            # What the test framework raises at the end: no failure passes a test unseen.
            self._exception = error
            self._exception_event.set()
        return self.failure

    def _handle_exception(self, error: Exception) -> None:
        """End the app by a failure: there is nothing to go on with."""
        self.keep_failure(error)
        self._return_code = 1
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        """Do what any failure does; Textual's own way is a traceback with all variables."""
        error = sys.exception()
        self._handle_exception(error if isinstance(error, Exception) else RuntimeError())

    def _print_error_renderables(self) -> None:
        """Print what was to be told at the end, if it is a text; never a picture of a failure."""
        for told in self._exit_renderables:
            if isinstance(told, str):
                print(clean(told), file=sys.stderr)
        self._exit_renderables.clear()
