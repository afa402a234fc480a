"""A screen that needs no cloud: its commands run without conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from tui_licenses.tui.commands import find_command
from tui_licenses.tui.screens.dismissible import DismissibleScreen

if TYPE_CHECKING:
    from tui_licenses.tui.app import TuiLicensesApp


class PlainScreen(DismissibleScreen[None]):
    """Runs commands through the same door as the screens that have services."""

    NAME: ClassVar[str] = ""

    @property
    def dashboard(self) -> TuiLicensesApp:
        """Return the app this screen belongs to."""
        return cast("TuiLicensesApp", self.app)

    async def action_command(self, command_id: str) -> None:
        """Run a command."""
        await self.run_action(find_command(command_id).action)

    def action_back(self) -> None:
        """Go back to the screen before."""
        self.dismiss()
