"""The sign-in of one context: exchanges the refresh token, and renews access before it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import msgspec

from tui_licenses.api.access_token import AccessToken, SharedAccessToken
from tui_licenses.api.answers import decode
from tui_licenses.api.clock import boot_seconds
from tui_licenses.api.faults import unexpected_answer
from tui_licenses.api.schemas import BASE_PATH
from tui_licenses.api.transport import Answer, Request, StreamedAnswer, Transport
from tui_licenses.api.trust_schemas import TokenAnswer, TokenRequest
from tui_licenses.credentials import Credentials
from tui_licenses.secret import Secret

# 60 s: a token must not end between its use here and its check there.
_RENEW_BEFORE_END_SECONDS = 60
_UNAUTHORISED = 401


class Session:
    """Sends requests with a valid access token; concurrent callers share one exchange."""

    def __init__(
        self,
        transport: Transport,
        credentials: Callable[[], Awaitable[Credentials]],
        shared: SharedAccessToken | None = None,
        clock: Callable[[], float] = boot_seconds,
    ) -> None:
        """Prepare a session; `credentials` are asked for when a token has to be exchanged.

        With a `shared` token, programs share one exchange as well.
        """
        self._transport = transport
        self._credentials = credentials
        self._shared = shared
        self._clock = clock
        self._exchanging = asyncio.Lock()
        self._token: AccessToken | None = None

    async def send(self, request: Request) -> Answer:
        """Send a request and return the whole answer, whatever its status."""
        async with self.stream(request) as streamed:
            return await streamed.whole()

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[StreamedAnswer]:
        """Send a request and give its answer while the body still arrives.

        A token that the cloud refuses is renewed once, and the request sent once more. Raises
        `SignInError` (`invalid-refresh-token`, `token-missing`, `passphrase-needed`) and what
        `Transport.stream` raises.
        """
        refused: AccessToken | None = None
        async with AsyncExitStack() as stack:
            for is_last in (False, True):
                token = await self._access_token(refused)
                authorised = replace(
                    request,
                    headers={**request.headers, "Authorization": f"Bearer {token.text.reveal()}"},
                )
                streamed = await stack.enter_async_context(self._transport.stream(authorised))
                if streamed.status != _UNAUTHORISED or is_last:
                    break
                refused = token
                await stack.aclose()
            yield streamed

    async def _access_token(self, refused: AccessToken | None) -> AccessToken:
        async with self._exchanging:
            if self._token is None or not self._is_usable(self._token, refused):
                self._token = await self._renewed(refused)
            return self._token

    def _is_usable(self, token: AccessToken, refused: AccessToken | None) -> bool:
        return token.is_good(self._clock()) and (refused is None or token.text != refused.text)

    async def _renewed(self, refused: AccessToken | None) -> AccessToken:
        shared = self._shared
        if shared is None:
            return await self._exchange()
        found = await shared.read()
        if found is not None and self._is_usable(found, refused):
            return found
        async with shared.locked():
            # Whoever held the lock may have exchanged for us.
            found = await shared.read()
            if found is not None and self._is_usable(found, refused):
                return found
            mark = await shared.mark()
            token = await self._exchange()
            shared.keep(token, mark)
            return token

    async def _exchange(self) -> AccessToken:
        credentials = await self._credentials()
        body = TokenRequest(
            subject_type="Application",
            subject_id=credentials.subject_id,
            grant_type="refreshToken",
            refresh_token=credentials.refresh_token.reveal(),
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
        return AccessToken(Secret(token.access_token), started, started + lifetime - margin)
