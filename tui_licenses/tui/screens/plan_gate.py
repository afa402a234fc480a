"""What an account without the Licenses tab sees: why, whom to ask, and what works all the same."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui_licenses.domain.account import User, plan_name
from tui_licenses.errors import NotAllowedError
from tui_licenses.text import clean
from tui_licenses.tui.commands import PLAN_GATE, bindings_of
from tui_licenses.tui.screens.plain import PlainScreen
from tui_licenses.tui.widgets.command_footer import CommandFooter
from tui_licenses.tui.widgets.fact_table import FactTable
from tui_licenses.tui.widgets.status_line import StatusLine

_WHAT_WORKS = (
    "What works all the same:",
    "  l  sign in with another account",
    "  v  the files saved since the start",
    "  ?  help and the activation guide",
    "  tui-licenses inspect FILE and verify FILE, offline",
)


class PlanGateScreen(PlainScreen):
    """Stands where the list would be, for accounts whose plan has no Licenses tab."""

    NAME = PLAN_GATE
    BINDINGS = bindings_of(PLAN_GATE)

    def __init__(self, user: User, error: NotAllowedError) -> None:
        super().__init__()
        self._user = user
        self._error = error

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="text"):
            yield Static("The Licenses tab is not part of this plan", id="title", markup=False)
            yield FactTable(id="facts")
            yield Static("\n".join(_WHAT_WORKS), id="works", markup=False)
        yield StatusLine()
        yield CommandFooter(PLAN_GATE)

    def on_mount(self) -> None:
        account = self._user.account
        self.query_one(FactTable).show(
            (
                ("Account", account.name),
                ("Plan", plan_name(self._error.plan or account.plan)),
                ("Signed in", f"{self._user.display_name} ({self._user.role})"),
                ("Why", account.licenses_tab.reason or self._error.message),
                ("Whom to ask", Text(self._contact, style="bold")),
                ("", "y copies whom to ask"),
            )
        )
        self.set_focus(self.query_one("#text"))

    @property
    def _contact(self) -> str:
        told = self._error.support_contact or self._user.account.licenses_tab.support_contact
        return clean(told or "your support or sales contact")

    def action_copy_row(self) -> None:
        """Copy whom to ask."""
        self.dashboard.copy(self._contact)

    def action_sign_in(self) -> None:
        """Sign in with another account; the dashboard then starts anew."""
        from tui_licenses.tui.screens.sign_in import SignInScreen

        self.app.push_screen(SignInScreen(self.dashboard.services.context), self._end_sign_in)

    def action_back(self) -> None:
        """Stay: there is nothing behind this screen."""
        self.dashboard.tell("This plan has no list to go back to; q leaves.")

    def _end_sign_in(self, is_signed_in: bool | None) -> None:
        if is_signed_in:
            self.dashboard.restart()
