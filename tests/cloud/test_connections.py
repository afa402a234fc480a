"""Connections of a real server: what is left open ends, and what is ambiguous is refused."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.cloud.conftest import Template
from tests.cloud.lab import copy_database
from tests.support.tls import make_authority
from tests.trust.clouds import OURS, SeededCloud, ServedProcess, serve, sign_in
from tests.trust.hostile_callers import PATIENCE_SECONDS, Caller, Ending, call, call_all
from tui_licenses.cloud.http.limits import ConnectionLimits, subscriber

_SECONDS = 0.6
_HEAD = b"GET /api/v3/health HTTP/1.1\r\nHost: x\r\n"
_POST = (
    b"POST /api/v3/authorization/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
)
_ANSWERS, _PART_BYTES = 40, 64 * 1024
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
_CHUNK = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"


@pytest.fixture(scope="module")
def server(
    sqlite_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedProcess]:
    """Serve one cloud for all tests here: none of them leaves anything in it."""
    names = ("head_seconds", "body_seconds", "idle_seconds", "answer_seconds")
    folder = tmp_path_factory.mktemp("connections")
    template, report = sqlite_template
    cloud = SeededCloud("SQLite", copy_database(Path(template), folder), report.tokens)
    log = folder / "server.log"
    with serve(cloud, log, OURS, **dict.fromkeys(names, _SECONDS)) as started:
        yield started
    assert "Traceback" not in log.read_text()


async def _end(server: ServedProcess, caller: Caller) -> Ending:
    ending = await call(server.port, caller, 2 * _SECONDS + PATIENCE_SECONDS)
    assert not ending.is_held
    return ending


@pytest.mark.parametrize(
    "caller",
    [Caller(b""), Caller(_HEAD), Caller(_HEAD, b"X")],
    ids=["silent", "half a head", "a head byte by byte"],
)
async def test_a_head_that_does_not_come_ends_the_connection(
    server: ServedProcess, caller: Caller
) -> None:
    ending = await _end(server, caller)
    assert ending.answer == b""
    assert ending.seconds >= _SECONDS * 0.9


async def test_a_second_head_that_does_not_come_ends_the_connection_too(
    server: ServedProcess,
) -> None:
    ending = await _end(server, Caller(_HEAD + b"\r\n" + _HEAD, b"X"))
    assert ending.answer.count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize(
    "caller",
    [
        Caller(_POST + b"Content-Length: 900\r\n\r\n", b"x"),
        Caller(_POST + _CHUNKED, b"1\r\nx\r\n"),
        Caller(_POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"),
    ],
    ids=["byte by byte", "chunk by chunk", "never, though expected"],
)
async def test_a_body_has_one_time_limit_in_all(server: ServedProcess, caller: Caller) -> None:
    assert b"was not here within" in (await _end(server, caller)).answer


@pytest.mark.parametrize(
    ("path", "status"),
    [("authorization/token", 413), ("nothing", 404), ("licensing/activations", 401)],
)
@pytest.mark.parametrize("length", [b"Content-Length: 200000000\r\n\r\n", _CHUNKED])
async def test_a_body_too_large_is_not_read_to_its_end(
    server: ServedProcess, path: str, status: int, length: bytes
) -> None:
    head = f"POST /api/v3/{path} HTTP/1.1\r\nHost: x\r\n".encode()
    before = server.resident_bytes()
    assert (await _end(server, Caller(head + length, _CHUNK, 0))).status == status
    assert server.resident_bytes() - before < 16 * 1024 * 1024


@pytest.mark.parametrize(
    "text",
    [
        _POST + b"Content-Length: 4\r\n" + _CHUNKED + b"0\r\n\r\n" + _HEAD + b"\r\n",
        _POST.replace(b"1.1", b"1.0") + _CHUNKED + b"0\r\n\r\n" + _HEAD + b"\r\n",
        _POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n{}{}" + _HEAD + b"\r\n",
        b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n" + _CHUNKED + b"0\r\n\r\n",
        _POST + _CHUNKED + b"no size\r\n",
        b"\x16\x03\x01 TLS\r\n\r\n",
    ],
)
async def test_an_ambiguous_request_is_refused_and_nothing_after_it_is_read(
    server: ServedProcess, text: bytes
) -> None:
    ending = await _end(server, Caller(text))
    assert ending.status == 400
    assert b"application/problem+json" in ending.answer
    assert b"nosniff" in ending.answer
    assert b"HTTP/1.1 200" not in ending.answer


@pytest.mark.parametrize("host", [b"[", b"x/y?z", b"a@b:99999999", b"\xff", b""])
async def test_a_host_is_whatever_the_caller_says(server: ServedProcess, host: bytes) -> None:
    head = _HEAD.replace(b"Host: x", b"Host: " + host)
    ending = await _end(server, Caller(head + b"Connection: close\r\n\r\n"))
    assert ending.status == 200


async def test_requests_sent_ahead_are_answered_in_turn_but_not_without_end(
    server: ServedProcess,
) -> None:
    ending = await _end(server, Caller((_HEAD + b"\r\n") * 50))
    assert ending.answer.count(b"HTTP/1.1 200") == 50
    before = server.resident_bytes()
    await _end(server, Caller(b"", (_HEAD + b"\r\n") * 300, 0))
    assert server.resident_bytes() - before < 16 * 1024 * 1024


def _request_of_much(server: ServedProcess, template: Template) -> bytes:
    """Return a request whose answer is large."""
    bearer = sign_in(server, template[1].tokens[0])
    head = _HEAD.replace(b"health", b"licensing/openapi")
    return head + f"Authorization: Bearer {bearer}\r\n\r\n".encode()


async def test_an_answer_that_nobody_reads_is_not_kept(
    server: ServedProcess, sqlite_template: Template
) -> None:
    request = _request_of_much(server, sqlite_template)
    await _end(server, Caller(b"", request * 20, 0, reads=False))


async def test_a_slow_reader_of_several_answers_gets_them_all(
    server: ServedProcess, sqlite_template: Template
) -> None:
    request = _request_of_much(server, sqlite_template)
    with socket.socket() as caller:
        # So small that most of what was answered waits in the server.
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
        caller.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(caller, ("127.0.0.1", server.port))
        await loop.sock_sendall(caller, request * _ANSWERS)
        await loop.sock_sendall(caller, _HEAD + b"Connection: close\r\n\r\n")
        answer = bytearray()
        while part := await loop.sock_recv(caller, _PART_BYTES):
            answer += part
            # Slower than the server answers, and never idle for long.
            await asyncio.sleep(_SECONDS / 20)
    assert answer.count(b"HTTP/1.1 200") == _ANSWERS + 1


async def test_one_address_has_so_many_connections_and_others_have_theirs(
    sqlite_database: Path, sqlite_template: Template, tmp_path: Path
) -> None:
    # As installed: its seconds tell "at once" from "at the limit" on the busiest host, too.
    limits = ConnectionLimits()
    cloud, log = SeededCloud("SQLite", sqlite_database, sqlite_template[1].tokens), tmp_path / "log"
    half = [Caller(_HEAD, address="127.0.0.2")] * (limits.per_address + 40)
    whole = Caller(_HEAD + b"Connection: close\r\n\r\n")
    with serve(cloud, log) as server:
        most = 2 * limits.head_seconds + PATIENCE_SECONDS
        crowd = asyncio.ensure_future(call_all(server.port, half, most))
        assert (await call(server.port, whole, PATIENCE_SECONDS)).status == 200
        endings = await crowd
        assert not any(ending.is_held for ending in endings)
        at_once = [ending for ending in endings if ending.seconds < limits.head_seconds * 0.9]
        assert len(at_once) == 40
        # What ended is no longer counted.
        again = await _end(server, replace(whole, address="127.0.0.2"))
        assert again.status == 200
    assert "Traceback" not in log.read_text()


def test_a_tls_connection_that_does_not_begin_is_ended(
    sqlite_database: Path, sqlite_template: Template, tmp_path: Path
) -> None:
    folder = tmp_path / "tls"
    folder.mkdir()
    authority = make_authority(folder)
    program = f"""
import sys
from pathlib import Path
from tui_licenses.cloud import server
from tui_licenses.cloud.serve import serve
server._HANDSHAKE_SECONDS = {_SECONDS}
file = Path({str(authority.server_file)!r})
serve(sys.argv[1], "127.0.0.1", 0, file, file, on_ready=lambda url: print(url, flush=True))
"""
    cloud = SeededCloud("SQLite", sqlite_database, sqlite_template[1].tokens)
    with serve(cloud, tmp_path / "server.log", program) as started:
        ending = asyncio.run(call(started.port, Caller(b""), _SECONDS + PATIENCE_SECONDS))
        assert not ending.is_held
        context = ssl.create_default_context(cafile=str(authority.ca_file))
        answer = httpx.get(f"{started.url}/api/v3/health", verify=context, trust_env=False)
        assert answer.status_code == 200


def test_whom_a_reverse_proxy_speaks_for_is_limited_and_not_the_proxy(
    server: ServedProcess,
) -> None:
    body = {"subjectType": "Application", "grantType": "refreshToken", "refreshToken": "tlr_wrong"}

    def guess(subject_id: str, address: str) -> int:
        return httpx.post(
            f"{server.url}/api/v3/authorization/token",
            json={**body, "subjectId": subject_id},
            headers={"X-Forwarded-For": address},
            trust_env=False,
        ).status_code

    statuses = [guess(f"subject {number}", "203.0.113.9") for number in range(6)]
    assert statuses == [401] * 5 + [429]
    assert guess("another subject", "203.0.113.10") == 401


@pytest.mark.parametrize("path", ["/", "/api/v3/health", "/api/v3/users/me", "/robots.txt"])
def test_every_answer_has_the_headers_that_keep_browsers_harmless(
    server: ServedProcess, path: str
) -> None:
    answer = httpx.get(server.url + path, trust_env=False)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "cache-control" in answer.headers
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("host", "known_by"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("no address", ""),
        ("", ""),
    ],
)
def test_a_caller_is_known_by_what_one_subscriber_gets(host: str, known_by: str) -> None:
    assert subscriber(host) == known_by
