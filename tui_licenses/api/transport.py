"""HTTP to a license cloud: limits of time and size, retries; every fault becomes an error.

The embedded cloud is reached through an ASGI transport: no socket, no second process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tui_licenses.api.bodies import unpacked
from tui_licenses.api.clock import ServerClock
from tui_licenses.api.faults import Endpoint, fault_for, unexpected_answer
from tui_licenses.api.retries import NOT_BEGUN_STATUSES, RETRIED_STATUSES, Persistence, Tries

if TYPE_CHECKING:
    import httpx

# Nothing listens there: httpx wants a host name even where an application answers directly.
EMBEDDED_BASE_URL = "http://embedded.invalid"
IDEMPOTENCY_KEY = "Idempotency-Key"

# Far above what a single object takes; whoever asks for more says so.
OBJECT_BYTES_MAXIMUM = 4 * 1024 * 1024

_SAFE_METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long one try may take, in seconds; `whole` bounds an answer that trickles in.

    A download is given time for its size on top of that, at the rate of the slowest line that is
    still of use: 9600 baud are 960 bytes a second.
    """

    # 5 s: an air-gapped host must fail before its user gives up.
    connect: float = 5.0
    read: float = 10.0
    write: float = 10.0
    whole: float = 30.0
    download_bytes_per_second: float = 1000.0


@dataclass(slots=True)
class Delivery:
    """How far the tries of one request came; what is not known to have failed may be done.

    `is_sent`: the last try may have reached the cloud and has no answer yet. `was_lost`: an
    earlier one did, and its answer never came.
    """

    is_sent: bool = False
    was_lost: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request; sent again only where it then does no more than once (`is_repeatable`).

    `answer_bytes_maximum` is for `StreamedAnswer.whole`. A download may take as long as its size
    needs. `what` is what a user calls a change, for the time that its outcome is not known.
    """

    method: str
    path: str
    query: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    answer_bytes_maximum: int = OBJECT_BYTES_MAXIMUM
    is_download: bool = False
    what: str = ""
    delivery: Delivery = field(default_factory=Delivery, compare=False)

    @property
    def is_repeatable(self) -> bool:
        """Say whether it only asks, or names the change that it stands for."""
        return self.method in _SAFE_METHODS or IDEMPOTENCY_KEY in self.headers


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
    bytes_maximum: int = OBJECT_BYTES_MAXIMUM

    async def whole(self, bytes_maximum: int | None = None) -> Answer:
        """Read the body; raises `UnavailableError` (`unexpected-answer`) beyond the maximum."""
        most = self.bytes_maximum if bytes_maximum is None else bytes_maximum
        body = bytearray()
        async for chunk in self.chunks:
            if len(body) + len(chunk) > most:
                raise unexpected_answer("The license cloud answered far more than was asked for.")
            body += chunk
        return Answer(self.status, self.headers, bytes(body))


class Sends(Protocol):
    """What sends a request and gives its whole answer: a session, or what stands before it."""

    async def send(self, request: Request) -> Answer:
        """Send a request and return the whole answer, whatever its status."""


class Transport:
    """Sends requests to one license cloud; opens nothing before the first one."""

    def __init__(
        self,
        base_url: str = EMBEDDED_BASE_URL,
        *,
        ca_file: Path | None = None,
        application: Callable[[], Any] | None = None,
        limits: TimeLimits | None = None,
        persistence: Persistence | None = None,
    ) -> None:
        """Prepare for a cloud at `base_url`, or for an ASGI `application` made on first use.

        `application` may block while it opens the cloud: it is called in a thread.
        """
        self.clock = ServerClock()
        self._endpoint = Endpoint.of(base_url)
        self._ca_file = ca_file
        self._application = application
        self._limits = limits or TimeLimits()
        self._persistence = persistence or Persistence()
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
            async with asyncio.timeout(None) as deadline:
                response = await self._answer(client, request, deadline)
                try:
                    headers = {name.lower(): value for name, value in response.headers.items()}
                    self.clock.observe(headers.get("date"))
                    yield StreamedAnswer(
                        response.status_code,
                        headers,
                        self._chunks(response, request, deadline),
                        request.answer_bytes_maximum,
                    )
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
        from tui_licenses.api.connections import make_client

        return make_client(
            self._endpoint, self._limits, ca_file=self._ca_file, application=self._application
        )

    async def _answer(
        self, client: httpx.AsyncClient, request: Request, deadline: asyncio.Timeout
    ) -> httpx.Response:
        import httpx

        tries = Tries(self._persistence)
        delivery = request.delivery
        while True:
            seconds = min(self._limits.whole, tries.seconds_left())
            deadline.reschedule(asyncio.get_running_loop().time() + seconds)
            delivery.is_sent = True
            try:
                response = await client.send(self._built(client, request), stream=True)
            except httpx.HTTPError as error:
                fault = await fault_for(error, self._endpoint)
                delivery.is_sent = fault.was_sent
                may_repeat = fault.is_passing and (request.is_repeatable or not fault.was_sent)
                pause = tries.pause() if may_repeat else None
                if pause is None:
                    raise fault.error from error
            else:
                delivery.is_sent = response.status_code not in NOT_BEGUN_STATUSES
                may_repeat = response.status_code in RETRIED_STATUSES and request.is_repeatable
                pause = tries.pause(response.headers) if may_repeat else None
                if pause is None:
                    return response
                await response.aclose()
            delivery.was_lost = delivery.was_lost or delivery.is_sent
            deadline.reschedule(None)
            await asyncio.sleep(pause)

    def _built(self, client: httpx.AsyncClient, request: Request) -> httpx.Request:
        return client.build_request(
            request.method,
            # Whole: httpx parses a URL three times that it has to join.
            f"{self._endpoint.base_url}/{request.path.lstrip('/')}",
            params=request.query or None,
            headers=request.headers,
            content=request.body,
        )

    async def _chunks(
        self, response: httpx.Response, request: Request, deadline: asyncio.Timeout
    ) -> AsyncIterator[bytes]:
        import httpx

        raw = response.aiter_raw()
        if request.is_download:
            raw = self._given_time(raw, deadline)
        try:
            encoding = response.headers.get("content-encoding", "")
            async for chunk in unpacked(raw, encoding):
                yield chunk
        except httpx.HTTPError as error:
            raise (await fault_for(error, self._endpoint)).error from error

    async def _given_time(
        self, chunks: AsyncIterator[bytes], deadline: asyncio.Timeout
    ) -> AsyncIterator[bytes]:
        """Put a deadline off by what has arrived, at the least rate that is put up with."""
        ends = deadline.when() or asyncio.get_running_loop().time()
        async for chunk in chunks:
            ends += len(chunk) / self._limits.download_bytes_per_second
            deadline.reschedule(ends)
            yield chunk
