"""Faults on the way to a license cloud, as errors that name their real cause.

A fault of the network is an `UnavailableError` and never looks like a refused key or sign-in.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui_licenses.addresses import is_loopback
from tui_licenses.errors import UnavailableError, UseError
from tui_licenses.text import clean, shorten

if TYPE_CHECKING:
    import httpx

_ISSUER_WIDTH_CELLS = 120
_ISSUER_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a license cloud is: what error messages need to know of its address."""

    base_url: str
    host: str
    port: int
    is_tls: bool
    is_loopback: bool

    @classmethod
    def of(cls, base_url: str) -> Endpoint:
        """Return the endpoint of a checked address (`addresses.check_url`)."""
        parts = urlsplit(base_url)
        host = parts.hostname or ""
        is_tls = parts.scheme == "https"
        port = parts.port or (443 if is_tls else 80)
        return cls(base_url.rstrip("/"), host, port, is_tls, is_loopback(host))

    def timed_out(self) -> UnavailableError:
        """Return the error for a cloud that does not answer in time."""
        return UnavailableError(
            "timeout",
            f"{self.host} did not answer in time.",
            "Check the network and whether a proxy is needed (HTTPS_PROXY), then try again.",
        )

    def proxy_url(self) -> str | None:
        """Return the proxy that the environment asks for, with its password, or None."""
        if self.is_loopback or urllib.request.proxy_bypass(self.host):
            return None
        proxies = urllib.request.getproxies()
        url = proxies.get("https" if self.is_tls else "http") or proxies.get("all")
        if not url:
            return None
        return url if "://" in url else f"http://{url}"

    def proxy(self) -> str | None:
        """Return host and port of that proxy, or None."""
        url = self.proxy_url()
        # What stands before the @ is a password.
        return None if url is None else clean(urlsplit(url).netloc.rpartition("@")[2])


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong with one try.

    `is_passing` says that it may be over a moment later, `was_sent` that the cloud may have got
    the request all the same.
    """

    error: UnavailableError
    is_passing: bool
    was_sent: bool


async def fault_for(error: httpx.HTTPError, endpoint: Endpoint) -> Fault:
    """Return what a failure of httpx stands for."""
    import httpx

    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return Fault(endpoint.timed_out(), is_passing=False, was_sent=False)
    if isinstance(error, httpx.TimeoutException):
        return Fault(endpoint.timed_out(), is_passing=False, was_sent=True)
    if isinstance(error, httpx.ProxyError):
        refused = _proxy_refused(endpoint, str(error))
        return Fault(refused, is_passing=False, was_sent=False)
    if isinstance(error, httpx.ConnectError):
        return await _connect_fault(error, endpoint)
    cut = UnavailableError(
        "unavailable",
        f"The connection to {endpoint.host} was cut, or something there speaks no HTTP.",
        "Try again; if it stays, check the address and what lies between.",
    )
    was_sent = not isinstance(error, httpx.LocalProtocolError)
    return Fault(cut, is_passing=not _is_malformed(error), was_sent=was_sent)


def _is_malformed(error: httpx.HTTPError) -> bool:
    """Say whether something did answer, but not as HTTP does: h11 tells, and is the cause."""
    return any(type(cause).__module__.partition(".")[0] == "h11" for cause in _causes(error))


def unexpected_answer(message: str) -> UnavailableError:
    """Return the error for an answer that no license cloud gives."""
    return UnavailableError(
        "unexpected-answer",
        message,
        "Check the address of the license cloud and whether a proxy or portal answers instead.",
    )


def proxy_unusable(error: Exception) -> UnavailableError:
    """Return the error for a proxy setting that cannot be used."""
    return UnavailableError(
        "proxy-refused",
        f"The proxy that the environment names cannot be used: {clean(str(error))}",
        "Correct HTTPS_PROXY or ALL_PROXY (http:// and https:// proxies work), or set NO_PROXY.",
    )


def ca_file_refused(ca_file: Path, error: OSError) -> UseError:
    """Return the error for a CA file that holds no certificates."""
    return UseError(
        "ca-file-invalid",
        f"The CA file {ca_file} cannot be used: {clean(error.strerror or str(error))}.",
        "Give a PEM file with the certificates of your certificate authority.",
    )


async def _connect_fault(error: httpx.ConnectError, endpoint: Endpoint) -> Fault:
    """Return why there is no connection; what was never sent cannot have been done."""
    causes = tuple(_causes(error))
    proxy = endpoint.proxy()
    is_passing = False
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return Fault(await _tls_fault(cause, endpoint, proxy), is_passing, was_sent=False)
    if proxy is not None:
        told = _proxy_refused(endpoint, f"{proxy} cannot be reached")
    elif any(isinstance(cause, socket.gaierror) for cause in causes):
        told = UnavailableError(
            "name-resolution",
            f"The name {endpoint.host} is not known here.",
            "Check the address and this host's name servers, "
            "or set HTTPS_PROXY where a proxy resolves names.",
        )
    elif any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        is_passing = True
        told = UnavailableError(
            "connection-refused",
            f"Nothing answers on {endpoint.host} port {endpoint.port}.",
            "Check the address and that the license cloud is running.",
        )
    else:
        is_passing = True
        told = UnavailableError(
            "unavailable",
            f"{endpoint.host} cannot be reached.",
            "Check the network, the address and any firewall between.",
        )
    return Fault(told, is_passing, was_sent=False)


async def _tls_fault(
    cause: ssl.SSLError, endpoint: Endpoint, proxy: str | None
) -> UnavailableError:
    if not isinstance(cause, ssl.SSLCertVerificationError):
        return UnavailableError(
            "tls-untrusted",
            f"No protected connection to {endpoint.host} port {endpoint.port} could be made.",
            "Check that the address is one of a license cloud and speaks TLS 1.2 or newer.",
        )
    issuer = None
    if proxy is None:
        issuer = await asyncio.to_thread(_issuer_of, endpoint.host, endpoint.port)
    issued = f", issued by {issuer}," if issuer else ""
    return UnavailableError(
        "tls-untrusted",
        f"The certificate of {endpoint.host}{issued} is not trusted: "
        f"{clean(cause.verify_message)}.",
        "If that is your company's authority, install it in the system's store "
        "or name its file as `ca_file` (TUI_LICENSES_CA_FILE).",
    )


def _issuer_of(host: str, port: int) -> str | None:
    """Return the issuer a server's certificate names: looked at, trusted for nothing."""
    from cryptography import x509

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=_ISSUER_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as protected,
        ):
            data = protected.getpeercert(binary_form=True)
        issuer = x509.load_der_x509_certificate(data or b"").issuer.rfc4514_string()
    except (OSError, ValueError):
        return None
    return shorten(clean(issuer), _ISSUER_WIDTH_CELLS)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error and all it came from, through causes, contexts and groups."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions


def _proxy_refused(endpoint: Endpoint, reason: str) -> UnavailableError:
    return UnavailableError(
        "proxy-refused",
        f"The proxy on the way to {endpoint.host} refused: {clean(reason)}.",
        "Check HTTPS_PROXY and its sign-in, or add the host to NO_PROXY.",
    )
