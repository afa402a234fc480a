"""The driver of the terminal: Textual's, on a terminal that may show the first picture already."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, cast

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from tui_licenses.tui.app import TuiLicensesApp
    from tui_licenses.tui.early_terminal import EarlyTerminal

_ENTER_ALTERNATE_SCREEN = "\x1b[?1049h"


def driver_for(terminal: EarlyTerminal | None) -> type[LinuxDriver]:
    """Return the driver for a terminal that was taken over early, or that is still free."""

    class DashboardDriver(LinuxDriver):
        _is_taken_over = terminal is None

        def write(self, data: str) -> None:
            # To enter the alternate screen again would clear it.
            if self._is_taken_over or data != _ENTER_ALTERNATE_SCREEN:
                super().write(data)

        def start_application_mode(self) -> None:
            # From here on a signal leaves in order: the terminal is given back by this driver, no
            # longer by the one of the first picture.
            cast("TuiLicensesApp", self._app).leave_on_signals()
            super().start_application_mode()  # type: ignore[no-untyped-call]
            if terminal is not None and not self._is_taken_over:
                self._is_taken_over = True
                # What it found were the modes of the first picture.
                self.attrs_before = terminal.hand_over()

        def _sigcont_application(self, *arguments: object) -> None:
            if self._must_signal_resume:
                super()._sigcont_application(*arguments)
            else:
                # Stopped by somebody else, or hung up: the terminal is held already. Taken twice
                # it would have two readers, of which only one ends. What it shows is painted anew.
                signal.raise_signal(signal.SIGWINCH)

    return DashboardDriver
