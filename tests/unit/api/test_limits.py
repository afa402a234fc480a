"""What an answer may cost in time and bytes, and what is never sent with or because of it."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from pathlib import Path

import pytest

from tests.support.scripted_server import Behaviour, Received, http, scripted_server
from tests.support.tls import make_authority
from tui_licenses.api.connections import tls_context
from tui_licenses.api.faults import Endpoint
from tui_licenses.api.retries import Persistence
from tui_licenses.api.transport import Request, TimeLimits, Transport
from tui_licenses.errors import UnavailableError

EAGER = Persistence(base=0.01)
KEYED = {"Idempotency-Key": "one"}


async def ask(transport: Transport, request: Request) -> bytes:
    try:
        async with transport.stream(request) as streamed:
            return (await streamed.whole()).body
    finally:
        await transport.aclose()


async def code_of(transport: Transport, request: Request) -> str:
    with pytest.raises(UnavailableError) as caught:
        await ask(transport, request)
    return caught.value.code


async def test_a_download_may_trickle_as_long_as_it_keeps_the_least_rate() -> None:
    limits = TimeLimits(whole=0.2, download_bytes_per_second=20)
    async with scripted_server(lambda _: Behaviour.TRICKLE) as server:
        transport = Transport(server.url, limits=limits)
        started = asyncio.get_running_loop().time()
        received = 0
        async with transport.stream(Request("GET", "/file", is_download=True)) as streamed:
            async for chunk in streamed.chunks:
                received += len(chunk)
                if asyncio.get_running_loop().time() - started > 3 * limits.whole:
                    break
        assert received > 0
        assert await code_of(transport, Request("GET", "/object")) == "timeout"


async def test_a_download_below_the_least_rate_is_given_up() -> None:
    limits = TimeLimits(whole=0.2, download_bytes_per_second=100_000)
    async with scripted_server(lambda _: Behaviour.TRICKLE) as server:
        request = Request("GET", "/file", is_download=True)
        assert await code_of(Transport(server.url, limits=limits), request) == "timeout"


async def test_a_packed_answer_is_unpacked_and_counted_as_what_it_becomes() -> None:
    packed = http(200, gzip.compress(bytes(5000)), {"Content-Encoding": "gzip"})
    async with scripted_server(lambda _: packed) as server:
        most = Request("GET", "/x", answer_bytes_maximum=5000)
        assert await ask(Transport(server.url), most) == bytes(5000)
        less = Request("GET", "/x", answer_bytes_maximum=4999)
        assert await code_of(Transport(server.url), less) == "unexpected-answer"


@pytest.mark.parametrize(
    ("request_", "times"),
    [
        (Request("POST", "/x", body=b"{}"), 1),
        (Request("PATCH", "/x", body=b"{}"), 1),
        (Request("PUT", "/x", body=b"{}"), 1),
        (Request("POST", "/x", body=b"{}", headers=KEYED), 4),
        (Request("GET", "/x"), 4),
    ],
)
async def test_what_may_have_been_done_is_sent_again_only_with_its_key(
    request_: Request, times: int
) -> None:
    async with scripted_server(lambda _: Behaviour.CUT) as server:
        await code_of(Transport(server.url, persistence=EAGER), request_)
        assert len(server.received) == times
    assert (request_.delivery.is_sent, request_.delivery.was_lost) == (True, times > 1)


async def test_after_the_user_gave_up_nothing_is_sent_again() -> None:
    async with scripted_server(lambda _: Behaviour.CUT) as server:
        transport = Transport(server.url, persistence=Persistence(base=30, cap=30))
        task = asyncio.create_task(ask(transport, Request("GET", "/x")))
        await server.asked(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(server.received) == 1


async def test_nothing_is_sent_back_that_an_answer_left_here() -> None:
    def respond(request: Received) -> bytes:
        return http(200, b"", {"Set-Cookie": "followed=1; Path=/"})

    async with scripted_server(respond) as server:
        transport = Transport(server.url)
        for _ in range(2):
            async with transport.stream(Request("GET", "/x")):
                pass
        await transport.aclose()
        assert "cookie" not in server.received[1].headers


async def test_a_password_of_the_user_for_the_host_is_not_sent(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".netrc").write_text("machine 127.0.0.1 login user password secret\n")
    (home / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(home / ".netrc"))
    async with scripted_server(lambda _: http(200)) as server:
        await ask(Transport(server.url), Request("GET", "/x"))
        assert "authorization" not in server.received[0].headers


def test_every_context_wants_tls_1_2_and_writes_no_session_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    authority = make_authority(tmp_path)
    endpoint = Endpoint.of("https://cloud.example")
    for context in (tls_context(endpoint, None), tls_context(endpoint, authority.ca_file)):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.keylog_filename is None
