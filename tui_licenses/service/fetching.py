"""One document from the cloud: whole, with the digest it was promised, or still the one here."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from tui_licenses.api.answers import error_of
from tui_licenses.api.faults import unexpected_answer
from tui_licenses.api.transport import StreamedAnswer
from tui_licenses.errors import DocumentError

_OK, _NOT_MODIFIED = 200, 304
# A certificate with its font and a profile are far below; nothing that is asked for is larger.
_BYTES_MAXIMUM = 2 * 1024 * 1024
_DIGEST_PREFIX = "sha-256=:"

Ask = Callable[[str | None], AbstractAsyncContextManager[StreamedAnswer]]


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


async def fetch(ask: Ask, name: str, here: Document | None) -> Document:
    """Fetch a document; what is on disk is not sent again where it is still current.

    `ask` starts the download on the condition that its SHA-256 (hex) is another one. Raises
    `DocumentError` (`digest-mismatch`) and what the cloud answers.
    """
    async with ask(None if here is None else here.sha256) as answer:
        if answer.status == _NOT_MODIFIED:
            return received(None, here)
        if answer.status != _OK:
            raise error_of(await answer.whole())
        size, digest = _promised(answer)
        data = bytearray()
        async for chunk in answer.chunks:
            data += chunk
            if len(data) > size:
                break
    document = Document.of(bytes(data), is_here=False)
    if len(data) != size or document.sha256 != digest.hex():
        raise DocumentError(
            "digest-mismatch",
            f"{name} did not arrive as it was sent.",
            "Download it again; if it stays, something on the way changes downloads.",
        )
    return document


def received(data: bytes | None, here: Document | None) -> Document:
    """Return what the cloud sent, or where it sent nothing the document that is here."""
    if data is not None:
        return Document.of(data, is_here=False)
    if here is None:
        raise unexpected_answer("The license cloud says that nothing has changed, of nothing.")
    return here


def _promised(answer: StreamedAnswer) -> tuple[int, bytes]:
    """Return the size and SHA-256 that the headers of a download promise (RFC 9530)."""
    size = answer.headers.get("content-length", "")
    digests = [part.strip() for part in answer.headers.get("repr-digest", "").split(",")]
    found = [part for part in digests if part.startswith(_DIGEST_PREFIX) and part.endswith(":")]
    if not (size.isascii() and size.isdigit()) or len(found) != 1:
        raise unexpected_answer("The download came without its size or digest.")
    if int(size[:12]) > _BYTES_MAXIMUM:
        raise unexpected_answer("The download is larger than any document can be.")
    try:
        return int(size), base64.b64decode(found[0][len(_DIGEST_PREFIX) : -1], validate=True)
    except (binascii.Error, ValueError) as error:
        raise unexpected_answer("The digest of the download cannot be read.") from error
