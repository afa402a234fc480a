"""Every fault of the network is told by its own code, and passing ones are tried again."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from tests.support.scripted_server import (
    Answer,
    Behaviour,
    Received,
    Responder,
    ScriptedServer,
    http,
    problem,
    scripted_server,
)
from tests.support.tls import make_authority
from tui_licenses.api.retries import Persistence
from tui_licenses.api.transport import Answer as Whole
from tui_licenses.api.transport import Request, TimeLimits, Transport
from tui_licenses.errors import TuiLicensesError, UseError

PING = Request("GET", "/ping")
EAGER = Persistence(base=0.01)
QUICK = TimeLimits(connect=2, read=0.2, write=2, whole=0.5)


def scripted(*answers: Answer) -> Responder:
    script: Iterator[Answer] = chain(answers, repeat(answers[-1]))
    return lambda _: next(script)


async def ask(transport: Transport, bytes_maximum: int = 1000) -> Whole:
    try:
        async with transport.stream(PING) as streamed:
            return await streamed.whole(bytes_maximum)
    finally:
        await transport.aclose()


async def fault(transport: Transport, bytes_maximum: int = 1000) -> TuiLicensesError:
    with pytest.raises(TuiLicensesError) as caught:
        await ask(transport, bytes_maximum)
    assert caught.value.next_step
    return caught.value


@asynccontextmanager
async def tunnel(port: int) -> AsyncIterator[str]:
    """Give the address of a proxy that leads every CONNECT to one port of this host."""

    connections: list[asyncio.Task[None]] = []
    writers: list[asyncio.StreamWriter] = []

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writers.extend((writer, far_writer))
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))

    def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.ensure_future(lead(reader, writer)))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for writer in writers:
        writer.transport.abort()
    await asyncio.gather(*connections)


async def test_an_answer_arrives_with_status_headers_and_body() -> None:
    async with scripted_server(scripted(http(201, b"pong", {"X-Thing": "1"}))) as server:
        answer = await ask(Transport(f"{server.url}/prefix"))
    assert (answer.status, answer.body, answer.headers["x-thing"]) == (201, b"pong", "1")
    assert server.received[0].path == "/prefix/ping"
    assert server.received[0].headers["user-agent"].startswith("tui-licenses/")


async def test_a_request_searches_for_no_module(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []

    class Recorder:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            searched.append(name)

    async with scripted_server(scripted(http(200, b"pong"))) as server:
        transport = Transport(server.url)
        try:
            for _ in range(2):
                searched.clear()
                with monkeypatch.context() as patch:
                    patch.setattr(sys, "meta_path", [Recorder, *sys.meta_path])
                    async with transport.stream(PING) as streamed:
                        await streamed.whole()
        finally:
            await transport.aclose()
    assert searched == []


async def test_nobody_listening_is_a_refused_connection() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = await fault(Transport(f"http://127.0.0.1:{taken.getsockname()[1]}"))
    assert (error.code, error.exit_status) == ("connection-refused", 7)


async def test_an_unknown_name_is_told_as_that() -> None:
    error = await fault(Transport("https://cloud.invalid", limits=QUICK))
    assert error.code == "name-resolution"
    assert "cloud.invalid" in error.message


async def test_an_address_without_a_way_to_it_is_unavailable() -> None:
    error = await fault(Transport("https://255.255.255.255:9"))
    assert error.code == "unavailable"


@pytest.mark.parametrize("behaviour", [Behaviour.HANG, Behaviour.TRICKLE])
async def test_a_cloud_that_never_finishes_times_out(behaviour: Behaviour) -> None:
    async with scripted_server(scripted(behaviour)) as server:
        error = await fault(Transport(server.url, limits=QUICK))
    assert error.code == "timeout"
    assert len(server.received) == 1


async def test_a_cut_connection_is_tried_again_and_then_told() -> None:
    async with scripted_server(scripted(Behaviour.CUT)) as server:
        error = await fault(Transport(server.url, persistence=EAGER))
    assert error.code == "unavailable"
    assert len(server.received) == 4


async def test_a_connection_that_was_cut_once_does_no_harm() -> None:
    async with scripted_server(scripted(Behaviour.CUT, http(200, b"pong"))) as server:
        assert (await ask(Transport(server.url))).body == b"pong"


async def test_a_server_that_speaks_no_http_is_unavailable() -> None:
    async with scripted_server(scripted(b"SSH-2.0-OpenSSH\r\n\r\n")) as server:
        assert (await fault(Transport(server.url))).code == "unavailable"


async def test_a_body_that_ends_early_is_unavailable() -> None:
    short = http(200, b"pong", {"Content-Length": "10", "Connection": "close"})
    async with scripted_server(scripted(short)) as server:
        assert (await fault(Transport(server.url))).code == "unavailable"


async def test_a_damaged_body_is_no_answer_of_a_cloud() -> None:
    damaged = http(200, b"no gzip", {"Content-Encoding": "gzip"})
    async with scripted_server(scripted(damaged)) as server:
        assert (await fault(Transport(server.url))).code == "unexpected-answer"


async def test_a_body_without_end_is_given_up() -> None:
    async with scripted_server(scripted(http(200, bytes(2000)))) as server:
        assert (await fault(Transport(server.url), 1000)).code == "unexpected-answer"


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_cloud_is_asked_again_after_the_pause_it_wants(status: int) -> None:
    busy = problem("unavailable", status, {"Retry-After": "0"})
    async with scripted_server(scripted(busy, busy, http(200, b"pong"))) as server:
        assert (await ask(Transport(server.url))).body == b"pong"
    assert len(server.received) == 3


async def test_a_cloud_that_stays_busy_is_believed_after_four_tries() -> None:
    async with scripted_server(scripted(http(503, b"", {"Retry-After": "soon"}))) as server:
        assert (await ask(Transport(server.url, persistence=EAGER))).status == 503
    assert len(server.received) == 4


async def test_a_long_pause_is_told_instead_of_waited_for() -> None:
    async with scripted_server(scripted(http(429, b"", {"Retry-After": "600"}))) as server:
        assert (await ask(Transport(server.url))).headers["retry-after"] == "600"
    assert len(server.received) == 1


async def test_a_certificate_nobody_vouches_for_is_refused_with_its_issuer(tmp_path: Path) -> None:
    authority = make_authority(tmp_path, "Evil\x1b[31m Authority")
    async with scripted_server(scripted(http(200)), authority.server) as server:
        error = await fault(Transport(server.url))
    assert (error.code, error.exit_status) == ("tls-untrusted", 7)
    assert "Authority" in error.message
    assert "\x1b" not in error.message
    assert server.received == []


async def test_a_ca_file_makes_its_servers_trusted(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    async with scripted_server(scripted(http(200, b"pong")), authority.server) as server:
        answer = await ask(Transport(server.url, ca_file=authority.ca_file))
    assert answer.body == b"pong"


async def test_a_ca_file_without_certificates_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    for ca_file in (tmp_path / "ca.pem", tmp_path / "missing.pem"):
        error = await fault(Transport("https://127.0.0.1:1", ca_file=ca_file))
        assert isinstance(error, UseError)
        assert str(ca_file) in error.message


async def test_a_server_without_tls_on_a_tls_address_is_refused() -> None:
    greeting = b"SSH-2.0-OpenSSH_9.6\r\n"
    async with scripted_server(scripted(Behaviour.CUT), greeting=greeting) as server:
        error = await fault(Transport(server.url.replace("http:", "https:")))
    assert error.code == "tls-untrusted"
    assert "issued by" not in error.message


@pytest.mark.parametrize("status", [403, 407])
async def test_a_proxy_that_refuses_is_told_without_its_password(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scripted_server(scripted(http(status))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{proxy.port}")
        error = await fault(Transport("https://cloud.example"))
    assert error.code == "proxy-refused"
    assert "secret" not in str(error)
    assert proxy.received[0].method == "CONNECT"


async def test_a_proxy_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@127.0.0.1:9")
    error = await fault(Transport("https://cloud.example"))
    assert error.code == "proxy-refused"
    assert "127.0.0.1:9" in error.message
    assert "secret" not in str(error)


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:9", "nonsense://x"])
async def test_a_proxy_setting_that_cannot_be_used_is_told(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", url)
    assert (await fault(Transport("https://cloud.example"))).code == "proxy-refused"


async def test_a_cloud_is_reached_through_a_proxy_and_its_certificate_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = make_authority(tmp_path)
    async with (
        scripted_server(scripted(http(200, b"pong")), authority.server) as server,
        tunnel(server.port) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        trusted = await ask(Transport("https://cloud.example", ca_file=authority.ca_file))
        untrusted = await fault(Transport("https://cloud.example"))
        misnamed = await fault(Transport("https://other.example", ca_file=authority.ca_file))
    assert trusted.body == b"pong"
    assert (untrusted.code, misnamed.code) == ("tls-untrusted", "tls-untrusted")
    assert "issued by" not in untrusted.message


async def test_a_host_outside_the_proxy_is_reached_directly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "cloud.invalid")
    assert (await fault(Transport("https://cloud.invalid"))).code == "name-resolution"
    async with scripted_server(scripted(http(200, b"pong"))) as server:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        assert (await ask(Transport(server.url))).body == b"pong"


async def test_an_application_in_this_process_answers_without_a_socket() -> None:
    asked: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        asked.append(scope["path"])
        await receive()
        if len(asked) > 1:
            raise RuntimeError("broken")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"pong"})

    opened: list[int] = []

    def opening() -> Any:  # noqa: ANN401 - ASGI
        opened.append(1)
        return application

    transport = Transport(application=opening)
    assert opened == []
    async with transport.stream(PING) as streamed:
        assert (await streamed.whole()).body == b"pong"
    async with transport.stream(PING) as streamed:
        assert streamed.status == 500
    await transport.aclose()
    await transport.aclose()
    assert opened == [1]
    assert asked == ["/ping", "/ping"]


async def test_an_interrupted_request_leaves_the_transport_usable() -> None:
    def responder(request: Received) -> Answer:
        return Behaviour.HANG if len(server.received) == 1 else http(200, b"pong")

    server: ScriptedServer
    async with scripted_server(responder) as server:
        transport = Transport(server.url)
        task = asyncio.create_task(transport.stream(PING).__aenter__())
        await server.asked(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await ask(transport)).body == b"pong"


def test_the_command_line_of_httpx_is_never_loaded() -> None:
    program = (
        "import sys; from tui_licenses.api.http_library import load_httpx; load_httpx();"
        "import httpx; httpx.AsyncClient; print(sorted({'rich', 'click'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
