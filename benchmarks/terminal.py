"""A program in a terminal of a given size, with every byte it writes time-stamped."""

from __future__ import annotations

import fcntl
import heapq
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.answers import Answers, Profile

COLUMNS, ROWS = 120, 40
# A line sends a start bit, eight bits and a stop bit for each byte.
_BITS_PER_BYTE = 10
# How much of a slow line's time is taken at once.
_SLICE_SECONDS = 0.005
_READ_BYTES = 65536
_POLL_SECONDS = 0.05


class Chunk(NamedTuple):
    """Bytes of the program, and the instant at which its user would have seen them."""

    at: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """The way between program and user; the usual one costs nothing.

    Output is taken from the program no faster than `baud` allows, so that it meets the same
    back-pressure as on a serial line. Keys and answers arrive half a round trip late, and so
    does what the user sees.
    """

    baud: int | None = None
    round_trip_seconds: float = 0.0
    profile: Profile = Profile.XTERM


class Terminal:
    """Starts a program in a pty of its own; a thread reads, stamps and answers.

    Close it in the end: a program that is still there is killed.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        line: Line | None = None,
        folder: Path | None = None,
    ) -> None:
        self.line = line or Line()
        self.answers = Answers(self.line.profile, COLUMNS, ROWS)
        self.chunks: list[Chunk] = []
        self.byte_count = 0
        self.last_at = 0.0
        self.has_news = threading.Event()
        self._late: list[tuple[float, int, bytes]] = []
        self._late_count = 0
        self._late_lock = threading.Lock()
        self._is_closing = False
        self._master, self._slave = pty.openpty()
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, size)
        self._modes_at_start = termios.tcgetattr(self._slave)
        self._bell_out, self._bell_in = os.pipe()
        self.started_at = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=folder,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
            # The new session has no terminal until it takes one; that is one system call.
            preexec_fn=_take_terminal,  # noqa: PLW1509
        )
        os.set_blocking(self._master, False)
        self._reader = threading.Thread(target=self._read_until_closed, daemon=True)
        self._reader.start()

    @property
    def has_ended(self) -> bool:
        """Say whether the program is gone."""
        return self.process.poll() is not None

    @property
    def is_as_it_was(self) -> bool:
        """Say whether the settings of the terminal line are those from before the program."""
        return _compared(termios.tcgetattr(self._slave)) == _compared(self._modes_at_start)

    def write(self, data: bytes) -> None:
        """Send what a user types; it arrives half a round trip later."""
        self._send(data, self.line.round_trip_seconds / 2)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        self.process.send_signal(number)

    def close(self) -> None:
        """End the program if it has not ended, and give everything back."""
        if not self.has_ended:
            # It may end by itself in between.
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._is_closing = True
        os.write(self._bell_in, b"!")
        self._reader.join()
        for descriptor in (self._master, self._slave, self._bell_in, self._bell_out):
            os.close(descriptor)

    def _send(self, data: bytes, delay_seconds: float) -> None:
        if not delay_seconds:
            os.write(self._master, data)
            return
        with self._late_lock:
            self._late_count += 1
            due = time.perf_counter() + delay_seconds
            heapq.heappush(self._late, (due, self._late_count, data))
        os.write(self._bell_in, b"!")

    def _send_what_is_due(self) -> float:
        """Send what has been on its way long enough; return the seconds until the next."""
        with self._late_lock:
            while self._late and self._late[0][0] <= time.perf_counter():
                os.write(self._master, heapq.heappop(self._late)[2])
            if not self._late:
                return _POLL_SECONDS
            return max(0.0, min(_POLL_SECONDS, self._late[0][0] - time.perf_counter()))

    def _read_until_closed(self) -> None:
        bytes_per_second = None if self.line.baud is None else self.line.baud / _BITS_PER_BYTE
        at_once = _READ_BYTES
        if bytes_per_second is not None:
            at_once = max(1, int(bytes_per_second * _SLICE_SECONDS))
        line_free_at = 0.0
        while not self._is_closing:
            seconds = self._send_what_is_due()
            ready, _, _ = select.select([self._master, self._bell_out], [], [], seconds)
            if self._bell_out in ready:
                os.read(self._bell_out, 64)
            if self._master not in ready:
                continue
            data = os.read(self._master, at_once)
            seen_at = time.perf_counter()
            if bytes_per_second is not None:
                line_free_at = max(line_free_at, seen_at) + len(data) / bytes_per_second
                time.sleep(max(0.0, line_free_at - time.perf_counter()))
                seen_at = line_free_at
            self._note(Chunk(seen_at + self.line.round_trip_seconds / 2, data))

    def _note(self, chunk: Chunk) -> None:
        self.last_at = chunk.at
        self.byte_count += len(chunk.data)
        self.chunks.append(chunk)
        self.has_news.set()
        for answer in self.answers.read(chunk.data):
            self._send(answer, self.line.round_trip_seconds)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _compared(attributes: list[Any]) -> list[Any]:
    # Speeds are the pty's own and mean nothing.
    return [*attributes[:4], attributes[6]]
