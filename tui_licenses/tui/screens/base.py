"""What every screen of the dashboard shares: services, the state it follows, and its commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from tui_licenses.state.app_state import AppState
from tui_licenses.state.store import Store
from tui_licenses.tui.commands import Situation, find_command
from tui_licenses.tui.screens.dismissible import DismissibleScreen

if TYPE_CHECKING:
    from tui_licenses.tui.app import TuiLicensesApp
    from tui_licenses.wiring import Services


class DomainScreen(DismissibleScreen[None]):
    """Follows the store while it is mounted, and runs commands through one door.

    A subclass sets `NAME` and `BINDINGS = bindings_of(NAME)`, and defines the actions that its
    commands name. `show` is called once when mounted (with the same state twice) and then on
    each change.
    """

    NAME: ClassVar[str] = ""

    def __init__(self, services: Services, store: Store) -> None:
        super().__init__()
        self.services = services
        self.store = store
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def dashboard(self) -> TuiLicensesApp:
        """Return the app this screen belongs to."""
        return cast("TuiLicensesApp", self.app)

    def on_mount(self) -> None:
        """Begin to follow the state."""
        self._unsubscribe = self.store.subscribe(self.show)
        self.show(self.store.state, self.store.state)

    def on_unmount(self) -> None:
        """Stop following the state."""
        if self._unsubscribe is not None:
            self._unsubscribe()

    def show(self, before: AppState, after: AppState) -> None:
        """Show a state; `before` tells what has changed."""

    def situation(self) -> Situation:
        """Return what commands would act on now."""
        return Situation(self.store.state)

    def refusal(self, command_id: str) -> str | None:
        """Return why a command cannot be run now, or None."""
        refuse = find_command(command_id).refusal
        return None if refuse is None else refuse(self.situation())

    async def action_command(self, command_id: str) -> None:
        """Run a command, or tell why it cannot be run."""
        refusal = self.refusal(command_id)
        if refusal is not None:
            self.dashboard.tell(refusal)
            return
        await self.run_action(find_command(command_id).action)

    def action_back(self) -> object:
        """Go back to the screen before."""
        return self.dismiss()

    def leave(self, status: int) -> None:
        """Leave the dashboard; a screen that holds unfinished work asks first."""
        self.app.exit(status)
