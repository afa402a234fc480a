"""D7: a large download is cut off, and what answers when it goes on is not always honest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import product
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


@dataclass(frozen=True)
class _Case:
    """A download that was cut off: what is done to its part, and what is answered thereafter.

    `asks` is what then has to be asked for, from which byte on, or None for the whole document:
    that each reply is really the one to a request for the rest, and none is taken for another.
    """

    reply: _Reply
    asks: Callable[[int], Sequence[int | None]]
    spoil: Callable[[Path], None] | None = None
    is_changed: bool = False


def _only_rest(at: int) -> Sequence[int | None]:
    return (at,)


def _rest_then_whole(at: int) -> Sequence[int | None]:
    return (at, None)


def _only_whole(_: int) -> Sequence[int | None]:
    return (None,)


def _refused(reply: _Reply) -> _Case:
    """Return a case whose reply is no rest: the whole document has to be asked for."""
    return _Case(reply, _rest_then_whole)


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


_CASES = {
    "the honest rest": _Case(_rest, _only_rest),
    "all of it again": _Case(lambda document, _: reply_with(document.now), _only_rest),
    "a changed document": _Case(
        lambda document, _: reply_with(document.later), _only_rest, is_changed=True
    ),
    "a changed document without an ETag": _Case(
        lambda document, _: reply_with(document.later, ETag=""), _only_rest, is_changed=True
    ),
    "a rest from another byte": _refused(_shifted),
    "a rest of another size": _refused(_other_total),
    "a rest without its range": _refused(lambda d, at: _rest_with(d, at, Content_Range="")),
    "a rest with another ETag": _refused(lambda d, at: _rest_with(d, at, ETag='"other"')),
    "a rest with a weak ETag": _refused(lambda d, at: _rest_with(d, at, ETag='W/"weak"')),
    "a rest with a flipped bit": _refused(_spoilt_rest),
    "a rest that is cut": _Case(_cut_rest, lambda at: (at, _SIZE - 1)),
    "a rest with more behind it": _refused(_longer_rest),
    "nothing left": _refused(lambda _, at: reply_with(b"", 416)),
    "an encoded rest": _refused(lambda d, at: _rest_with(d, at, Content_Encoding="gzip")),
    "what is kept has a flipped bit": _Case(_rest, _rest_then_whole, _flip_kept),
    "what is kept is of something unreadable": _Case(_rest, _only_whole, _spoil_head),
    "what is kept is a link": _Case(_rest, _only_whole, _link_elsewhere),
}

Save = Callable[[Path], Awaitable[bytes]]


async def _try(run: Run, name: str, at: int, *, is_naive: bool) -> None:
    case, what = _CASES[name], f"{name}, cut off at {at}"
    folder = run.folder / f"{name}-{at}"
    folder.mkdir()
    document = _Document(run.random.randbytes(_SIZE), run.random.randbytes(_SIZE))
    wanted = document.later if case.is_changed else document.now
    asked: list[int | None] = []

    def respond(request: Received) -> Answer:
        asked.append(_offset(request))
        if len(asked) == 1:
            whole = reply_with(document.now)
            return Last(whole[: len(whole) - _SIZE + at])
        if len(asked) == 2 and asked[1] is not None:
            return Last(case.reply(document, asked[1]))
        return Last(reply_with(wanted))

    is_spoilt = False
    async with _saving(respond, is_naive=is_naive) as save:
        for attempt in range(3):
            found = b""
            with run.case(what, TuiLicensesError):
                found = await save(folder)
            if found:
                run.expect(found == wanted, Broken.CORRUPT, f"{what}: saved other bytes")
                break
            if attempt == 0 and case.spoil is not None:
                for part in folder.glob(".*.resume"):
                    case.spoil(part)
                    is_spoilt = True
        else:
            run.report(Broken.LOST, f"{what}: not even the honest answer was saved")
    run.disturb(is_spoilt if case.spoil else at in asked)
    is_asked = asked == [None, *case.asks(at)]
    run.expect(is_asked, Broken.OTHER, f"{what}: asked for {asked}")
    left = [path.name for path in folder.glob(".*.resume") if not path.is_symlink()]
    run.expect(not left, Broken.OTHER, f"{what}: left {left}")


def _offset(request: Received) -> int | None:
    """Return from which byte on a document is asked for; None for all of it."""
    told = request.headers.get("range")
    return None if told is None else int(told.removeprefix("bytes=").removesuffix("-"))


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


def _run(run: Run) -> None:
    for name, at in run.choose(list(product(_CASES, _OFFSETS)), fast=10):
        asyncio.run(_try(run, name, at, is_naive=False))


def _control(run: Run) -> None:
    for name in _CASES:
        asyncio.run(_try(run, name, _OFFSETS[0], is_naive=True))


CLASS = TrustClass(
    "D7",
    "large downloads that are resumed",
    len(_CASES) * len(_OFFSETS),
    _run,
    _control,
    control_breaks=(Broken.CORRUPT,),
)
