"""A real terminal for tests: a pty, a child process, and pyte as the screen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "backtab": "\x1b[Z",
    "space": " ",
    "backspace": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "f7": "\x1b[18~",
    "f8": "\x1b[19~",
}
KEYS |= {f"ctrl+{letter}": chr(ord(letter) & 0x1F) for letter in "abcdefghijklmnopqrstuvwxyz"}


class Terminal:
    """Runs one program in a pty; `wait_for` reads until a text stands on the screen."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        columns: int = 80,
        rows: int = 24,
        folder: Path | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._exit_status: int | None = None
        self._pid, self._descriptor = pty.fork()
        if self._pid == 0:
            if folder is not None:
                os.chdir(folder)
            os.execvpe(command[0], list(command), dict(environment))
        self.resize(columns, rows)
        self.modes_at_start = termios.tcgetattr(self._descriptor)

    def modes(self) -> list[object]:
        """Return the modes of the terminal line as they are now."""
        return termios.tcgetattr(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._exit_status is None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._descriptor)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size; the program is told by SIGWINCH."""
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def read(self, seconds: float) -> bool:
        """Feed the screen with what arrives within `seconds`; False at the program's end."""
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:
            return False
        if not data:
            return False
        self.raw += data
        # pyte prints private sequences that it does not know; none of these draws.
        self._stream.feed(data.replace(b"\x1b[>4;0m", b"").replace(b"\x1b[>1u", b""))
        return True

    def read_until_quiet(self, seconds: float) -> None:
        """Read until nothing has arrived for so long."""
        seen = -1
        while seen != len(self.raw):
            seen = len(self.raw)
            self.read(seconds)

    @property
    def text(self) -> str:
        """Return the screen, one line for each row."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait_for(self, *texts: str, gone: str | None = None, seconds: float = 30) -> None:
        """Read until all `texts` stand on the screen and `gone` does not."""
        deadline = time.monotonic() + seconds
        while True:
            text = self.text
            if all(wanted in text for wanted in texts) and (gone is None or gone not in text):
                return
            alive = self.read(0.05)
            if time.monotonic() > deadline or not alive:
                wanted = f"{texts} (and not {gone!r})"
                raise AssertionError(f"waited for {wanted}; the screen shows:\n{self.text}")

    def press(self, *keys: str) -> None:
        """Press keys by name, or type a text character by character."""
        for key in keys:
            os.write(self._descriptor, KEYS.get(key, key).encode())
            self.read(0.02)

    def press_at_once(self, *keys: str) -> None:
        """Press keys by name, all of them in one packet."""
        os.write(self._descriptor, "".join(KEYS.get(key, key) for key in keys).encode())

    def press_and_see(self, *keys: str, seconds: float = 30) -> None:
        """Press each key when the one before has shown its effect and the screen is quiet."""
        for key in keys:
            seen = len(self.raw)
            self.press(key)
            deadline = time.monotonic() + seconds
            while len(self.raw) == seen:
                assert time.monotonic() < deadline, f"{key} shows nothing:\n{self.text}"
                self.read(0.05)
            self.read_until_quiet(0.3)

    def type(self, text: str) -> None:
        """Type a text."""
        for character in text:
            self.press(character)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        os.kill(self._pid, number)

    def wait_for_exit(self, seconds: float = 20) -> int:
        """Read until the program ended and return its exit status."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.read(0.05)
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                while self.read(0) and select.select([self._descriptor], [], [], 0)[0]:
                    pass
                self._exit_status = os.waitstatus_to_exitcode(status)
                return self._exit_status
        raise AssertionError(f"the program did not end; the screen shows:\n{self.text}")
