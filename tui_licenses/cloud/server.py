"""The HTTP server of `serve`: uvicorn, for which a stop by signal is a normal end."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# 5 s each: asyncio would let a caller begin a TLS connection for 60 s and end it for 30 s.
_HANDSHAKE_SECONDS = 5.0


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose servers have their own patience with TLS; uvicorn has no word for it."""

    async def create_server(self, *arguments: Any, **options: Any) -> asyncio.Server:  # noqa: ANN401
        if options.get("ssl") is not None:
            options["ssl_handshake_timeout"] = _HANDSHAKE_SECONDS
            options["ssl_shutdown_timeout"] = _HANDSHAKE_SECONDS
        return await super().create_server(*arguments, **options)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of a server; named in its configuration."""
    return _Loop()


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
