"""S5: tokens used again, at once, after their end, by others, and while they are revoked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event
from typing import Any
from unittest.mock import patch

import httpx
from sqlalchemy import Connection, update

from tests.cloud.lab import generous
from tests.trust.access_matrix import PROFILE
from tests.trust.clouds import seed_cloud, seeded_clouds
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.sign_in_site import SignInSite, access_token, ask, exchange, open_site
from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import revoke_token
from tui_licenses.cloud.http import pipeline
from tui_licenses.cloud.http.call import Call, Caller
from tui_licenses.cloud.operations.tokens import revoke_subject

_WHO_AM_I = ("GET", "/users/me")
_AT_ONCE = 8
_HOUR = 3600.0


def _expect(run: Run, answer: httpx.Response, status: int, what: str) -> None:
    run.disturb(status != 200)
    kept = answer.status_code == status
    run.expect(kept, Broken.OTHER, f"{what}: {answer.status_code}, not {status}: {answer.text}")


async def _used_again(run: Run, site: SignInSite, client: httpx.AsyncClient) -> None:
    """A lost answer locks nobody out: a refresh token is good for any number of exchanges."""
    token = site.token("operator")
    got = {await access_token(client, token) for _ in range(4)}
    at_once = (access_token(client, token) for _ in range(_AT_ONCE))
    got.update(await asyncio.gather(*at_once))
    run.expect(len(got) == 4 + _AT_ONCE, Broken.OTHER, "two exchanges gave one access token")
    for bearer in got:
        _expect(run, await ask(client, bearer, *_WHO_AM_I), 200, "one of several access tokens")


async def _ended(run: Run, site: SignInSite, client: httpx.AsyncClient) -> None:
    bearer = await access_token(client, site.token("reader"))
    for seconds, status in ((_HOUR - 1, 200), (1, 401), (_HOUR, 401), (30 * _HOUR, 401)):
        site.clock.advance(seconds=seconds)
        await access_token(client, site.token("other"))
        _expect(run, await ask(client, bearer, *_WHO_AM_I), status, f"{seconds} s later")


async def _of_others(run: Run, site: SignInSite, client: httpx.AsyncClient) -> None:
    token, other = site.token("reader"), site.token("other")
    right, bearer = token.refresh_token, await access_token(client, token)
    for wrong in (
        other.refresh_token,
        bearer,
        right[:-1],
        right + "x",
        right.swapcase(),
        f" {right}",
        right[:-1] + ("A" if right[-1] != "A" else "B"),
        "",
        "\N{SNOWMAN}",
    ):
        answer = await exchange(client, token.subject_id, wrong)
        _expect(run, answer, 401, f"refresh token {wrong[:6]}… of {len(wrong)} characters")
    for subject_id in (other.subject_id, token.subject_id.upper(), "", "%", "' OR 1=1 --"):
        answer = await exchange(client, subject_id, right)
        _expect(run, answer, 401, f"the token of another than {subject_id}")
    for wrong in (right, bearer[:-1], bearer.swapcase(), "tla_", token.subject_id):
        _expect(run, await ask(client, wrong, *_WHO_AM_I), 401, f"bearer {wrong[:6]}…")


async def _changed_account(run: Run, site: SignInSite, client: httpx.AsyncClient) -> None:
    """A plan and a role count as they are now, not as they were at the sign-in."""
    token = site.token("operator")
    bearer = await access_token(client, token)
    body = {"keys": ["AAAABBBBCCCCDDDD"], "instanceId": "x"}
    table = tables.subject
    with site.store.write() as connection:
        connection.execute(
            update(table).where(table.c.id == token.subject_id).values(role="reader")
        )
    answer = await ask(client, bearer, "POST", "/licensing/activations", json=body)
    _expect(run, answer, 403, "a role that was lowered")
    account = tables.account
    with site.store.write() as connection:
        connection.execute(
            update(account).where(account.c.id == token.account_id).values(plan="OmniD")
        )
    _expect(run, await ask(client, bearer, "GET", "/licensing/keys"), 403, "a plan that was left")
    with site.store.write() as connection:
        connection.execute(
            update(account).where(account.c.id == token.account_id).values(plan="Enterprise")
        )


async def _revoked(run: Run, site: SignInSite, client: httpx.AsyncClient) -> None:
    token = site.token("reader")
    bearers = [await access_token(client, token) for _ in range(3)]
    other = await access_token(client, site.token("other"))
    for bearer in bearers:
        _expect(run, await ask(client, bearer, *_WHO_AM_I), 200, "before it was revoked")
    revoke_token(site.cloud.database, token.subject_id)
    for bearer in bearers:
        _expect(run, await ask(client, bearer, *_WHO_AM_I), 401, "an access token after that")
    answer = await exchange(client, token.subject_id, token.refresh_token)
    _expect(run, answer, 401, "the refresh token after that")
    _expect(run, await ask(client, other, *_WHO_AM_I), 200, "somebody else's access token")


async def _revoked_meanwhile(run: Run, site: SignInSite, client: httpx.AsyncClient) -> None:
    """What waits for its turn while its sign-in is revoked changes nothing."""
    token = site.token("administrator")
    bearer = await access_token(client, token)
    listed = await ask(client, bearer, "GET", "/licensing/keys?kind=master&limit=1000")
    key = next(entry for entry in listed.json()["items"] if entry["state"] == "active")
    instance = f"/licensing/instances/{key['instanceId']}"
    match = {"If-Match": "*"}
    xml = match | {"Content-Type": "application/xml"}
    again = {"keys": [key["key"]], "instanceId": key["instanceId"]}
    reason = {"reason": "moved", "cascade": True}
    waiting: list[Callable[[], Any]] = [
        lambda: ask(client, bearer, "PATCH", instance, headers=match, json={"name": "Changed"}),
        lambda: ask(client, bearer, "PUT", f"{instance}/profile", headers=xml, content=PROFILE),
        lambda: ask(client, bearer, "POST", "/licensing/activations", json=again),
        lambda: ask(client, bearer, "POST", f"/licensing/keys/{key['id']}/release", json=reason),
        lambda: exchange(client, token.subject_id, token.refresh_token),
    ]
    with _held_up(site, len(waiting)) as (connection, arrived):
        revoke_subject(connection, site.store.now(), token.subject_id)
        # They are still let in, as long as the revocation has not ended.
        asked = [asyncio.ensure_future(request()) for request in waiting]
        run.expect(await asyncio.to_thread(arrived.wait, 20), Broken.OTHER, "they did not arrive")
    for answer in await asyncio.gather(*asked):
        _expect(run, answer, 401, f"{answer.request.method} {answer.request.url.path} that waited")


@contextmanager
def _held_up(site: SignInSite, count: int) -> Iterator[tuple[Connection, Event]]:
    """Hold the writer's turn; the event tells that `count` others wait for it."""
    arrived, write, waiting = Event(), site.store.write, iter(range(1, count + 1))

    def announced(accounts: Collection[str] | None = None) -> AbstractContextManager[Connection]:
        if next(waiting, 0) == count:
            arrived.set()
        return write(accounts)

    with write() as connection, patch.object(site.store, "write", announced):
        yield connection, arrived


async def _check(run: Run, site: SignInSite) -> None:
    async with site.client() as client:
        for part in (_used_again, _of_others, _ended, _changed_account, _revoked):
            await part(run, site, client)
        await _revoked_meanwhile(run, site, client)


def _run(run: Run) -> None:
    for cloud in seeded_clouds(run.folder):
        with open_site(cloud, generous()) as site:
            asyncio.run(_check(run, site))


def _control(run: Run) -> None:
    """A cloud that looks a token up once and then remembers whose it was."""
    look_up, known = pipeline.find_caller, dict[str, Caller]()

    def find_caller(connection: Connection, call: Call) -> Caller:
        bearer = call.headers.get("authorization", "")
        if bearer not in known:
            known[bearer] = look_up(connection, call)
        return known[bearer]

    cloud = seed_cloud(run.folder / "cloud.db", "SQLite")
    with patch.object(pipeline, "find_caller", find_caller), open_site(cloud, generous()) as site:
        asyncio.run(_check(run, site))


CLASS = TrustClass("S5", "tokens reused, ended, foreign, revoked meanwhile", 33, _run, _control)
