"""Downloads through the real client whose replies a server on a socket has spoilt."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.scripted_server import Answer, Last, Received, problem
from tests.support.scripted_services import scripted_services
from tests.support.values import make_instance
from tests.trust.harness import Broken, Run
from tui_licenses.errors import TuiLicensesError
from tui_licenses.wiring import Services

# So many that the pauses before a second attempt overlap.
_AT_ONCE = 64
_REPLY_BYTES = 1_600


def whole_reply() -> tuple[bytes, bytes]:
    """Return the reply with a document as the cloud sends it, 1,600 bytes, and the document."""
    size = 1_200
    while True:
        body = bytes(32 + number * 7 % 95 for number in range(size))
        reply = reply_with(body)
        if len(reply) == _REPLY_BYTES:
            return reply, body
        size += _REPLY_BYTES - len(reply)


def reply_with(body: bytes, status: int = 200, **headers: str) -> bytes:
    """Return a reply with a document; `headers` replace or add to those it has."""
    sha256 = hashlib.sha256(body)
    lines = {
        "Content-Type": "application/xml",
        "Content-Length": str(len(body)),
        "ETag": f'"{sha256.hexdigest()}"',
        "Repr-Digest": f"sha-256=:{base64.b64encode(sha256.digest()).decode()}:",
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + body


Save = Callable[[int, Path], Awaitable[Path]]


def download_spoilt(run: Run, replies: Sequence[tuple[str, bytes]], *, is_naive: bool) -> None:
    """Download once with each reply; report whatever was saved that is not the document.

    The whole reply is sent too, and must be saved: what refused everything would prove nothing.
    """
    whole, body = whole_reply()
    sent = [*replies, ("whole", whole)]
    asyncio.run(_download_all(run, sent, body, is_naive=is_naive))


async def _download_all(
    run: Run, replies: Sequence[tuple[str, bytes]], body: bytes, *, is_naive: bool
) -> None:
    """Download once with each reply; the last is not spoilt."""
    asked: set[int] = set()

    def respond(request: Received) -> Answer:
        number = int(request.path.rpartition("/profile")[0].rpartition("/")[2][:8])
        if number in asked:
            # A second attempt meets a clear answer.
            return problem("profile-not-found", 404)
        asked.add(number)
        return Last(replies[number][1])

    numbers = iter(range(len(replies)))
    async with _downloader(respond, is_naive=is_naive) as save:

        async def work() -> None:
            for number in numbers:
                what = replies[number][0]
                file = run.folder / f"{number}"
                with run.case(what, TuiLicensesError):
                    file = await save(number, run.folder)
                is_spoilt = number < len(replies) - 1
                if is_spoilt:
                    run.disturb(number in asked)
                else:
                    run.expect(file.exists(), Broken.LOST, "the whole reply was not saved")
                _look(run, what, file, body)

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    left = sorted(path.name for path in run.folder.iterdir())
    run.expect(not left, Broken.OTHER, f"left over: {left[:3]}")


def _look(run: Run, what: str, file: Path, body: bytes) -> None:
    if not file.exists():
        return
    run.expect(file.read_bytes() == body, Broken.CORRUPT, f"{what}: saved other bytes")
    file.unlink()


@asynccontextmanager
async def _downloader(
    respond: Callable[[Received], Answer], *, is_naive: bool
) -> AsyncIterator[Save]:
    async with scripted_services(respond) as (services, server):
        if is_naive:
            yield _NaiveDownloader(server.port).save
        else:
            yield _RealDownloader(services).save


class _RealDownloader:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def save(self, number: int, folder: Path) -> Path:
        instance = make_instance(id=f"{number:08}-x")
        return (await self._services.downloads.profile(instance, folder)).path


class _NaiveDownloader:
    """Saves whatever follows the head of an answer."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def save(self, number: int, folder: Path) -> Path:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"GET /%08d-x/profile HTTP/1.1\r\n\r\n" % number)
        reply = await reader.read()
        writer.close()
        file = folder / f"{number:08}.xml"
        file.write_bytes(reply.partition(b"\r\n\r\n")[2])
        return file
