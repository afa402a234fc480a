"""The HTTP server of `serve`: uvicorn, for which a stop by signal is a normal end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class CloudServer(uvicorn.Server):
    """A server that finishes its requests after SIGTERM or SIGINT and then returns."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal; uvicorn would raise it again afterwards and so end in a failure."""
        before = {number: signal.signal(number, self.handle_exit) for number in _STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
