"""S3: every route for every kind of caller, with ids of their own, of others and of nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import httpx
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.routing import Route

from tests.cloud.lab import BASE, CALLERS, Clock, generous
from tests.trust.access_matrix import ROWS, Row
from tests.trust.clouds import SeededCloud, seed_cloud, seeded_clouds
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.sign_in_site import access_token
from tui_licenses.cloud.administration import NewToken, make_token, revoke_token
from tui_licenses.cloud.app import create_app
from tui_licenses.cloud.operations.instances import owned_instance
from tui_licenses.cloud.resources import instance_files, instances, key_files, keys, license_sets
from tui_licenses.cloud.resources.keys import owned_key
from tui_licenses.cloud.rows import AnyRow, find_instance, find_key_row
from tui_licenses.cloud.store import open_store
from tui_licenses.domain.account import Role

_ROLES = (Role.READER, Role.OPERATOR, Role.ADMINISTRATOR)
# What is answered to whom presents no valid token of an account that may use the cloud.
_STRANGERS = {
    "nobody": (401, "token-missing"),
    "another scheme": (401, "token-missing"),
    "garbage": (401, "token-invalid"),
    "expired": (401, "token-expired"),
    "revoked": (401, "token-invalid"),
    "ineligible": (403, "plan-not-eligible"),
}
_SIGNED_IN = (*_ROLES, "other")
# What may differ between two answers that must be the same.
_OWN_TO_EACH = {"x-request-id", "date"}


@dataclass(frozen=True)
class _Site:
    """One cloud: how each caller signs in, and one id of each kind and owner."""

    client: httpx.AsyncClient
    authorizations: dict[str, str]
    ids: dict[tuple[str, str], str]


@dataclass(frozen=True)
class _Case:
    row: Row
    caller: str
    owner: str


def _cases() -> list[_Case]:
    rows = [*ROWS, *(replace(row, method="HEAD") for row in ROWS if row.method == "GET")]
    return [
        _Case(row, caller, owner)
        for row in rows
        for caller in (*_STRANGERS, *_SIGNED_IN)
        for owner in (("first", "other", "nobody") if row.names else ("",))
    ]


def _check_routes(run: Run, app: Starlette) -> None:
    """Look whether the matrix has a row for each route that is served, and no other."""
    served = {
        (method, route.path.removeprefix(BASE))
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or ())
        if method != "HEAD"
    }
    told = {(row.method, row.path) for row in ROWS}
    run.expect(served == told, Broken.OTHER, f"routes without a row, or rows: {served ^ told}")


async def _open_site(app: Starlette, cloud: SeededCloud, clock: Clock) -> _Site:
    transport = httpx.ASGITransport(app=app)
    client = httpx.AsyncClient(transport=transport, base_url=f"http://cloud.test{BASE}")
    tokens = {who: cloud.tokens[number] for who, number in CALLERS.items()}
    revoked = make_token(cloud.database, tokens["administrator"].account_id, Role.READER, "Gone")
    expired = await _sign_in(client, tokens["administrator"])
    clock.advance(hours=2)
    authorizations = {who: await _sign_in(client, token) for who, token in tokens.items()}
    authorizations |= {
        "nobody": "",
        "another scheme": "Basic YTpi",
        "garbage": "Bearer tla_garbage",
        "expired": expired,
        "revoked": await _sign_in(client, revoked),
    }
    revoke_token(cloud.database, revoked.subject_id)
    ids = {(kind, "nobody"): str(uuid4()) for kind in ("instance", "key")}
    for owner, who in (("first", "administrator"), ("other", "other")):
        headers = {"Authorization": authorizations[who]}
        found = (await client.get("/licensing/keys?limit=1000", headers=headers)).json()["items"]
        on_instance = next(key for key in found if key["instanceId"] and key["state"] == "active")
        ids["key", owner], ids["instance", owner] = on_instance["id"], on_instance["instanceId"]
    return _Site(client, authorizations, ids)


async def _sign_in(client: httpx.AsyncClient, token: NewToken) -> str:
    return f"Bearer {await access_token(client, token)}"


async def _ask(site: _Site, row: Row, caller: str, object_id: str) -> httpx.Response:
    headers = {"Idempotency-Key": str(uuid4()), **row.headers}
    headers["Content-Type"] = "application/xml" if row.content else "application/json"
    if site.authorizations[caller]:
        headers["Authorization"] = site.authorizations[caller]
    return await site.client.request(
        row.method,
        row.path.replace("{id}", object_id),
        params=dict([row.query.replace("{id}", object_id).split("=")]) if row.query else None,
        headers=headers,
        **_sent(row, object_id),
    )


def _sent(row: Row, object_id: str) -> dict[str, Any]:
    if row.body is None:
        return {"content": row.content}
    return {"json": _filled(row.body, object_id)}


def _filled(part: object, object_id: str) -> object:
    if isinstance(part, dict):
        return {name: _filled(value, object_id) for name, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, object_id) for value in part]
    return object_id if part == "{id}" else part


async def _look(run: Run, site: _Site, case: _Case) -> None:
    row, caller = case.row, case.caller
    object_id = site.ids.get((row.names, case.owner), "")
    answer = await _ask(site, row, caller, object_id)
    what = f"{row.method} {row.path} by {caller}, {case.owner}'s id: {answer.status_code}"
    refusal = _refusal(row, caller)
    owner = "other" if caller == "other" else "first"
    is_own = not row.names or case.owner == owner
    # Whoever may ask for what is their own is no intruder.
    run.disturb(refusal is not None or not is_own)
    if refusal is not None:
        status, code = refusal
        kept = answer.status_code == status and _tells(answer, code)
        run.expect(kept and not _leaks(answer, object_id), Broken.OTHER, f"{what} {answer.text}")
        return
    run.expect(answer.status_code < 500, Broken.UNHANDLED, f"{what} {answer.text}")
    if is_own:
        kept = answer.status_code not in {401, 403, 404}
        run.expect(kept or _is_about_a_key(row, answer), Broken.OTHER, f"{what} {answer.text}")
        return
    missing = await _ask(site, row, caller, site.ids[row.names, "nobody"])
    same = _comparable(answer, object_id) == _comparable(missing, site.ids[row.names, "nobody"])
    run.expect(same, Broken.OTHER, f"{what}: not as for a missing id: {answer.text[:200]}")
    if row.unknown:
        kept = answer.status_code == 404 and _tells(answer, row.unknown)
        run.expect(kept, Broken.OTHER, f"{what} {answer.text[:200]}")


def _refusal(row: Row, caller: str) -> tuple[int, str] | None:
    """Return status and code for who is refused whatever the id; None for the others."""
    if row.is_open or (caller == "ineligible" and not row.is_gated):
        return None
    if caller in _STRANGERS:
        return _STRANGERS[caller]
    if caller in _ROLES and _ROLES.index(Role(caller)) < _ROLES.index(row.role):
        return 403, "role-insufficient"
    return None


def _tells(answer: httpx.Response, code: str) -> bool:
    """Say whether an answer is this problem; one to HEAD has no body that could tell."""
    if answer.request.method == "HEAD":
        return True
    is_problem = answer.headers["content-type"] == "application/problem+json"
    return is_problem and answer.json()["code"] == code


def _leaks(answer: httpx.Response, object_id: str) -> bool:
    return bool(object_id) and object_id in answer.text


def _is_about_a_key(row: Row, answer: httpx.Response) -> bool:
    """Say whether it is the made-up license key in the body that is unknown, and not the id."""
    return row.body is not None and row.names != "key" and _tells(answer, "key-not-found")


def _comparable(answer: httpx.Response, object_id: str) -> tuple[object, ...]:
    headers = {name: text for name, text in answer.headers.items() if name not in _OWN_TO_EACH}
    headers.pop("etag", None)
    body: Any = answer.text.replace(object_id, "ID")
    if answer.headers.get("content-type", "").endswith("json") and answer.content:
        body = answer.json()
        body.pop("requestId", None)
        body = str(body).replace(object_id, "ID")
    return answer.status_code, headers, body


async def _check(run: Run, cloud: SeededCloud, cases: Sequence[_Case]) -> None:
    clock = Clock()
    store = open_store(cloud.database, clock)
    app = create_app(store, throttles=generous())
    _check_routes(run, app)
    site = await _open_site(app, cloud, clock)
    for case in cases:
        with run.case(f"{cloud.name}: {case}"):
            await _look(run, site, case)
    await site.client.aclose()
    store.close()


def _run(run: Run) -> None:
    for cloud in seeded_clouds(run.folder):
        cases = run.choose(_cases(), 200 if cloud.name == "SQLite" else 50)
        asyncio.run(_check(run, cloud, cases))


@contextmanager
def _without_scope() -> Iterator[None]:
    """Make routes that find an object by its id alone, as one writes them first."""

    def instance(connection: Connection, account_id: str, instance_id: str) -> AnyRow:
        return find_instance(connection, instance_id) or owned_instance(
            connection, account_id, instance_id
        )

    def key(connection: Connection, account_id: str, key_id: str) -> AnyRow:
        return find_key_row(connection, key_id) or owned_key(connection, account_id, key_id)

    with ExitStack() as patches:
        for module in (instances, instance_files, license_sets):
            patches.enter_context(patch.object(module, "owned_instance", instance))
        for module in (keys, key_files):
            patches.enter_context(patch.object(module, "owned_key", key))
        yield


def _control(run: Run) -> None:
    cases = [case for case in _cases() if case.caller == "other" and case.owner == "first"]
    with _without_scope():
        asyncio.run(_check(run, seed_cloud(run.folder / "cloud.db", "SQLite"), cases))


CLASS = TrustClass("S3", "every route, every kind of caller, whose id", 540, _run, _control)
