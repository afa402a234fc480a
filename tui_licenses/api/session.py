"""The sign-in of one context: exchanges the refresh token, and renews access before it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

import msgspec

from tui_licenses.api.answers import decode
from tui_licenses.api.faults import unexpected_answer
from tui_licenses.api.schemas import BASE_PATH, TokenAnswer, TokenRequest
from tui_licenses.api.transport import Answer, Request, StreamedAnswer, Transport
from tui_licenses.config import Credentials

# 60 s: a token must not end between its use here and its check there.
_RENEW_BEFORE_END_SECONDS = 60
_UNAUTHORISED = 401


@dataclass(frozen=True, slots=True)
class _AccessToken:
    text: str = field(repr=False)
    renew_at: float


class Session:
    """Sends requests with a valid access token; concurrent callers share one exchange."""

    def __init__(
        self,
        transport: Transport,
        credentials: Callable[[], Awaitable[Credentials]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a session; `credentials` are asked for when a token is needed."""
        self._transport = transport
        self._credentials = credentials
        self._clock = clock
        self._exchanging = asyncio.Lock()
        self._token: _AccessToken | None = None

    async def send(self, request: Request) -> Answer:
        """Send a request and return the whole answer, whatever its status."""
        async with self.stream(request) as streamed:
            return await streamed.whole()

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[StreamedAnswer]:
        """Send a request and give its answer while the body still arrives.

        A token that the cloud refuses is exchanged once more. Raises `SignInError`
        (`invalid-refresh-token`, `token-missing`) and what `Transport.stream` raises.
        """
        async with AsyncExitStack() as stack:
            for is_last in (False, True):
                token = await self._access_token()
                authorised = replace(
                    request,
                    headers={**request.headers, "Authorization": f"Bearer {token.text}"},
                )
                streamed = await stack.enter_async_context(self._transport.stream(authorised))
                if streamed.status != _UNAUTHORISED or is_last:
                    break
                if self._token is token:
                    self._token = None
                await stack.aclose()
            yield streamed

    async def _access_token(self) -> _AccessToken:
        async with self._exchanging:
            if self._token is None or self._clock() >= self._token.renew_at:
                self._token = await self._exchange()
            return self._token

    async def _exchange(self) -> _AccessToken:
        credentials = await self._credentials()
        body = TokenRequest(
            subject_type="Application",
            subject_id=credentials.subject_id,
            grant_type="refreshToken",
            refresh_token=credentials.refresh_token,
        )
        request = Request(
            "POST",
            f"{BASE_PATH}/authorization/token",
            headers={"Content-Type": "application/json"},
            body=msgspec.json.encode(body),
        )
        started = self._clock()
        async with self._transport.stream(request) as streamed:
            token = decode(await streamed.whole(), TokenAnswer)
        if not (token.access_token.isascii() and token.access_token.isprintable()):
            raise unexpected_answer("The license cloud answered with an access token that is none.")
        lifetime = max(0, token.expires_in)
        margin = min(_RENEW_BEFORE_END_SECONDS, lifetime / 2)
        return _AccessToken(token.access_token, started + lifetime - margin)
