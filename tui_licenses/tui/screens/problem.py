"""What went wrong, why, and what to do now; and an app of its own for after a bug."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static

from tui_licenses.errors import TuiLicensesError, UnexpectedError
from tui_licenses.text import clean
from tui_licenses.tui.screens.dismissible import Dialog
from tui_licenses.tui.theme import THEMES, AsciiFilter, style_sheets
from tui_licenses.tui.wall import WalledApp

if TYPE_CHECKING:
    from tui_licenses.config import Settings


class ProblemScreen(Dialog[None]):
    """Shows an error; Esc goes back, r starts the dashboard again, q leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "dismiss", "Back"),
        Binding("r", "restart", "Start again"),
        Binding("q", "leave", "Leave"),
    ]

    def __init__(self, error: TuiLicensesError) -> None:
        super().__init__()
        self._error = error

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(_title(self._error), id="title", markup=False)
            yield Static(_words(self._error), id="words", markup=False)
            yield Static(Text("Esc back   r start again   q leave"), id="keys", markup=False)

    def action_restart(self) -> None:
        """Start the dashboard again."""
        self.app.restart()  # type: ignore[attr-defined]

    async def action_leave(self) -> None:
        """Leave the dashboard."""
        await self.app.run_action("leave")


class ProblemApp(WalledApp[bool], inherit_bindings=False):
    """Shows the problem after the dashboard has ended by it; returns whether to start again."""

    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = style_sheets()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,q,escape", "leave", "Leave", priority=True),
        Binding("r", "restart", "Start again"),
    ]

    def __init__(self, error: TuiLicensesError, settings: Settings) -> None:
        super().__init__()
        self._error = error
        self.animation_level = "none"
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = settings.theme
        if settings.ascii:
            self._filters.append(AsciiFilter())

    def get_default_screen(self) -> Screen[None]:
        """Return the one screen there is."""
        return ProblemScreen(self._error)

    def action_restart(self) -> None:
        """Start the dashboard again."""
        self.exit(True)

    restart = action_restart

    def action_leave(self) -> None:
        """Leave."""
        self.exit(False)


def _title(error: TuiLicensesError) -> Text:
    if isinstance(error, UnexpectedError):
        return Text("A problem nobody expected")
    return Text("This did not work")


def _words(error: TuiLicensesError) -> Text:
    lines = [Text(clean(error.message), style="bold")]
    lines += [Text(f"  {clean(detail.message)}") for detail in error.details]
    if error.next_step:
        lines.append(Text(clean(error.next_step)))
    told = f"code {error.code}"
    if error.request_id:
        told += f", request {error.request_id}"
    lines.append(Text(clean(told), style="dim"))
    return Text("\n").join(lines)
