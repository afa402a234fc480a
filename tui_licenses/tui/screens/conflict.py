"""Two people changed the same thing: what is there now, what was typed here, and a decision."""

from __future__ import annotations

from typing import ClassVar, Literal

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from tui_licenses.text import clean
from tui_licenses.tui.screens.dismissible import Dialog

Decision = Literal["mine", "theirs"]


class ConflictScreen(Dialog[Decision | None]):
    """Asks which of two values to keep; dismissed with None where nothing was decided."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "keep('theirs')", "Keep theirs"),
        Binding("m", "keep('mine')", "Write mine"),
        Binding("escape", "dismiss", "Decide later"),
        Binding("left,up", "app.focus_previous", "Previous", show=False),
        Binding("right,down", "app.focus_next", "Next", show=False),
    ]

    def __init__(self, field: str, mine: str, theirs: str) -> None:
        super().__init__()
        self._field = field
        self._mine = mine
        self._theirs = theirs

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Text(f"Somebody else changed the {self._field} meanwhile"), id="title")
            yield Static(Text.assemble("Theirs  ", (clean(self._theirs), "bold")), classes="value")
            yield Static(Text.assemble("Mine    ", (clean(self._mine), "bold")), classes="value")
            with Horizontal(id="decisions"):
                yield Button("Keep theirs (t)", id="theirs", compact=True)
                yield Button("Write mine (m)", id="mine", compact=True)

    def on_mount(self) -> None:
        # Theirs is what the cloud holds: Enter by mistake changes nothing.
        self.set_focus(self.query_one("#theirs", Button))

    def action_keep(self, decision: Decision) -> None:
        """Close with a decision."""
        self.dismiss(decision)

    @on(Button.Pressed, "#theirs")
    def _keep_theirs(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_keep("theirs")

    @on(Button.Pressed, "#mine")
    def _write_mine(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_keep("mine")
