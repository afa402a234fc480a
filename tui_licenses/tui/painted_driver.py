"""The driver for a terminal that shows the first picture already."""

from __future__ import annotations

from typing import Any

from textual.drivers.linux_driver import LinuxDriver

from tui_licenses.tui.early_terminal import EarlyTerminal

_ENTER_ALTERNATE_SCREEN = "\x1b[?1049h"


def painted_driver(terminal: EarlyTerminal) -> type[LinuxDriver]:
    """Return a driver that takes over a terminal with the picture that is on it."""

    class PaintedDriver(LinuxDriver):
        _is_taken_over = False

        def write(self, data: str) -> None:
            # To enter the alternate screen again would clear it.
            if self._is_taken_over or data != _ENTER_ALTERNATE_SCREEN:
                super().write(data)

        def start_application_mode(self) -> None:
            super().start_application_mode()  # type: ignore[no-untyped-call]
            if not self._is_taken_over:
                self._is_taken_over = True
                # What it found were the modes of the first picture.
                modes: list[Any] = terminal.hand_over()
                self.attrs_before = modes

    return PaintedDriver
