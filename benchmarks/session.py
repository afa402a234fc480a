"""One run of a program, as its user lives through it: wait, press, hold, leave."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from benchmarks.errors import BenchmarkError
from benchmarks.ideal import ideal_bytes
from benchmarks.keys import key_bytes
from benchmarks.process import cpu_seconds, peak_memory_bytes
from benchmarks.programs import Program
from benchmarks.screen import Screen
from benchmarks.terminal import COLUMNS, ROWS, Chunk, Line, Terminal

MILLISECONDS = 1000
# Silence that ends the answer to a key.
_QUIET_SECONDS = 0.03
_SETTLED_SECONDS = 0.5
_ANSWER_SECONDS = 5.0
_EXIT_SECONDS = 20.0
# Less than this in a while is no work any more.
_IDLE_CPU_SECONDS, _IDLE_WINDOW_SECONDS = 0.01, 0.5


@dataclass(frozen=True, slots=True)
class KeySample:
    """What one key brought: when its last byte came, and how many there were."""

    milliseconds: float
    byte_count: int
    ideal_byte_count: int


@dataclass(frozen=True, slots=True)
class HoldSample:
    """What a held key brought: how long after its end the last byte came."""

    lag_milliseconds: float
    byte_count: int


@dataclass(frozen=True, slots=True)
class IdleSample:
    """What a program does while nobody does anything."""

    bytes_per_second: float
    cpu_milliseconds_per_second: float


class Session:
    """Starts a program, and ends it at the latest with the `with` block."""

    def __init__(self, program: Program, line: Line | None = None) -> None:
        self.program = program
        self.terminal = Terminal(program.command, program.environment, line=line)
        self.screen = Screen(COLUMNS, ROWS)
        self._shown_count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.terminal.close()

    # Waiting

    def wait_for(self, pattern: str, what: str = "", seconds: float = 120) -> float:
        """Return the milliseconds from the start until a pattern stands on the screen.

        `what` says in words what is waited for.
        """
        wanted = re.compile(pattern, re.MULTILINE)
        return self.wait_until(
            lambda: wanted.search(self.screen.text()) is not None, what or f"“{pattern}”", seconds
        )

    def wait_until(self, is_shown: Callable[[], bool], what: str, seconds: float = 120) -> float:
        """Return the milliseconds from the start until the screen is as wanted.

        The screen is looked at after each chunk: the instant is that of the one that decides.
        """
        terminal = self.terminal
        if is_shown():
            return self.milliseconds_since_start()
        deadline = time.perf_counter() + seconds
        while True:
            terminal.has_news.clear()
            had_ended = terminal.has_ended
            while (chunk := self._show_next()) is not None:
                if is_shown():
                    return (chunk.at - terminal.started_at) * MILLISECONDS
            if had_ended or time.perf_counter() > deadline:
                state = "ended" if had_ended else f"ran for {seconds:g} s"
                raise BenchmarkError(f"{self.program.name} {state} without {what} on its screen")
            terminal.has_news.wait(0.02)

    def wait_until_ready(self, seconds: float = 120) -> float:
        """Return the milliseconds from the start to the first row."""
        return self.wait_for(self.program.ready, "its first row", seconds)

    def settle(self, quiet_seconds: float = _SETTLED_SECONDS, seconds: float = 60) -> float:
        """Wait until nothing is written any more; return the milliseconds to the last byte."""
        self._wait_for_quiet(quiet_seconds, seconds)
        self._show_all()
        return (self.terminal.last_at - self.terminal.started_at) * MILLISECONDS

    def wait_until_idle(self, seconds: float = 60) -> None:
        """Wait until the program neither writes nor computes."""
        deadline = time.perf_counter() + seconds
        is_busy = True
        while is_busy and time.perf_counter() < deadline:
            used, written = cpu_seconds(self._process_id), self.terminal.byte_count
            time.sleep(_IDLE_WINDOW_SECONDS)
            is_busy = (
                cpu_seconds(self._process_id) - used > _IDLE_CPU_SECONDS
                or self.terminal.byte_count != written
            )
        self._show_all()

    def milliseconds_since_start(self) -> float:
        """Return how long the program has been running."""
        return (time.perf_counter() - self.terminal.started_at) * MILLISECONDS

    # Acting

    def send(self, key: str) -> None:
        """Press a key and wait for nothing."""
        self.terminal.write(self._bytes(key))

    def press(self, key: str) -> KeySample:
        """Press a key and wait for its answer; raises where nothing comes."""
        self._show_all()
        before = self.screen.cells()
        written = self.terminal.byte_count
        self.terminal.has_news.clear()
        pressed_at = time.perf_counter()
        self.terminal.write(self._bytes(key))
        if not self.terminal.has_news.wait(_ANSWER_SECONDS):
            raise BenchmarkError(f"{self.program.name} does not answer the key {key}")
        self._wait_for_quiet(_QUIET_SECONDS, 60)
        self._show_all()
        return KeySample(
            (self.terminal.last_at - pressed_at) * MILLISECONDS,
            self.terminal.byte_count - written,
            ideal_bytes(before, self.screen.cells()),
        )

    def press_and_settle(self, *keys: str, quiet_seconds: float = _SETTLED_SECONDS) -> float:
        """Press keys one after the other; return the milliseconds from the last to its end."""
        for key in keys:
            pressed_at = time.perf_counter()
            self.terminal.write(self._bytes(key))
            time.sleep(_QUIET_SECONDS)
        self._wait_for_quiet(quiet_seconds, 60, pressed_at)
        self._show_all()
        return max(0.0, self.terminal.last_at - pressed_at) * MILLISECONDS

    def hold(self, key: str, count: int, per_second: float) -> HoldSample:
        """Hold a key as long as `count` repeats take."""
        data = self._bytes(key)
        written = self.terminal.byte_count
        begun_at = pressed_at = time.perf_counter()
        for number in range(count):
            time.sleep(max(0.0, begun_at + number / per_second - time.perf_counter()))
            pressed_at = time.perf_counter()
            self.terminal.write(data)
        self._wait_for_quiet(_SETTLED_SECONDS, 120, pressed_at)
        self._show_all()
        lag = max(0.0, self.terminal.last_at - pressed_at) * MILLISECONDS
        return HoldSample(lag, self.terminal.byte_count - written)

    def idle(self, seconds: float) -> IdleSample:
        """Do nothing for a while."""
        written, used = self.terminal.byte_count, cpu_seconds(self._process_id)
        time.sleep(seconds)
        return IdleSample(
            (self.terminal.byte_count - written) / seconds,
            (cpu_seconds(self._process_id) - used) * MILLISECONDS / seconds,
        )

    def leave(self) -> int:
        """Leave by the program's own keys, and return its exit status."""
        for key in self.program.quit:
            self.terminal.write(self._bytes(key))
        return self.wait_for_exit()

    def wait_for_exit(self) -> int:
        """Wait until the program has ended, and return its exit status."""
        deadline = time.perf_counter() + _EXIT_SECONDS
        while not self.terminal.has_ended:
            if time.perf_counter() > deadline:
                raise BenchmarkError(f"{self.program.name} does not end")
            time.sleep(0.005)
        self._wait_for_quiet(_QUIET_SECONDS, 5)
        self._show_all()
        return self.terminal.process.wait()

    @property
    def peak_memory_bytes(self) -> int:
        """Return the most memory the program has held so far."""
        return peak_memory_bytes(self._process_id)

    @property
    def _process_id(self) -> int:
        return self.terminal.process.pid

    def _bytes(self, key: str) -> bytes:
        has_application_cursor = self.terminal.answers.modes.get(1, False)
        return key_bytes(key, has_application_cursor=has_application_cursor)

    def _wait_for_quiet(
        self, quiet_seconds: float, seconds: float, since: float | None = None
    ) -> None:
        # Rendering would compete with the program: it waits until there is silence.
        begun_at = time.perf_counter() if since is None else since
        quiet_seconds += self.terminal.line.round_trip_seconds
        while (now := time.perf_counter()) < begun_at + seconds:
            quiet_at = max(self.terminal.last_at, begun_at) + quiet_seconds
            if since is None:
                quiet_at = self.terminal.last_at + quiet_seconds
            if quiet_at <= now:
                return
            time.sleep(max(0.001, quiet_at - now))

    def _show_next(self) -> Chunk | None:
        if self._shown_count == len(self.terminal.chunks):
            return None
        chunk = self.terminal.chunks[self._shown_count]
        self._shown_count += 1
        self.screen.feed(chunk.data)
        return chunk

    def _show_all(self) -> None:
        while self._show_next() is not None:
            pass
