"""One document from the cloud: whole, with the digest it was promised, or still the one here."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from tui_licenses.api.answers import error_of
from tui_licenses.api.faults import unexpected_answer
from tui_licenses.api.parts import Rest
from tui_licenses.api.transport import StreamedAnswer
from tui_licenses.errors import DocumentError
from tui_licenses.service.resuming import Part, Promise, begin_part, find_part

_OK, _REST, _NOT_MODIFIED, _NOTHING_LEFT = 200, 206, 304, 416
_PARTIAL = frozenset({_REST, _NOTHING_LEFT})
# As large as a manifest may say that a document is.
DOCUMENT_BYTES_MAXIMUM = 16 * 1024 * 1024
_DIGEST_PREFIX = "sha-256=:"

Ask = Callable[[str | None, Rest | None], AbstractAsyncContextManager[StreamedAnswer]]


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of a document; `is_here` says that they are those on disk, and still current."""

    data: bytes = field(repr=False)
    sha256: str
    is_here: bool

    @classmethod
    def of(cls, data: bytes, *, is_here: bool) -> Document:
        """Return a document with its digest."""
        return cls(data, hashlib.sha256(data).hexdigest(), is_here)


async def fetch(ask: Ask, path: Path, identity: str, here: Document | None) -> Document:
    """Fetch a document that is to be saved as `path`; what is still current is not sent again.

    `ask` starts the download on the condition that its SHA-256 (hex) is another one; it may ask
    for the rest only. `identity` names the document in its cloud. Raises `DocumentError`
    (`digest-mismatch`), `FileError` (`disk-full`) and what the cloud answers.
    """
    part = await asyncio.to_thread(find_part, path, identity)
    known = None if here is None else here.sha256
    if part is not None:
        try:
            async with ask(known, Rest(part.offset, part.promise.etag)) as answer:
                rest = await _rest(answer, part, path.name)
                if rest is not None:
                    return rest
                if answer.status == _OK:
                    part.remove()
                if answer.status not in _PARTIAL:
                    return await _whole(answer, path, identity, here)
        finally:
            part.close()
        # It does not continue what is here.
        part.remove()
    async with ask(known, None) as answer:
        return await _whole(answer, path, identity, here)


async def _rest(answer: StreamedAnswer, part: Part, name: str) -> Document | None:
    """Return a document whose rest is answered; None where the answer is something else."""
    promise = part.promise
    if answer.status == _NOTHING_LEFT and part.offset == promise.size:
        return _judged(part, name)
    expected = f"bytes {part.offset}-{promise.size - 1}/{promise.size}"
    if (
        answer.status != _REST
        or answer.headers.get("content-range") != expected
        or answer.headers.get("etag") != promise.etag
        or "content-encoding" in answer.headers
    ):
        return None
    async for chunk in answer.chunks:
        if part.offset + len(chunk) > promise.size:
            break
        part.append(chunk)
    return _judged(part, name)


def _judged(part: Part, name: str) -> Document:
    """Return the document of a part that should be whole; a wrong one is not kept."""
    document = Document.of(part.whole(), is_here=False)
    part.remove()
    _judge(document, part.promise, name)
    return document


async def _whole(
    answer: StreamedAnswer, path: Path, identity: str, here: Document | None
) -> Document:
    if answer.status == _NOT_MODIFIED:
        return received(None, here)
    if answer.status != _OK:
        raise error_of(await answer.whole())
    promise = _promised(answer)
    part = None
    if promise.is_resumable:
        part = await asyncio.to_thread(begin_part, path, identity, promise)
    data = bytearray()
    try:
        async for chunk in answer.chunks:
            data += chunk
            if len(data) > promise.size:
                break
            if part is not None:
                part.append(chunk)
    finally:
        if part is not None:
            part.close()
    if part is not None:
        part.remove()
    document = Document.of(bytes(data), is_here=False)
    _judge(document, promise, path.name)
    return document


def _judge(document: Document, promise: Promise, name: str) -> None:
    if len(document.data) != promise.size or document.sha256 != promise.sha256:
        raise DocumentError(
            "digest-mismatch",
            f"{name} did not arrive as it was sent.",
            "Download it again; if it stays, something on the way changes downloads.",
        )


def received(data: bytes | None, here: Document | None) -> Document:
    """Return what the cloud sent, or where it sent nothing the document that is here."""
    if data is not None:
        return Document.of(data, is_here=False)
    if here is None:
        raise unexpected_answer("The license cloud says that nothing has changed, of nothing.")
    return here


def _promised(answer: StreamedAnswer) -> Promise:
    """Return what the headers of a download promise (RFC 9530)."""
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise unexpected_answer("The download came in an encoding that was not asked for.")
    size = answer.headers.get("content-length", "")
    digests = [part.strip() for part in answer.headers.get("repr-digest", "").split(",")]
    found = [part for part in digests if part.startswith(_DIGEST_PREFIX) and part.endswith(":")]
    if not (size.isascii() and size.isdigit()) or len(found) != 1:
        raise unexpected_answer("The download came without its size or digest.")
    if int(size[:12]) > DOCUMENT_BYTES_MAXIMUM:
        raise unexpected_answer("The download is larger than any document can be.")
    try:
        digest = base64.b64decode(found[0][len(_DIGEST_PREFIX) : -1], validate=True)
    except (binascii.Error, ValueError) as error:
        raise unexpected_answer("The digest of the download cannot be read.") from error
    return Promise(int(size), digest.hex(), answer.headers.get("etag", ""))
