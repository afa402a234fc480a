"""Answers no license cloud gives: endless, dripping, packed too well, cut, or no HTTP at all."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache

from tests.support.scripted_server import SIGNED_IN

_MEBIBYTE = 1024 * 1024
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_DRIP_SECONDS = 0.05

Pieces = Iterable[bytes]


@dataclass(frozen=True)
class HostileAnswer:
    """What is sent, piece by piece; a slow one is given time between its pieces."""

    name: str
    pieces: Callable[[], Pieces]
    is_slow: bool = False


@cache
def hostile_answers() -> tuple[HostileAnswer, ...]:
    """Return all of them, built once; none may be taken for an answer."""
    return (*_slow(), *_endless(), *_packed(), *_framed(), *_no_json())


def _slow() -> Iterator[HostileAnswer]:
    def drip(head: bytes, piece: bytes) -> Callable[[], Pieces]:
        return lambda: _forever(head, piece)

    for name, head, piece in (
        ("silence", b"", b""),
        ("a dripping status line", b"", b"H"),
        ("a dripping header", _OK + b"X-Slow: ", b"x"),
        ("dripping headers", _OK, b"X: y\r\n"),
        ("silence after the headers", _OK + b"Content-Length: 9\r\n\r\n", b""),
        ("a dripping body", _OK + b"Content-Length: 999999\r\n\r\n", b" "),
        ("dripping chunks", _CHUNKED, b"1\r\n \r\n"),
        ("a dripping chunk size", _CHUNKED, b"0"),
        ("interim answers without end", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ):
        yield HostileAnswer(name, drip(head, piece), is_slow=True)


def _endless() -> Iterator[HostileAnswer]:
    block = b" " * 65536
    for name, head, piece in (
        ("a body without end", _OK + b"\r\n", block),
        ("a body as long as it said", _OK + b"Content-Length: 99999999999\r\n\r\n", block),
        ("chunks without end", _CHUNKED, b"10000\r\n" + block + b"\r\n"),
        ("one header without end", _OK + b"X-Long: ", block),
        ("headers without end", _OK, b"X-More: y\r\n" * 4096),
        ("a status line without end", b"HTTP/1.1 200 ", block),
        ("a chunk extension without end", _CHUNKED + b"1;x=", block),
        ("trailers without end", _CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-More: y\r\n" * 4096),
        ("interim answers in a flood", b"", b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" * 1024),
    ):
        yield HostileAnswer(name, lambda head=head, piece=piece: _forever(head, piece))  # type: ignore[misc]


def _packed() -> Iterator[HostileAnswer]:
    def packed(encoding: str, body: bytes) -> Callable[[], Pieces]:
        head = _OK + f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        return lambda: (head, body)

    document = gzip.compress(b'{"id": "x"}')
    bomb = _bomb(31)
    yield HostileAnswer("a bomb of 300 MiB", packed("gzip", bomb))
    yield HostileAnswer("a bomb in a bomb", packed("gzip, gzip", gzip.compress(bomb)))
    yield HostileAnswer("a bomb without a header", packed("deflate", _bomb(15)))
    yield HostileAnswer("two documents in a row", packed("gzip", document + document))
    yield HostileAnswer("a document and something else", packed("gzip", document + b"more"))
    yield HostileAnswer("half a document", packed("gzip", document[:-5]))
    yield HostileAnswer("a document with a wrong sum", packed("gzip", document[:-8] + bytes(8)))
    yield HostileAnswer("a document that is not packed", packed("gzip", b'{"id": "x"}'))
    for encoding in ("br", "zstd", "compress", "x-nothing"):
        yield HostileAnswer(f"packed as {encoding}", packed(encoding, b'{"id": "x"}'))


def _framed() -> Iterator[HostileAnswer]:
    for name, answer in (
        ("two lengths", _OK + b"Content-Length: 2\r\nContent-Length: 20\r\n\r\n{}"),
        ("a list of lengths", _OK + b"Content-Length: 2, 3\r\n\r\n{}"),
        ("a negative length", _OK + b"Content-Length: -2\r\n\r\n{}"),
        ("a length that is no number", _OK + b"Content-Length: 0x2\r\n\r\n{}"),
        ("a length of a thousand digits", _OK + b"Content-Length: " + b"9" * 1000 + b"\r\n\r\n{}"),
        ("more promised than sent", _OK + b"Content-Length: 20\r\n\r\n{}"),
        ("a length and chunks", _OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"),
        ("an unknown framing", _OK + b"Transfer-Encoding: gzip\r\n\r\n{}"),
        ("a chunk size that is no number", _CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n"),
        ("a chunk size beyond all", _CHUNKED + b"f" * 40 + b"\r\n{}"),
        ("a negative chunk size", _CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n"),
        ("a chunk longer than its size", _CHUNKED + b"1\r\n{}\r\n0\r\n\r\n"),
        ("chunks that are cut", _CHUNKED + b"20\r\n{}"),
        ("no last chunk", _CHUNKED + b"2\r\n{}\r\n"),
        ("a NUL in a header", _OK + b"X: a\0b\r\nContent-Length: 2\r\n\r\n{}"),
        ("a header without a colon", _OK + b"nothing\r\nContent-Length: 2\r\n\r\n{}"),
        ("a space in a header name", _OK + b"X y: z\r\nContent-Length: 2\r\n\r\n{}"),
        ("a status of two digits", b"HTTP/1.1 20 OK\r\n\r\n"),
        ("a status that is no number", b"HTTP/1.1 OK 200\r\n\r\n"),
        ("HTTP 0.9", b"<html>hello</html>"),
        ("HTTP 2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("SSH", b"SSH-2.0-OpenSSH_9.6\r\n"),
        ("TLS", b"\x15\x03\x03\x00\x02\x02\x28"),
        ("zeroes", bytes(4096)),
        ("a switch of protocols", b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"),
        ("nothing", b""),
    ):
        yield HostileAnswer(name, lambda answer=answer: (answer,))  # type: ignore[misc]


def _no_json() -> Iterator[HostileAnswer]:
    for name, kind, body in (
        ("nested a hundred thousand times", "application/json", b"[" * 100_000 + b"]" * 100_000),
        ("nested in what nobody reads", "application/json", b'{"y":' + b"[" * 100_000),
        ("nested in a problem", "application/problem+json", b'{"code":' + b"[" * 100_000),
        ("a number that is none", "application/json", b'{"id": NaN}'),
        ("half a pair of surrogates", "application/json", b'{"id": "\\ud800"}'),
        ("no UTF-8", "application/json", b'{"id": "\xff\xfe"}'),
        ("UTF-16", "application/json", '{"id": "x"}'.encode("utf-16")),
        ("a byte order mark", "application/json", b"\xef\xbb\xbf{}"),
        ("two documents", "application/json", b"{}{}"),
        ("a page for people", "text/html", b"<html>Sign in to this network</html>"),
        ("JSON that says it is a page", "text/html", json.dumps(SIGNED_IN).encode()),
        ("JSON that says nothing", "", json.dumps(SIGNED_IN).encode()),
        ("a list without end in sight", "application/json", b"[" + b"0," * (3 * _MEBIBYTE)),
    ):
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        answer = head.encode() + body
        yield HostileAnswer(name, lambda answer=answer: (answer,))  # type: ignore[misc]


def _forever(head: bytes, piece: bytes) -> Iterator[bytes]:
    yield head
    while True:
        yield piece


def _bomb(window: int) -> bytes:
    """Return 300 MiB of spaces, packed (31: as gzip does, 15: bare)."""
    packing = zlib.compressobj(9, zlib.DEFLATED, window)
    block = b" " * _MEBIBYTE
    return b"".join(packing.compress(block) for _ in range(300)) + packing.flush()


@asynccontextmanager
async def answering(hostile: HostileAnswer, asked: list[str]) -> AsyncIterator[str]:
    """Serve one hostile answer, again and again, and give its address."""
    writers: list[asyncio.StreamWriter] = []
    tasks: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode())
            for piece in hostile.pieces():
                writer.write(piece)
                await writer.drain()
                if hostile.is_slow:
                    await asyncio.sleep(_DRIP_SECONDS)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
