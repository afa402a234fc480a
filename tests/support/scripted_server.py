"""A real HTTP server on a loopback port whose answers a test writes byte by byte."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto

TOKEN_PATH = "/api/v3/authorization/token"
# The answer to who asks who is signed in.
SIGNED_IN: Mapping[str, object] = {
    "id": "1",
    "email": None,
    "displayName": "Somebody",
    "role": "reader",
    "account": {
        "id": "1",
        "name": "Example",
        "plan": "Pro",
        "planStartsAt": None,
        "planEndsAt": None,
        "licensesTab": {"available": True, "reason": None, "supportContact": None},
    },
}


def sign_in_environment(url: str, refresh_token: str = "refresh") -> dict[str, str]:
    """Return the environment that signs a program in at a cloud."""
    return {
        "TUI_LICENSES_URL": url,
        "TUI_LICENSES_SUBJECT_ID": "subject",
        "TUI_LICENSES_REFRESH_TOKEN": refresh_token,
    }


class Behaviour(Enum):
    """What a server can do instead of answering."""

    HANG = auto()
    CUT = auto()
    TRICKLE = auto()


@dataclass(frozen=True)
class Received:
    """One request as it arrived; header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Last(bytes):
    """An answer after which the connection ends, whatever it says about that itself."""


Answer = bytes | Behaviour
Responder = Callable[[Received], Answer]


def http(status: int, body: object = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """Return a whole HTTP answer; anything but bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Length": str(len(content)), "Content-Type": "application/json"}
    lines |= headers or {}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + content


def problem(
    code: str, status: int, headers: Mapping[str, str] | None = None, **members: object
) -> bytes:
    """Return a problem document as an HTTP answer."""
    document = {
        "type": f"urn:tui-licenses:problem:{code}",
        "title": code,
        "status": status,
        "detail": f"About {code}.",
        "code": code,
        "message": f"About {code}.",
        **members,
    }
    return http(status, document, {"Content-Type": "application/problem+json", **(headers or {})})


def signing_in(responder: Responder, expires_in: int = 3600) -> Responder:
    """Answer the token exchange too; every token says which exchange it came from."""
    exchanges = 0

    def respond(request: Received) -> Answer:
        nonlocal exchanges
        if request.path != TOKEN_PATH:
            return responder(request)
        exchanges += 1
        token = {
            "accessToken": f"token-{exchanges}",
            "expiresIn": expires_in,
            "tokenType": "Bearer",
        }
        return http(200, token)

    return respond


class ScriptedServer:
    """Serves connections with a responder and remembers what it was asked."""

    def __init__(self, responder: Responder, greeting: bytes) -> None:
        self._responder = responder
        self._greeting = greeting
        self.received: list[Received] = []
        self.port = 0
        self.url = ""
        self._arrived = asyncio.Condition()
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def paths(self) -> list[str]:
        """Return the paths that were asked for, without the sign-in."""
        return [request.path for request in self.received if request.path != TOKEN_PATH]

    async def asked(self, count: int) -> None:
        """Wait until so many requests have come, the sign-in not counted."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.paths()) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends."""
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            writer.write(self._greeting)
            while (request := await _read_request(reader)) is not None:
                async with self._arrived:
                    self.received.append(request)
                    self._arrived.notify_all()
                answer = self._responder(request)
                if answer is Behaviour.HANG:
                    await reader.read()
                if answer is Behaviour.TRICKLE:
                    await _trickle(writer)
                if isinstance(answer, Behaviour):
                    break
                writer.write(answer)
                await writer.drain()
                if isinstance(answer, Last) or b"Connection: close" in answer:
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            del self._open[task]

    async def end(self) -> None:
        """Cut every connection and wait until nothing of this server is left."""
        tasks = tuple(self._open)
        for writer in self._open.values():
            writer.transport.abort()
        await asyncio.gather(*tasks)


@asynccontextmanager
async def scripted_server(
    responder: Responder, tls: ssl.SSLContext | None = None, greeting: bytes = b""
) -> AsyncIterator[ScriptedServer]:
    """Serve on a free loopback port; `greeting` is said before anybody asked, as SSH does."""
    scripted = ScriptedServer(responder, greeting)
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0, ssl=tls)
    scripted.port = server.sockets[0].getsockname()[1]
    scripted.url = f"{'https' if tls else 'http'}://127.0.0.1:{scripted.port}"
    try:
        yield scripted
    finally:
        server.close()
        await scripted.end()


async def _read_request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, body)


async def _trickle(writer: asyncio.StreamWriter) -> None:
    """Send one byte after the other, faster than any read limit, without end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)
