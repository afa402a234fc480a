"""Bodies: bounded in size and in time, and of one length only."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request

from tui_licenses.api.problems import Problem
from tui_licenses.cloud.http.limits import ConnectionLimits


class BodyReader:
    """Reads the bodies of one server's requests.

    Where a body is not read to its end, the server ends the connection after its answer.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits

    async def read(self, request: Request, most_bytes: int) -> bytes:
        """Return a body of at most `most_bytes`; what says it is longer is not read at all.

        Raises `Problem` (`invalid-request`, `profile-too-large`).
        """
        _refuse_two_lengths(request)
        declared = _declared_bytes(request, most_bytes)
        chunks: list[bytes] = []
        seconds = self._limits.body_deadline(most_bytes if declared is None else declared)
        await _receive(request, most_bytes, seconds, chunks)
        return b"".join(chunks)

    async def discard(self, request: Request, most_bytes: int) -> None:
        """Read a body that nobody wants, and keep nothing of it: its sender then hears the answer.

        It has the time of a small one. Raises `Problem` (`invalid-request`) for two lengths.
        """
        _refuse_two_lengths(request)
        with suppress(Problem):
            _declared_bytes(request, most_bytes)
            await _receive(request, most_bytes, self._limits.body_deadline(0), None)


def _refuse_two_lengths(request: Request) -> None:
    if "transfer-encoding" not in request.headers:
        return
    if "content-length" in request.headers or request.scope["http_version"] == "1.0":
        # Somebody between us and the caller may have believed the other of the two, and sees
        # other requests in what follows: nothing of it is read.
        raise Problem(
            "invalid-request",
            "A body has a Content-Length or a Transfer-Encoding of HTTP/1.1, not both.",
            headers={"Connection": "close"},
        )


def _declared_bytes(request: Request, most_bytes: int) -> int | None:
    """Return the declared length, None for chunks; raises `Problem` for one too large."""
    declared = request.headers.get("content-length")
    if declared is None:
        return None if "transfer-encoding" in request.headers else 0
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
        raise Problem("invalid-request", f"The body was not here within {seconds:g} s.") from error


def _too_large(most_bytes: int) -> Problem:
    return Problem(
        "profile-too-large",
        f"The body may have at most {most_bytes} bytes here.",
    )
