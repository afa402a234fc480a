"""A text to be read: what was copied, or what remains to be done."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Button, Static

from tui_licenses.text import clean
from tui_licenses.tui.screens.dismissible import Dialog


class NoticeScreen(Dialog[None]):
    """Shows a title and lines of plain text until it is closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Close"),
        Binding("up", "scroll(-1)", "Up", show=False),
        Binding("down", "scroll(1)", "Down", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        lines = "\n".join(clean(line) for line in self._text.splitlines())
        with Vertical(id="dialog"):
            yield Static(Text(clean(self._title)), id="title")
            with VerticalScroll(id="text", can_focus=False):
                yield Static(Text(lines, overflow="fold"))
            yield Button("Close", id="close", compact=True)

    def on_mount(self) -> None:
        """Let Enter close."""
        self.query_one("#close").focus()

    def action_scroll(self, lines: int) -> None:
        """Scroll a text that is longer than the dialog."""
        self.query_one("#text").scroll_relative(y=lines, animate=False)

    @on(Button.Pressed, "#close")
    def _close(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss()
