"""Bodies: bounded in size and in time, and of one length only."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from tui_licenses.api.problems import Problem
from tui_licenses.cloud.http.limits import ConnectionLimits

# After these the rest of the body is not read, and so the connection is of no more use.
_CLOSING = {"Connection": "close"}


class BodyReader:
    """Reads the bodies of one server's requests; every method raises `Problem`."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits

    async def read(self, request: Request, most_bytes: int) -> bytes:
        """Return a body of at most `most_bytes`; what says it is longer is not read at all."""
        declared = _declared_bytes(request, most_bytes)
        chunks: list[bytes] = []
        seconds = self._limits.body_deadline(most_bytes if declared is None else declared)
        await _receive(request, most_bytes, seconds, chunks)
        return b"".join(chunks)

    async def discard(self, request: Request, most_bytes: int) -> None:
        """Read a body that nobody wants and keep nothing of it: its sender then hears the answer.

        It has the time of a small one.
        """
        _declared_bytes(request, most_bytes)
        await _receive(request, most_bytes, self._limits.body_deadline(0), None)


def _declared_bytes(request: Request, most_bytes: int) -> int | None:
    """Return the declared length, None for chunks; refuse two lengths, and one too large."""
    declared = request.headers.get("content-length")
    if "transfer-encoding" in request.headers:
        # Somebody between us and the caller may have believed the other of the two.
        if declared is not None or request.scope["http_version"] == "1.0":
            raise Problem(
                "invalid-request",
                "A body has a Content-Length or a Transfer-Encoding of HTTP/1.1, not both.",
                headers=_CLOSING,
            )
        return None
    if declared is None:
        return 0
    # The server lets digits only through, 20 at most.
    length = int(declared)
    if length > most_bytes:
        raise _too_large(most_bytes)
    return length


async def _receive(
    request: Request, most_bytes: int, seconds: float, chunks: list[bytes] | None
) -> None:
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > most_bytes:
                    raise _too_large(most_bytes)
                if chunks is not None:
                    chunks.append(chunk)
    except ClientDisconnect as error:
        raise Problem("invalid-request", "The request ended before its body did.") from error
    except TimeoutError as error:
        raise Problem(
            "invalid-request",
            f"The body was not here within {seconds:g} s.",
            headers=_CLOSING,
        ) from error


def _too_large(most_bytes: int) -> Problem:
    return Problem(
        "profile-too-large",
        f"The body may have at most {most_bytes} bytes here.",
        headers=_CLOSING,
    )
