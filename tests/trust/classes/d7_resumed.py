"""D7: a large download is cut off, and what answers when it goes on is not always honest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.scripted_server import Answer, Last, Received
from tests.support.scripted_services import scripted_services
from tests.support.values import make_instance
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.spoilt_replies import reply_with
from tui_licenses.errors import TuiLicensesError
from tui_licenses.service.resuming import RESUMED_FROM_BYTES

_INSTANCE = make_instance()
_SIZE = RESUMED_FROM_BYTES + 12_345
_OFFSETS = (64 * 1024, RESUMED_FROM_BYTES // 2, _SIZE - 1)


@dataclass(frozen=True)
class _Document:
    """The document as it is now, and as it will be."""

    now: bytes
    later: bytes


# What is answered to who asks for the rest from an offset.
_Reply = Callable[[_Document, int], bytes]


def _rest(document: _Document, offset: int) -> bytes:
    """Return the honest rest."""
    return _rest_with(document, offset)


def _rest_with(document: _Document, offset: int, **headers: str) -> bytes:
    """Return the rest with headers that replace honest ones."""
    whole = reply_with(document.now)
    etag = whole.partition(b"ETag: ")[2].partition(b"\r\n")[0].decode()
    digest = whole.partition(b"Repr-Digest: ")[2].partition(b"\r\n")[0].decode()
    size = len(document.now)
    honest = {
        "ETag": etag,
        "Repr_Digest": digest,
        "Content_Range": f"bytes {offset}-{size - 1}/{size}",
    }
    return reply_with(document.now[offset:], 206, **(honest | headers))


def _spoilt_rest(document: _Document, offset: int) -> bytes:
    reply = bytearray(_rest(document, offset))
    reply[-1] ^= 1
    return bytes(reply)


def _cut_rest(document: _Document, offset: int) -> bytes:
    return _rest(document, offset)[:-1]


def _shifted(document: _Document, offset: int) -> bytes:
    size = len(document.now)
    return _rest_with(document, offset, Content_Range=f"bytes {offset - 1}-{size - 1}/{size}")


def _other_total(document: _Document, offset: int) -> bytes:
    size = len(document.now)
    return _rest_with(document, offset, Content_Range=f"bytes {offset}-{size - 1}/{size + 1}")


def _longer_rest(document: _Document, offset: int) -> bytes:
    longer = document.now[offset:] + b"more"
    return _rest_with(document, offset, Content_Length=str(len(longer))) + b"more"


_REPLIES: dict[str, _Reply] = {
    "the honest rest": _rest,
    "all of it again": lambda document, _: reply_with(document.now),
    "a changed document": lambda document, _: reply_with(document.later),
    "a changed document without an ETag": lambda document, _: reply_with(document.later, ETag=""),
    "a rest from another byte": _shifted,
    "a rest of another size": _other_total,
    "a rest without its range": lambda document, at: _rest_with(document, at, Content_Range=""),
    "a rest with another ETag": lambda document, at: _rest_with(document, at, ETag='"other"'),
    "a rest with a weak ETag": lambda document, at: _rest_with(document, at, ETag='W/"weak"'),
    "a rest with a flipped bit": _spoilt_rest,
    "a rest that is cut": _cut_rest,
    "a rest with more behind it": _longer_rest,
    "nothing left": lambda document, _: reply_with(b"", 416),
    "an encoded rest": lambda document, at: _rest_with(document, at, Content_Encoding="gzip"),
}


def _keep(_: Path) -> None:
    pass


def _flip_kept(part: Path) -> None:
    data = bytearray(part.read_bytes())
    data[-1] ^= 1
    part.write_bytes(data)


def _spoil_head(part: Path) -> None:
    part.write_bytes(b"{" + part.read_bytes())


def _link_elsewhere(part: Path) -> None:
    elsewhere = part.with_name("elsewhere")
    part.rename(elsewhere)
    part.symlink_to(elsewhere)


_SPOILERS: dict[str, Callable[[Path], None]] = {
    "what is kept has a flipped bit": _flip_kept,
    "what is kept is of something unreadable": _spoil_head,
    "what is kept is a link": _link_elsewhere,
}

Save = Callable[[Path], Awaitable[bytes]]


async def _try(
    run: Run,
    number: int,
    what: str,
    at: int,
    reply: _Reply,
    spoil: Callable[[Path], None],
    *,
    is_naive: bool,
) -> None:
    case = f"{what}, cut off at {at}"
    folder = run.folder / f"case-{number}"
    folder.mkdir()
    document = _Document(run.random.randbytes(_SIZE), run.random.randbytes(_SIZE))
    asked = 0

    def respond(request: Received) -> Answer:
        nonlocal asked
        asked += 1
        if asked == 1:
            whole = reply_with(document.now)
            return Last(whole[: len(whole) - _SIZE + at])
        if asked == 2 and "range" in request.headers:
            offset = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
            return Last(reply(document, offset))
        return Last(reply_with(document.later if "changed" in what else document.now))

    async with _saving(respond, is_naive=is_naive) as save:
        for attempt in range(3):
            found = b""
            with run.case(case, TuiLicensesError):
                found = await save(folder)
            if found:
                is_right = found in (document.now, document.later)
                run.expect(is_right, Broken.CORRUPT, f"{case}: saved other bytes")
                break
            if attempt == 0:
                for part in folder.glob(".*.resume"):
                    spoil(part)
        else:
            run.report(Broken.LOST, f"{case}: not even the honest answer was saved")
    run.disturb()
    if what == "the honest rest":
        run.expect(asked == 2, Broken.OTHER, f"{case}: asked {asked} times")
    left = [path.name for path in folder.glob(".*.resume") if not path.is_symlink()]
    run.expect(not left, Broken.OTHER, f"{case}: left {left}")


@asynccontextmanager
async def _saving(respond: Callable[[Received], Answer], *, is_naive: bool) -> AsyncIterator[Save]:
    async with scripted_services(respond) as (services, server):

        async def save(folder: Path) -> bytes:
            return (await services.downloads.profile(_INSTANCE, folder)).path.read_bytes()

        async def save_naively(folder: Path) -> bytes:
            return await _append(server.port, folder / "profile.xml")

        yield save_naively if is_naive else save


async def _append(port: int, file: Path) -> bytes:
    """Append whatever comes to what is there, as `wget -c` did once."""
    have = file.stat().st_size if file.exists() else 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asks_for = f"Range: bytes={have}-\r\n" if have else ""
    writer.write(f"GET /profile HTTP/1.1\r\n{asks_for}\r\n".encode())
    body = (await reader.read()).partition(b"\r\n\r\n")[2]
    writer.close()
    with file.open("ab") as stream:
        stream.write(body)
    data = file.read_bytes()
    if len(data) < _SIZE:
        raise TuiLicensesError("cut", "It was cut.")
    return data


def _resume(run: Run, *, is_naive: bool) -> None:
    answers: dict[str, tuple[_Reply, Callable[[Path], None]]] = {
        what: (reply, _keep) for what, reply in _REPLIES.items()
    }
    answers |= {what: (_rest, spoil) for what, spoil in _SPOILERS.items()}
    cases = [(what, at) for what in answers for at in _OFFSETS]
    for number, (what, at) in enumerate(run.choose(cases, fast=10)):
        asyncio.run(_try(run, number, what, at, *answers[what], is_naive=is_naive))


def _run(run: Run) -> None:
    _resume(run, is_naive=False)


def _control(run: Run) -> None:
    _resume(run, is_naive=True)


CLASS = TrustClass("D7", "large downloads that are resumed", 48, _run, _control)
