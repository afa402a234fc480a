"""How the dashboard follows the cloud: the first load, every refresh, and what stops them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui_licenses.domain.inventory import Inventory
from tui_licenses.errors import NotAllowedError, SignInError, TuiLicensesError
from tui_licenses.state.events import (
    InventoryLoaded,
    LoadFailed,
    LoadProgressed,
    LoadStarted,
    UserIdentified,
)

if TYPE_CHECKING:
    from tui_licenses.tui.app import TuiLicensesApp


class Following:
    """Asks the cloud; the app runs that as a worker, now and then."""

    def __init__(self, app: TuiLicensesApp) -> None:
        self._app = app
        self._store = app.store
        self._shown_count = 0
        self._told_of_clock: str | None = None

    async def ask(self) -> None:
        """Load the inventory, or what has changed of it, into the store."""
        self._shown_count = 0
        self._store.dispatch(LoadStarted())
        try:
            await self._settle()
            inventory = await self._ask(self._store.state.inventory)
        except TuiLicensesError as error:
            self._store.dispatch(LoadFailed(error))
            await self._explain(error)
            return
        self._store.dispatch(InventoryLoaded(inventory))
        self._app.call_after_refresh(self._app.note_picture)
        # After the first rows: nobody waits for it.
        await asyncio.to_thread(self._app.services.sweep_leftovers)
        self._warn_of_clock()

    async def _settle(self) -> None:
        """Tell what became of changes whose outcome was not known when they were left."""
        told = await self._app.services.settle_changes()
        if not told:
            return
        if all(settled.is_open for settled in told) or len(self._app.screen_stack) > 1:
            # What is not known yet comes up again; and nothing opens over what is being typed.
            self._app.tell(told[-1].sentence)
        else:
            text = "\n".join(settled.sentence for settled in told)
            self._app.show_text("Changes that were under way", text)

    def _warn_of_clock(self) -> None:
        warning = self._app.services.clock_warning()
        if warning is not None and self._told_of_clock is None:
            self._app.tell(warning)
        self._told_of_clock = warning

    async def _ask(self, known: Inventory | None) -> Inventory:
        services = self._app.services
        if known is None or known.cursor is None:
            known = await asyncio.to_thread(services.local_copy.read)
            if known is not None:
                self._store.dispatch(InventoryLoaded(known))
            self._app.call_after_refresh(self._app.release_picture)
            self._store.dispatch(LoadStarted())
        # What the cloud is asked with takes a while to import: the keyboard must not wait for it.
        service = await asyncio.to_thread(lambda: services.inventory)
        if known is None:
            return await service.load(self._show_page)
        return await service.refresh(known)

    def _show_page(self, inventory: Inventory) -> None:
        count = len(inventory.instances) + len(inventory.keys)
        # Each picture arranges all rows anew: shown at every page, the cost of a large account
        # would grow with the square of its keys.
        if count >= 2 * self._shown_count:
            self._shown_count = count
            self._store.dispatch(InventoryLoaded(inventory))
        self._store.dispatch(LoadProgressed(count))

    async def _explain(self, error: TuiLicensesError) -> None:
        """Open the screen for an account without the tab, or for a missing sign-in."""
        app = self._app
        if len(app.screen_stack) > 1:
            return
        if isinstance(error, NotAllowedError) and error.code == "plan-not-eligible":
            from tui_licenses.tui.screens.plan_gate import PlanGateScreen

            user = await app.services.account.who_am_i()
            self._store.dispatch(UserIdentified(user))
            app.push_screen(PlanGateScreen(user, error))
        elif error.code == "passphrase-needed":
            from tui_licenses.tui.screens.passphrase import PassphraseScreen

            app.push_screen(PassphraseScreen(app.services), self._passphrase_ended)
        elif isinstance(error, SignInError):
            from tui_licenses.tui.screens.sign_in import SignInScreen

            app.push_screen(SignInScreen(app.services.context), self._sign_in_ended)

    def _sign_in_ended(self, is_signed_in: bool | None) -> None:
        if is_signed_in:
            self._app.restart()

    def _passphrase_ended(self, is_unlocked: bool | None) -> None:
        if is_unlocked:
            self._app.refresh_inventory()
