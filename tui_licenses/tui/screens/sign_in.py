"""Sign-in to the license cloud of a context: address, subject id and refresh token."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Input, Label, Static

from tui_licenses import wiring
from tui_licenses.config import EMBEDDED_NAME, ENVIRONMENT_NAME, Context
from tui_licenses.credentials import Credentials
from tui_licenses.errors import TuiLicensesError
from tui_licenses.secret import Secret
from tui_licenses.tui.screens.dismissible import Dialog
from tui_licenses.tui.widgets.inline_problem import InlineProblem

# Contexts of these names cannot be signed in to: a sign-in from them makes one of its own.
_TAKEN_NAMES = frozenset({EMBEDDED_NAME, ENVIRONMENT_NAME})
_NEW_CONTEXT_NAME = "main"

_FIELDS = (
    ("name", "Context", "a name for this account on this host"),
    ("url", "Address", "https://cloud.example.com"),
    ("subject-id", "Subject id", "the id of the application or person"),
    ("refresh-token", "Refresh token", "not shown while it is typed"),
    ("passphrase", "Passphrase", "optional: seals the sign-in on this host"),
)
_HIDDEN_FIELDS = frozenset({"refresh-token", "passphrase"})


class SignInScreen(Dialog[bool]):
    """Asks for a sign-in; dismissed with True once the cloud accepted it and it was kept."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("up", "app.focus_previous", "Previous", show=False),
        Binding("down", "app.focus_next", "Next", show=False),
    ]

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._cloud_context = context

    def compose(self) -> ComposeResult:
        name = (
            _NEW_CONTEXT_NAME
            if self._cloud_context.name in _TAKEN_NAMES
            else self._cloud_context.name
        )
        values = {"name": name, "url": self._cloud_context.url or ""}
        with Vertical(id="dialog"):
            yield Static("Sign in to the license cloud", id="title")
            with VerticalScroll(id="fields", can_focus=False):
                for field_id, label, placeholder in _FIELDS:
                    field = Input(
                        values.get(field_id, ""),
                        placeholder=placeholder,
                        password=field_id in _HIDDEN_FIELDS,
                        compact=True,
                        id=field_id,
                    )
                    field.cursor_blink = False
                    with Horizontal(classes="field"):
                        yield Label(label, classes="label")
                        yield field
            yield InlineProblem(id="problem")
            yield Static("Signing in…", id="progress")
            with Horizontal(id="decisions"):
                yield Button("Sign in", id="sign-in", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#progress").display = False
        empty = [field for field in self.query(Input) if not field.value]
        self.set_focus(empty[0])

    def action_cancel(self) -> None:
        """Close without a sign-in."""
        self.dismiss(False)

    @on(Input.Submitted)
    def _go_on(self, event: Input.Submitted) -> None:
        event.stop()
        fields = list(self.query(Input))
        following = fields[fields.index(event.input) + 1 :]
        if following:
            self.set_focus(following[0])
        else:
            self._sign_in()

    @on(Button.Pressed, "#sign-in")
    def _sign_in_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self._sign_in()

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_cancel()

    def _value(self, field_id: str) -> str:
        return self.query_one(f"#{field_id}", Input).value.strip()

    @work(group="sign-in", exclusive=True)
    async def _sign_in(self) -> None:
        problem = self.query_one(InlineProblem)
        progress = self.query_one("#progress")
        problem.show(None)
        progress.display = True
        context = replace(self._cloud_context, name=self._value("name"), url=self._value("url"))
        credentials = Credentials(self._value("subject-id"), Secret(self._value("refresh-token")))
        passphrase = Secret(self.query_one("#passphrase", Input).value)
        try:
            await wiring.sign_in(context, credentials, passphrase or None)
        except TuiLicensesError as error:
            progress.display = False
            problem.show(error, _next_step(error))
            return
        self.dismiss(True)


def _next_step(error: TuiLicensesError) -> str | None:
    if error.code == "invalid-refresh-token":
        return "Check the subject id and the refresh token, and try again."
    return None
