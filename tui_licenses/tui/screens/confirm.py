"""A question before something is lost: it names what, and Enter by mistake keeps it."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from tui_licenses.text import clean
from tui_licenses.tui.screens.dismissible import Dialog


class ConfirmScreen(Dialog[bool]):
    """Asks one question; dismissed with True only where the user decided so."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer(False)", "No"),
        Binding("y", "answer(True)", "Yes"),
        Binding("left,up", "app.focus_previous", "Previous", show=False),
        Binding("right,down", "app.focus_next", "Next", show=False),
    ]

    def __init__(self, question: str, keep: str, lose: str) -> None:
        super().__init__()
        self._question = question
        self._keep = keep
        self._lose = lose

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Text(clean(self._question)), id="title")
            with Horizontal(id="decisions"):
                yield Button(Content(f"{self._keep} (n)"), id="keep", compact=True)
                yield Button(Content(f"{self._lose} (y)"), id="lose", compact=True)

    def on_mount(self) -> None:
        self.set_focus(self.query_one("#keep"))

    def action_answer(self, is_sure: bool) -> None:
        """Close with an answer."""
        self.dismiss(is_sure)

    @on(Button.Pressed, "#keep")
    def _keep_it(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_answer(False)

    @on(Button.Pressed, "#lose")
    def _lose_it(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_answer(True)
