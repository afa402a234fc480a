"""N1: addresses that mean another host to another reader, and answers that send elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx

from tests.support.scripted_server import Received, http, scripted_server
from tests.trust.harness import Broken, Run, TrustClass
from tui_licenses.addresses import check_url
from tui_licenses.api.retries import Persistence
from tui_licenses.api.transport import Request, Transport
from tui_licenses.errors import TuiLicensesError, UseError

_SECRET = "Bearer secret-of-the-sign-in"
_REFUSED = (
    # Plain http to somebody else, however it is written.
    "http://cloud.example",
    "http://localhost",
    "http://localhost:8080",
    "http://LOCALHOST",
    "http://localhost.",
    "http://localhost.localdomain",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.1.nip.io",
    "http://127-0-0-1.evil.example",
    "http://0.0.0.0",
    "http://[::]",
    "http://10.0.0.1",
    "http://169.254.169.254",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://[fe80::1]",
    "HTTP://cloud.example",
    # Numbers that some take for 127.0.0.1.
    "http://127.1",
    "http://127.0.1",
    "http://2130706433",
    "http://0x7f000001",
    "http://0x7f.0.0.1",
    "http://0177.0.0.1",
    "http://127.0.0.01",
    "http://127.0.0.256",
    # Letters and dots that some turn into ASCII.
    "http://１２７.0.0.1",
    "http://127。0。0。1",
    "http://١٢٧.0.0.1",
    "http://①②⑦.0.0.1",
    "https://cloud．example",
    "https://clou\u00add.example",
    "https://cl\u043eud.example",
    # User names, zones, ports and escapes.
    "http://127.0.0.1@evil.example",
    "http://127.0.0.1:80@evil.example",
    "https://user:secret@cloud.example",
    "https://cloud.example%2eevil.example",
    "https://cloud.example%00.evil.example",
    "http://[::1%25lo]",
    "http://[fe80::1%eth0]",
    "http://127.0.0.1:٨٠",
    "https://cloud.example:+443",
    "https://cloud.example:0",
    "https://cloud.example:65536",
    "https://cloud.example:443:443",
    # What ends a host for one reader and not for the other.
    "http://127.0.0.1\\@evil.example",
    "https://cloud.example\\.evil.example",
    "https:\\\\cloud.example",
    "https:cloud.example",
    "https:///cloud.example",
    "//cloud.example",
    "https://cloud.example#@evil.example",
    "https://cloud.example?@evil.example",
    "https://cloud.example/../../evil",
    "https://cloud.example;evil.example",
    # White space and control characters.
    "https://cloud.example\r\nHost: evil.example",
    "https://cloud\t.example",
    "https://cloud.example\x00.evil.example",
    "ht\ttps://cloud.example",
    "https:// cloud.example",
    # Other schemes.
    "file:///etc/passwd",
    "ftp://127.0.0.1",
    "javascript://127.0.0.1",
    "https",
)
_TAKEN = ("https://cloud.example", "http://127.0.0.1:8080", "http://[::1]:8080", "http://127.8.8.8")
_REDIRECTS = (301, 302, 303, 307, 308)

_Ask = Callable[[str], Awaitable[None]]


def _addresses(run: Run, take: Callable[[str], object]) -> None:
    for url in _REFUSED:
        with run.case(f"address {url!a}", UseError, ValueError):
            taken = take(url)
            run.report(Broken.OTHER, f"{url!a} was taken for {taken!a}")
        run.disturb()
    for url in _TAKEN:
        with run.case(f"address {url!a}"):
            host = urlsplit(str(take(url))).hostname
            run.expect(httpx.URL(url).host == host, Broken.OTHER, f"two hosts in {url!a}")


async def _redirects(run: Run, ask: _Ask) -> None:
    stolen: list[Received] = []

    def thief(request: Received) -> bytes:
        stolen.append(request)
        return http(200, {"taken": True})

    async with scripted_server(thief) as other:
        for status in _REDIRECTS:
            for place in (f"{other.url}/there", f"//127.0.0.1:{other.port}/there", "/elsewhere"):
                await _redirect(run, ask, status, place)
    for request in stolen:
        run.report(Broken.OTHER, f"a request followed to {request.path}")


async def _redirect(run: Run, ask: _Ask, status: int, place: str) -> None:
    def send_away(request: Received) -> bytes:
        if request.path == "/elsewhere":
            run.report(Broken.OTHER, f"{status} to {place} was followed")
        return http(status, b"", {"Location": place})

    async with scripted_server(send_away) as server:
        with run.case(f"{status} to {place}", TuiLicensesError, httpx.HTTPError):
            await ask(server.url)
        run.disturb(len(server.received) > 0)


async def _ask(url: str) -> None:
    transport = Transport(url, persistence=Persistence(base=0))
    try:
        request = Request("GET", "/ping", headers={"Authorization": _SECRET})
        async with transport.stream(request) as streamed:
            await streamed.whole()
    finally:
        await transport.aclose()


async def _ask_naively(url: str) -> None:
    async with httpx.AsyncClient(follow_redirects=True, max_redirects=2) as client:
        await client.get(f"{url}/ping", headers={"X-Token": _SECRET})


def _take_naively(url: str) -> str:
    parts = urlsplit(url.strip())
    host = parts.hostname or ""
    if parts.scheme != "https" and not host.startswith(("127.", "localhost", "::1")):
        raise ValueError(url)
    return url


def _run(run: Run) -> None:
    _addresses(run, check_url)
    asyncio.run(_redirects(run, _ask))


def _control(run: Run) -> None:
    _addresses(run, _take_naively)
    asyncio.run(_redirects(run, _ask_naively))


CLASS = TrustClass("N1", "addresses with two readings, and redirects", 60, _run, _control)
