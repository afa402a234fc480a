"""Bodies of answers, unpacked piece by piece: a few bytes must not become a full memory."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator

from tui_licenses.api.faults import unexpected_answer
from tui_licenses.errors import UnavailableError
from tui_licenses.text import clean, shorten

ACCEPTED_ENCODING = "gzip"

_PIECE_BYTES = 256 * 1024
# 31: a gzip header, and the largest window there is.
_GZIP_WINDOW = 31
_SHOWN_CELLS = 40


async def unpacked(chunks: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    """Give the content of a body with this `Content-Encoding`, in pieces of bounded size.

    Raises `UnavailableError` (`unexpected-answer`) for what is not whole, is followed by anything,
    or has an encoding that was not asked for.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        async for chunk in chunks:
            yield chunk
        return
    if name != ACCEPTED_ENCODING:
        shown = shorten(clean(encoding), _SHOWN_CELLS)
        raise unexpected_answer(f"The answer is packed in a way nobody asked for ({shown}).")
    unpacking = zlib.decompressobj(_GZIP_WINDOW)
    async for chunk in chunks:
        for piece in _pieces(unpacking, chunk):
            yield piece
    if not unpacking.eof:
        raise _damaged()


def _pieces(unpacking: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    while packed:
        if unpacking.eof:
            raise _damaged()
        try:
            piece = unpacking.decompress(packed, _PIECE_BYTES)
        except zlib.error as error:
            raise _damaged() from error
        if piece:
            yield piece
        packed = unpacking.unconsumed_tail or unpacking.unused_data


def _damaged() -> UnavailableError:
    return unexpected_answer("The license cloud answered with a damaged body.")
