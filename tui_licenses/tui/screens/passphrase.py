"""Asks for the passphrase of a sealed sign-in, once for as long as the dashboard is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Label, Static

from tui_licenses.errors import TuiLicensesError
from tui_licenses.secret import Secret
from tui_licenses.text import clean
from tui_licenses.tui.screens.dismissible import Dialog
from tui_licenses.tui.widgets.inline_problem import InlineProblem

if TYPE_CHECKING:
    from tui_licenses.wiring import Services


class PassphraseScreen(Dialog[bool]):
    """Opens the sign-in; dismissed with True once it is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("up", "app.focus_previous", "Previous", show=False),
        Binding("down", "app.focus_next", "Next", show=False),
    ]

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services

    def compose(self) -> ComposeResult:
        name = clean(self._services.context.name)
        with Vertical(id="dialog"):
            yield Static(Text(f"The sign-in to {name} is sealed"), id="title")
            field = Input(
                placeholder="not shown while it is typed",
                password=True,
                compact=True,
                id="passphrase",
            )
            field.cursor_blink = False
            with Horizontal(classes="field"):
                yield Label("Passphrase", classes="label")
                yield field
            yield InlineProblem(id="problem")
            with Horizontal(id="decisions"):
                yield Button("Open", id="open", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.set_focus(self.query_one(Input))

    def action_cancel(self) -> None:
        """Go on with what is known here."""
        self.dismiss(False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._open()

    @on(Button.Pressed, "#open")
    def _open_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self._open()

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_cancel()

    @work(group="passphrase", exclusive=True)
    async def _open(self) -> None:
        field = self.query_one(Input)
        passphrase = Secret(field.value)
        field.value = ""
        problem = self.query_one(InlineProblem)
        problem.show(None)
        try:
            await self._services.unlock(passphrase)
        except TuiLicensesError as error:
            problem.show(error)
            return
        self.dismiss(True)
