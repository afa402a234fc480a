"""Callers who mean a server no good, over plain sockets, and how long it lets them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

# Much more than any limit here, so that a connection still open then is one that is held.
PATIENCE_SECONDS = 4.0
_READ_BYTES = 1 << 16


@dataclass(frozen=True)
class Ending:
    """How a connection ended: what was answered, after how long; `is_held` if it did not."""

    answer: bytes
    seconds: float
    is_held: bool

    @property
    def status(self) -> int:
        """Return the status of the first answer, 0 for none."""
        parts = self.answer.split(b" ", 2)
        return int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else 0


@dataclass(frozen=True)
class Caller:
    """What one caller sends: `opening` at once, then `drip` again and again.

    `address` is the caller's own; there are many on a loopback interface.
    """

    opening: bytes
    drip: bytes = b""
    every_seconds: float = 0.2
    address: str = ""
    reads: bool = True


async def call(port: int, caller: Caller, most_seconds: float) -> Ending:
    """Connect, send, and wait for the other side to close, for `most_seconds` at most."""
    started = time.monotonic()
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=(caller.address or "127.0.0.1", 0), limit=_READ_BYTES
        )
    except OSError:
        return Ending(b"", time.monotonic() - started, is_held=False)
    sending = asyncio.ensure_future(_send(writer, caller))
    answer = bytearray()
    try:
        async with asyncio.timeout(most_seconds):
            await (_read(reader, answer) if caller.reads else _wait_for_reset(sending))
        is_held = False
    except TimeoutError:
        is_held = True
    seconds = time.monotonic() - started
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    writer.transport.abort()
    return Ending(bytes(answer), seconds, is_held)


async def call_all(port: int, callers: Sequence[Caller], most_seconds: float) -> list[Ending]:
    """Let all call at once."""
    return await asyncio.gather(*(call(port, caller, most_seconds) for caller in callers))


async def _send(writer: asyncio.StreamWriter, caller: Caller) -> None:
    try:
        writer.write(caller.opening)
        await writer.drain()
        while caller.drip:
            if caller.every_seconds:
                await asyncio.sleep(caller.every_seconds)
            writer.write(caller.drip)
            await writer.drain()
    except OSError:
        return
    await asyncio.Event().wait()


async def _read(reader: asyncio.StreamReader, answer: bytearray) -> None:
    try:
        while part := await reader.read(_READ_BYTES):
            answer += part
    except OSError:
        return


async def _wait_for_reset(sending: asyncio.Future[None]) -> None:
    """Wait until sending fails: who does not read learns of an end in no other way."""
    await asyncio.wait([sending])
