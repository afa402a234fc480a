"""The dashboard: what outlives a screen, and the boundary where a bug stops."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.console import RenderableType
from textual import events
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.worker import WorkerFailed

from tui_licenses.config import (
    ENVIRONMENT_NAME,
    Configuration,
    load_configuration,
    save_configuration,
)
from tui_licenses.errors import TuiLicensesError
from tui_licenses.service.outcomes import DocumentKind
from tui_licenses.state.events import (
    AddOnsToggled,
    MaskToggled,
    UtcToggled,
)
from tui_licenses.state.store import Store
from tui_licenses.tui.clipboard import copy_sequence
from tui_licenses.tui.commands import find_command
from tui_licenses.tui.first_picture import Opening
from tui_licenses.tui.first_state import first_state
from tui_licenses.tui.following import Following
from tui_licenses.tui.key_order import KeyIsDone, KeyOrder
from tui_licenses.tui.picture_keeper import PictureKeeper
from tui_licenses.tui.place import Place, PlaceKind
from tui_licenses.tui.screen_diff import ScreenDiff
from tui_licenses.tui.screens.base import DomainScreen
from tui_licenses.tui.screens.licenses import LicensesScreen
from tui_licenses.tui.screens.plain import PlainScreen
from tui_licenses.tui.theme import THEMES, AsciiFilter, style_sheets
from tui_licenses.tui.wall import WalledApp
from tui_licenses.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from tui_licenses.wiring import Services

EXIT_INTERRUPTED = 130
LEAST_COLUMNS, LEAST_ROWS = 60, 15
_HELD_SECONDS = 0.3
_STARTED_SECONDS = 0.1


def _now() -> datetime:
    return datetime.now(UTC)


def _collect_again() -> None:
    """Look once for garbage of the start, and then only in what comes after it."""
    if not gc.isenabled():
        gc.collect()
        gc.freeze()
        gc.enable()


class TuiLicensesApp(WalledApp[int], inherit_bindings=False):
    """Opens screens, follows the cloud, and shows what went wrong."""

    TITLE = "tui-licenses"
    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = style_sheets()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "Leave", show=False, priority=True),
        # Over a dialog, too.
        Binding(",".join(find_command("repaint").keys), "repaint", show=False, priority=True),
    ]

    def __init__(
        self,
        services: Services,
        configuration: Configuration,
        store: Store | None = None,
        place: Place | None = None,
        clock: Callable[[], datetime] = _now,
        opening: Opening = Opening(),  # noqa: B008 - a tuple of nothing
    ) -> None:
        super().__init__(driver_class=opening.driver_class())
        settings = configuration.settings
        self.services = services
        self.configuration = configuration
        self.store = store or Store(first_state(services, settings, opening.inventory()))
        self.clock = clock
        self.wants_restart = False
        self._place = place
        self.animation_level = "none"
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = settings.theme
        if settings.ascii:
            self._filters.append(AsciiFilter())
        self._screen_diff = ScreenDiff(self, settings.screen_diff, opening.lines())
        self._pictures = PictureKeeper(opening, self._screen_diff)
        self._following = Following(self)
        self._key_order = KeyOrder(self, super().on_event)

    # Life

    def get_default_screen(self) -> Screen[None]:
        """Return the list of licenses, which lies below every other screen."""
        return LicensesScreen(self.services, self.store)

    def on_mount(self) -> None:
        """Open the place asked for and begin to follow the cloud."""
        self.services.tell_with(self.tell)
        if not self.is_headless:
            self.leave_on_signals()
        if self.store.state.inventory is None or self.store.state.is_loading:
            # Whatever keeps the copy from being read, keys are answered by then.
            self.set_timer(_HELD_SECONDS, self.release_picture)
        else:
            self.call_after_refresh(self.release_picture)
        if self._place is not None:
            if self._place.kind is PlaceKind.INSTANCE:
                self.open_instance(self._place.id)
            else:
                self.open_key(self._place.id)
        seconds = self.configuration.settings.refresh_seconds
        inventory = self.store.state.inventory
        if seconds or inventory is None or inventory.cursor is None:
            # A slow cloud must not hold back the first picture.
            self.call_after_refresh(self.refresh_inventory)
        if seconds:
            self.set_interval(seconds, self.refresh_inventory)

    async def on_unmount(self) -> None:
        """Close every connection."""
        await self.services.aclose()

    def leave_on_signals(self) -> None:
        """Leave in order when a signal asks to."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            loop.add_signal_handler(number, self.exit, 128 + number)

    async def on_event(self, event: events.Event) -> None:
        """Let keys take effect in the order in which they were typed."""
        if isinstance(event, events.Key | events.Paste):
            await self._key_order.take(event)
        else:
            await super().on_event(event)

    async def on_key_is_done(self, message: KeyIsDone) -> None:
        """Let the next key have its turn."""
        await self._key_order.note(message)

    def on_resize(self, event: events.Resize) -> None:
        """Say so at once where the terminal is too small, and come back when it is not.

        A terminal that was suspended says its size again, too: what it shows is not ours any more.
        """
        from tui_licenses.tui.screens.too_small import TooSmallScreen

        is_too_small = event.size.width < LEAST_COLUMNS or event.size.height < LEAST_ROWS
        is_shown = isinstance(self.screen_stack[-1], TooSmallScreen) if self.screen_stack else True
        if is_too_small and not is_shown:
            self.push_screen(TooSmallScreen(LEAST_COLUMNS, LEAST_ROWS))
        elif not is_too_small and is_shown and self.screen_stack:
            self.pop_screen()
        if not self._screen_diff.is_first_size(event.size):
            self.action_repaint()

    def action_interrupt(self) -> None:
        """Leave as Ctrl-C leaves any command."""
        self._leave(EXIT_INTERRUPTED)

    def release_picture(self) -> None:
        """Let frames take the place of the first picture, which showed the same rows."""
        self._screen_diff.release()
        self.set_timer(_STARTED_SECONDS, _collect_again)

    def note_picture(self) -> None:
        """Note what the list looks like, for the next start."""
        self._pictures.note(self.screen)

    def keep_first_picture(self) -> None:
        """Keep what was noted; comes when the terminal is given back."""
        self._pictures.keep()

    def action_leave(self) -> None:
        """Leave."""
        self._leave(0)

    def _leave(self, status: int) -> None:
        screen = self.screen
        self.note_picture()
        if isinstance(screen, DomainScreen):
            screen.leave(status)
        else:
            self.exit(status)

    def restart(self) -> None:
        """Leave and open again, with the configuration as it then is."""
        self.wants_restart = True
        self.exit(0)

    def _handle_exception(self, error: Exception) -> None:
        """Log a failure; that of a worker is shown, any other ends the app.

        A widget whose handler failed takes no more messages, so there is nothing to go on with:
        `run_dashboard` then shows the problem in an app of its own.
        """
        cause = error.error if isinstance(error, WorkerFailed) else error
        told = cause if isinstance(cause, Exception) else error
        if isinstance(error, WorkerFailed) and self._running:
            self.show_problem(self.keep_failure(told))
        else:
            super()._handle_exception(told)

    # The cloud

    def refresh_inventory(self) -> None:
        """Ask the cloud for what has changed, unless that is under way."""
        if not any(worker.group == "inventory" for worker in self.workers):
            self.run_worker(self._following.ask(), group="inventory", exclusive=True)

    def show_add_ons(self, show_add_ons: bool) -> None:
        """Show or hide add-on keys, and remember it for the context."""
        self.store.dispatch(AddOnsToggled(show_add_ons))
        self.run_worker(self._remember_add_ons(), group="settings", exclusive=True)

    async def _remember_add_ons(self) -> None:
        context = self.services.context
        if context.name == ENVIRONMENT_NAME:
            return
        chosen = replace(context, show_add_ons=self.store.state.view.show_add_ons)
        try:
            # Read again: other programs may have written it since the start.
            configuration = load_configuration().with_context(chosen)
            await asyncio.to_thread(save_configuration, configuration)
        except TuiLicensesError as error:
            self.tell(f"This choice is not remembered: {error.message}")

    # Output

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        super()._display(screen, self._screen_diff.show(screen, renderable))

    def action_repaint(self) -> None:
        """Paint the whole terminal anew."""
        self._screen_diff.repaint()

    # Screens

    def open_instance(self, instance_id: str) -> None:
        """Open the details of an instance."""
        from tui_licenses.tui.screens.instance_details import InstanceDetailsScreen

        self.push_screen(InstanceDetailsScreen(self.services, self.store, instance_id))

    def open_key(self, key_id: str) -> None:
        """Open the window of a key."""
        from tui_licenses.tui.screens.key_details import KeyDetailsScreen

        self.push_screen(KeyDetailsScreen(self.services, self.store, key_id))

    def open_activation(self, instance_id: str | None = None) -> None:
        """Open the activation of license keys, for an instance if one is given."""
        from tui_licenses.tui.screens.activation import ActivationScreen

        self.push_screen(ActivationScreen(self.services, self.store, instance_id))

    def open_hardware(self, instance_id: str) -> None:
        """Open the server profile of an instance as a table."""
        from tui_licenses.tui.screens.hardware import HardwareScreen

        self.push_screen(HardwareScreen(self.services, self.store, instance_id))

    def open_saved_files(self) -> None:
        """Open the list of files saved since the start."""
        from tui_licenses.tui.screens.saved_files import SavedFilesScreen

        self.push_screen(SavedFilesScreen(self.store))

    def open_help(self, topic: str | None = None) -> None:
        """Open the guide and the list of keys."""
        from tui_licenses.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(topic))

    def show_problem(self, error: TuiLicensesError) -> None:
        """Show what went wrong, why, and what to do."""
        from tui_licenses.tui.screens.problem import ProblemScreen

        if not isinstance(self.screen, ProblemScreen):
            self.push_screen(ProblemScreen(error))

    def show_text(self, title: str, text: str) -> None:
        """Show a text on a screen of its own, to be read or selected with the mouse."""
        from tui_licenses.tui.screens.notice import NoticeScreen

        self.push_screen(NoticeScreen(title, text))

    # Documents

    def download_license(self, instance_id: str) -> None:
        """Save the license file of an instance."""
        self.download(DocumentKind.LICENSE, (instance_id,))

    def download_certificate(self, key_id: str) -> None:
        """Save the certificate of a key."""
        self.download(DocumentKind.CERTIFICATE, (key_id,))

    def download_profile(self, instance_id: str) -> None:
        """Save the server profile of an instance."""
        self.download(DocumentKind.PROFILE, (instance_id,))

    def download(self, kind: DocumentKind, ids: tuple[str, ...]) -> None:
        """Save one document for each id (of instances, or of keys), after asking where to."""
        from tui_licenses.tui.downloading import Downloading

        if any(worker.group == "download" and not worker.is_finished for worker in self.workers):
            self.tell("A download is still under way; wait until it has ended.")
            return
        work = Downloading(self).save(kind, ids)
        self.run_worker(work, group="download", exclusive=True)

    # Words

    def tell(self, message: str) -> None:
        """Show a message in the status line of the screen that has one."""
        for screen in reversed(self.screen_stack):
            try:
                screen.query_one(StatusLine).show(message)
            except NoMatches:
                continue
            return

    def copy(self, text: str, shown: str | None = None) -> None:
        """Copy a text to the clipboard of the terminal, and show it as text.

        `shown` is what to show in its place, for keys that are masked.
        """
        visible = text if shown is None else shown
        sequence = copy_sequence(text, os.environ)
        if sequence is None:
            self.show_text("Too long for the clipboard: here it is as text", visible)
            return
        if self._driver is not None:
            self._driver.write(sequence)
        if "\n" in visible:
            self.show_text("Sent to the clipboard of the terminal; here it is as text", visible)
        else:
            self.tell(f"Sent to the clipboard of the terminal: {visible}")

    def action_refresh(self) -> None:
        """Ask the cloud for what has changed."""
        self.refresh_inventory()

    def action_mask(self) -> None:
        """Show keys in full or their last four only."""
        self.store.dispatch(MaskToggled())

    def action_utc(self) -> None:
        """Show times in UTC or in local time."""
        self.store.dispatch(UtcToggled())

    def action_saved_files(self) -> None:
        """Open the list of saved files."""
        self.open_saved_files()

    def action_help(self) -> None:
        """Open the guide and the list of keys."""
        self.open_help()

    def action_palette(self) -> None:
        """Find a command by name."""
        from tui_licenses.tui.palette import Palette

        screen = self.screen
        if isinstance(screen, DomainScreen | PlainScreen):
            self.push_screen(Palette(screen.NAME), partial(self._run_chosen, screen))

    async def _run_chosen(self, screen: DomainScreen | PlainScreen, command_id: str | None) -> None:
        if command_id is not None:
            await screen.action_command(command_id)
