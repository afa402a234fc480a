"""The HTTP server of `serve`: uvicorn, for which a stop by signal is a normal end."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class CloudServer(uvicorn.Server):
    """A server that finishes its requests after SIGTERM or SIGINT and then returns.

    `on_started` is called when it answers requests; `is_interrupted` says that SIGINT ended it.
    """

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started
        self.is_interrupted = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, then say so."""
        await super().startup(sockets)
        self._on_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop, and remember which signal asked for it."""
        self.is_interrupted = sig == signal.SIGINT
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal; uvicorn would raise it again afterwards and so end in a failure."""
        before = {number: signal.signal(number, self.handle_exit) for number in _STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
