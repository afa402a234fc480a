"""The terminal before Textual is there: taken over at once, given back whatever happens.

Keys that are typed meanwhile wait in the terminal's own queue and echo nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import termios
from types import FrameType
from typing import Any, NoReturn

# The alternate screen, without cursor and without wrapping at the right edge.
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
_LEAVE = "\x1b[m\x1b[?7h\x1b[?1049l\x1b[?25h"
_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_LFLAG, _IFLAG, _CC = 3, 0, 6


class EarlyTerminal:
    """Holds the terminal from its first picture until Textual takes over."""

    def __init__(self) -> None:
        """Take the terminal; raises `OSError` or `termios.error` where it cannot be taken."""
        # Textual reads from and writes to these, too.
        self._input = sys.__stdin__.fileno() if sys.__stdin__ else 0
        self._output = sys.__stderr__.fileno() if sys.__stderr__ else 2
        self._modes: list[Any] = termios.tcgetattr(self._input)
        self._handlers: dict[signal.Signals, Any] = {}
        self._is_held = True
        # An interruption may come anywhere, between any two lines of whoever holds this.
        atexit.register(self.give_back)
        modes = termios.tcgetattr(self._input)
        # As Textual will want them, but for Ctrl-C: until then it is a signal.
        modes[_LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
        modes[_IFLAG] &= ~(
            termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR
        )
        modes[_CC][termios.VSUSP] = b"\0"
        termios.tcsetattr(self._input, termios.TCSANOW, modes)
        for number in _ENDING_SIGNALS:
            self._handlers[number] = signal.signal(number, self._end)

    def show(self, output: str) -> None:
        """Show a picture on the alternate screen."""
        self._write(_ENTER + output)

    def hand_over(self) -> list[Any]:
        """Leave the terminal to Textual as it is; returns the modes to restore at the end."""
        self._is_held = False
        return self._modes

    def give_back(self) -> None:
        """Make the terminal what it was, unless somebody else holds it now."""
        if not self._is_held:
            return
        self._restore()
        self._is_held = False
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _restore(self) -> None:
        with contextlib.suppress(OSError):
            self._write(_LEAVE)
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(self._input, termios.TCSANOW, self._modes)

    def _end(self, number: int, _frame: FrameType | None) -> NoReturn:
        # No exception: Python ignores one in the callbacks that every import has, and one that
        # comes while a thread is started leaves a thread that never ends. What else is open
        # survives a kill.
        self._restore()
        os._exit(128 + number)

    def _write(self, text: str) -> None:
        data = memoryview(text.encode())
        while data:
            data = data[os.write(self._output, data) :]
