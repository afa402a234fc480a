"""A cloud inside this process to sign in to: with its clock, its store, and callers' addresses."""

# ruff: noqa: ANN401 - the driver hands arguments on to httpx
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from starlette.applications import Starlette

from tests.cloud.lab import BASE, CALLERS, Clock
from tests.trust.clouds import SeededCloud
from tui_licenses.cloud.administration import NewToken
from tui_licenses.cloud.app import create_app
from tui_licenses.cloud.http.resource import Throttles
from tui_licenses.cloud.store import Store, open_store


@dataclass(frozen=True)
class SignInSite:
    """One open cloud; callers are those of `lab.CALLERS`."""

    cloud: SeededCloud
    store: Store
    clock: Clock
    app: Starlette

    def token(self, who: str) -> NewToken:
        """Return the sign-in of a caller."""
        return self.cloud.tokens[CALLERS[who]]

    @asynccontextmanager
    async def client(self, address: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
        """Give a client that calls from an address."""
        transport = httpx.ASGITransport(app=self.app, client=(address, 1))
        base_url = f"http://cloud.test{BASE}"
        async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
            yield client


@contextmanager
def open_site(cloud: SeededCloud, throttles: Throttles | None = None) -> Iterator[SignInSite]:
    """Open a seeded database with a clock that stands still."""
    clock = Clock()
    store = open_store(cloud.database, clock)
    try:
        yield SignInSite(cloud, store, clock, create_app(store, throttles=throttles))
    finally:
        store.close()


async def exchange(
    client: httpx.AsyncClient, subject_id: str, refresh_token: str
) -> httpx.Response:
    """Exchange a refresh token."""
    body = {
        "subjectType": "Application",
        "subjectId": subject_id,
        "grantType": "refreshToken",
        "refreshToken": refresh_token,
    }
    return await client.post("/authorization/token", json=body)


async def access_token(client: httpx.AsyncClient, token: NewToken) -> str:
    """Sign in."""
    answer = await exchange(client, token.subject_id, token.refresh_token)
    return str(answer.raise_for_status().json()["accessToken"])


async def ask(
    client: httpx.AsyncClient, bearer: str, method: str, path: str, **arguments: Any
) -> httpx.Response:
    """Ask for something with an access token; a change has an Idempotency-Key of its own."""
    headers = {
        "Authorization": f"Bearer {bearer}",
        "Idempotency-Key": str(uuid4()),
        **arguments.pop("headers", {}),
    }
    return await client.request(method, path, headers=headers, **arguments)
