"""HTTP to a license cloud: TLS, proxies, time limits, retries; every fault becomes an error.

The embedded cloud is reached through an ASGI transport: no socket, no second process.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_licenses import __version__
from tui_licenses.api.faults import Endpoint, ca_file_refused, fault_for, proxy_unusable
from tui_licenses.api.http_library import load_httpx
from tui_licenses.errors import UnavailableError

if TYPE_CHECKING:
    import ssl

    import httpx

# Nothing listens there: httpx wants a host name even where an application answers directly.
EMBEDDED_BASE_URL = "http://embedded.invalid"

_ATTEMPTS_MAXIMUM = 3
_BACKOFF_SECONDS = 0.2
# A cloud that asks for a longer pause is reported instead of waited for.
_RETRY_AFTER_SECONDS_MAXIMUM = 5
_BUSY = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long a cloud may take, in seconds; `whole` bounds an answer that trickles in."""

    # 5 s: an air-gapped host must fail before its user gives up.
    connect: float = 5.0
    read: float = 30.0
    write: float = 30.0
    whole: float = 180.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request that does no more when it is sent twice than when it is sent once.

    All requests are such: they read, or they carry an Idempotency-Key.
    """

    method: str
    path: str
    query: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete answer; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """An answer whose body arrives in chunks; reading them raises `UnavailableError`."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]

    async def whole(self, bytes_maximum: int = 64 * 1024 * 1024) -> Answer:
        """Read the body; raises `UnavailableError` (`unexpected-answer`) beyond the maximum."""
        body = bytearray()
        async for chunk in self.chunks:
            body += chunk
            if len(body) > bytes_maximum:
                raise UnavailableError(
                    "unexpected-answer",
                    "The license cloud answered far more than was asked for.",
                    "Check the address of the license cloud.",
                )
        return Answer(self.status, self.headers, bytes(body))


class Transport:
    """Sends requests to one license cloud; opens nothing before the first one."""

    def __init__(
        self,
        base_url: str = EMBEDDED_BASE_URL,
        *,
        ca_file: Path | None = None,
        application: Callable[[], Any] | None = None,
        limits: TimeLimits | None = None,
    ) -> None:
        """Prepare for a cloud at `base_url`, or for an ASGI `application` made on first use.

        `application` may block while it opens the cloud: it is called in a thread.
        """
        self._endpoint = Endpoint.of(base_url)
        self._ca_file = ca_file
        self._application = application
        self._limits = limits or TimeLimits()
        self._opening = asyncio.Lock()
        self._client: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[StreamedAnswer]:
        """Send a request and give its answer while the body still arrives.

        Raises `UnavailableError`: `timeout`, `name-resolution`, `connection-refused`,
        `tls-untrusted`, `proxy-refused`, `unavailable`, `unexpected-answer`.
        """
        client = await self._opened()
        try:
            async with asyncio.timeout(self._limits.whole):
                response = await self._answer(client, request)
                try:
                    headers = {name.lower(): value for name, value in response.headers.items()}
                    yield StreamedAnswer(response.status_code, headers, self._chunks(response))
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise self._endpoint.timed_out() from error

    async def aclose(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _opened(self) -> httpx.AsyncClient:
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(self._make_client)
            return self._client

    def _make_client(self) -> httpx.AsyncClient:
        import sys

        load_httpx()
        import httpx

        # httpcore looks for sniffio at every lock it makes; to search the whole path for what is
        # not installed, again and again, takes longer than the request.
        sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
        limits = self._limits
        timeout = httpx.Timeout(limits.read, connect=limits.connect, write=limits.write, pool=None)
        base_url = f"{self._endpoint.base_url}/"
        headers = {"User-Agent": f"tui-licenses/{__version__}", "Accept": "application/json"}
        if self._application is not None:
            # Given a transport, httpx reads no CA bundle; compressing for ourselves is waste.
            direct = httpx.ASGITransport(self._application(), raise_app_exceptions=False)
            headers["Accept-Encoding"] = "identity"
            return httpx.AsyncClient(
                transport=direct, base_url=base_url, timeout=timeout, headers=headers
            )
        try:
            return httpx.AsyncClient(
                base_url=base_url,
                timeout=timeout,
                headers=headers,
                verify=self._tls_context(),
                trust_env=not self._endpoint.is_loopback,
            )
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise proxy_unusable(error) from error

    def _tls_context(self) -> ssl.SSLContext:
        import ssl

        if not self._endpoint.is_tls:
            # Trusts nobody: never used, and quicker to make than one that reads a bundle.
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self._ca_file is not None:
            try:
                return ssl.create_default_context(cafile=str(self._ca_file))
            except (OSError, ssl.SSLError) as error:
                raise ca_file_refused(self._ca_file, error) from error
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def _answer(self, client: httpx.AsyncClient, request: Request) -> httpx.Response:
        import httpx

        for attempt in range(1, _ATTEMPTS_MAXIMUM + 1):
            is_last = attempt == _ATTEMPTS_MAXIMUM
            pause: float | None = _BACKOFF_SECONDS * 2**attempt * random.uniform(0.5, 1)  # noqa: S311
            try:
                response = await client.send(
                    client.build_request(
                        request.method,
                        # Whole: httpx parses a URL three times that it has to join.
                        f"{self._endpoint.base_url}/{request.path.lstrip('/')}",
                        params=request.query or None,
                        headers=request.headers,
                        content=request.body,
                    ),
                    stream=True,
                )
            except httpx.HTTPError as error:
                fault, is_passing = await fault_for(error, self._endpoint)
                if is_last or not is_passing:
                    raise fault from error
            else:
                asked = retry_after_seconds(response.headers)
                if asked is not None:
                    pause = asked if asked <= _RETRY_AFTER_SECONDS_MAXIMUM else None
                if response.status_code not in _BUSY or is_last or pause is None:
                    return response
                await response.aclose()
            await asyncio.sleep(pause or 0)
        raise AssertionError("the last attempt returns or raises")  # pragma: no cover

    async def _chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        import httpx

        try:
            async for chunk in response.aiter_bytes():
                yield chunk
        except httpx.HTTPError as error:
            raise (await fault_for(error, self._endpoint))[0] from error


def retry_after_seconds(headers: Mapping[str, str]) -> int | None:
    """Return how long a cloud asks to wait; None where it does not say so in seconds."""
    value = headers.get("retry-after", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
