"""N2: certificates and protocols, each taken or refused as the list says, before a byte is sent."""

from __future__ import annotations

import asyncio
import os
import ssl
import warnings
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx

from tests.support.scripted_server import Received, http, scripted_server
from tests.support.tls import Issuer
from tests.trust.harness import Broken, Run, TrustClass
from tui_licenses.api.retries import Persistence
from tui_licenses.api.transport import Request, Transport
from tui_licenses.errors import TuiLicensesError, UnavailableError

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class _Case:
    """A server, the CA file given for it (None: the system's store), and whether it is taken."""

    name: str
    server: ssl.SSLContext | None
    ca_file: Path | None
    is_taken: bool = False


_Ask = Callable[[str, Path | None], Awaitable[None]]


def _cases(folder: Path) -> Iterator[_Case]:
    ours, other = Issuer(folder), Issuer(folder, "Other Authority")
    namesake = Issuer(folder, "Example Authority")
    leaf_that_issues = Issuer(folder, "No Authority", is_authority=False)
    yield _Case("good", ours.issue(), ours.ca_file, is_taken=True)
    yield _Case("good, TLS 1.2", _only(ours.issue(), "TLSv1_2"), ours.ca_file, is_taken=True)
    yield _Case("good, TLS 1.3", _only(ours.issue(), "TLSv1_3"), ours.ca_file, is_taken=True)
    both = folder / "both.pem"
    both.write_bytes(other.ca_file.read_bytes() + ours.ca_file.read_bytes())
    yield _Case("one of two authorities", ours.issue(), both, is_taken=True)
    yield _Case("an authority the system does not know", ours.issue(), None)
    yield _Case("another authority", other.issue(), ours.ca_file)
    yield _Case("an authority of the same name", namesake.issue(), ours.ca_file)
    yield _Case("an issuer that is no authority", leaf_that_issues.issue(), ours.ca_file)
    yield _Case("such an issuer, given", leaf_that_issues.issue(), leaf_that_issues.ca_file)
    yield _Case("expired", ours.issue(starts=-2 * _DAY, ends=-_DAY), ours.ca_file)
    yield _Case("not yet valid", ours.issue(starts=_DAY, ends=2 * _DAY), ours.ca_file)
    yield _Case("another name", ours.issue(["evil.example"]), ours.ca_file)
    yield _Case("another address", ours.issue(["127.0.0.2"]), ours.ca_file)
    yield _Case("the address in a wildcard", ours.issue(["*.0.0.1"]), ours.ca_file)
    yield _Case("no alternative name", ours.issue([]), ours.ca_file)
    yield _Case("for clients only", ours.issue(is_for_clients=True), ours.ca_file)
    yield _Case("TLS 1.1", _only(ours.issue(), "TLSv1_1"), ours.ca_file)
    yield _Case("TLS 1.0", _only(ours.issue(), "TLSv1"), ours.ca_file)
    anonymous = ours.issue()
    anonymous.set_ciphers("aNULL:@SECLEVEL=0")
    yield _Case("no certificate at all", _only(anonymous, "TLSv1_2"), ours.ca_file)
    yield _Case("no TLS", None, ours.ca_file)


def _only(context: ssl.SSLContext, version: str) -> ssl.SSLContext:
    with warnings.catch_warnings():
        # That these are old is the point.
        warnings.simplefilter("ignore", DeprecationWarning)
        if version in {"TLSv1", "TLSv1_1"}:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    return context


async def _try_all(run: Run, ask: _Ask) -> None:
    session_keys = run.folder / "session-keys"
    os.environ["SSLKEYLOGFILE"] = str(session_keys)
    for case in _cases(run.folder):
        await _try(run, ask, case)
    run.expect(not session_keys.exists(), Broken.OTHER, "session keys were written to a file")
    os.environ.pop("SSLKEYLOGFILE")


async def _try(run: Run, ask: _Ask, case: _Case) -> None:
    asked: list[Received] = []

    def answer(request: Received) -> bytes:
        asked.append(request)
        return http(200, {"secret": "taken"})

    refused: Exception | None = None
    greeting = b"" if case.server else b"HTTP/1.1 400 Speak plainly\r\n\r\n"
    async with scripted_server(answer, case.server, greeting) as server:
        with run.case(case.name):
            try:
                await ask(server.url.replace("http:", "https:"), case.ca_file)
            except (TuiLicensesError, httpx.HTTPError) as error:
                refused = error
    run.disturb(not case.is_taken)
    run.expect(bool(asked) is case.is_taken, Broken.OTHER, f"{case.name}: asked {len(asked)} times")
    run.expect((refused is None) is case.is_taken, Broken.OTHER, f"{case.name}: {refused}")
    if isinstance(refused, UnavailableError):
        run.expect(refused.code == "tls-untrusted", Broken.OTHER, f"{case.name}: {refused.code}")


async def _ask(url: str, ca_file: Path | None) -> None:
    transport = Transport(url, ca_file=ca_file, persistence=Persistence(base=0))
    try:
        async with transport.stream(Request("GET", "/ping")) as streamed:
            await streamed.whole()
    finally:
        await transport.aclose()


async def _ask_naively(url: str, _ca_file: Path | None) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        await client.get(f"{url}/ping")


def _run(run: Run) -> None:
    asyncio.run(_try_all(run, _ask))


def _control(run: Run) -> None:
    asyncio.run(_try_all(run, _ask_naively))


CLASS = TrustClass("N2", "certificates and versions of TLS", 16, _run, _control)
