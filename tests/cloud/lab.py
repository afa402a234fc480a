"""A seeded license cloud for one test, and a driver that speaks to it."""

# ruff: noqa: ANN401 - the driver hands arguments on to httpx, and JSON has no type
from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import NewToken, SeedReport
from tui_licenses.cloud.app import create_app
from tui_licenses.cloud.database import find_database
from tui_licenses.cloud.http.resource import Throttles
from tui_licenses.cloud.rows import AnyRow
from tui_licenses.cloud.store import Engines, Store, open_store

BASE = "/api/v3"
SEEDED_FOR = datetime(2026, 6, 1, tzinfo=UTC)
INSTANCES = 8
KEYS = 40

# Who calls: the index of the token in the seed's report.
CALLERS = {
    "administrator": 0,
    "partner": 1,
    "other": 2,
    "ineligible": 3,
    "operator": 4,
    "reader": 5,
}

# For tests of what only one kind of database does or can be made to do; and, on SQLite alone, of
# what is refused before a database is asked, or what S3 tries on both (tests/trust).
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)

Answer = httpx.Response
# A file, or the URL of a database on a server.
Database = str | Path


class Clock:
    """The clock of a test's cloud; stands still until it is moved."""

    def __init__(self) -> None:
        self.now = SEEDED_FOR + timedelta(hours=9)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        """Move forward by a timedelta."""
        self.now += timedelta(**amount)


@dataclass
class Lab:
    """One seeded cloud; requests are made as one of `CALLERS`, the administrator by default."""

    database: Database
    store: Store
    clock: Clock
    tokens: tuple[NewToken, ...]
    client: httpx.AsyncClient
    access: dict[str, str] = field(default_factory=dict)

    def token(self, who: str) -> NewToken:
        """Return the sign-in of a caller."""
        return self.tokens[CALLERS[who]]

    async def sign_in(self, who: str) -> str:
        """Return an access token of a caller; the same one until `access` is cleared."""
        if who not in self.access:
            answer = await self.exchange(self.token(who).subject_id, self.token(who).refresh_token)
            assert answer.status_code == 200, answer.text
            self.access[who] = answer.json()["accessToken"]
        return self.access[who]

    async def exchange(self, subject_id: str, refresh_token: str) -> Answer:
        """Exchange a refresh token."""
        return await self.client.post(
            f"{BASE}/authorization/token",
            json={
                "subjectType": "Application",
                "subjectId": subject_id,
                "grantType": "refreshToken",
                "refreshToken": refresh_token,
            },
        )

    async def ask(
        self,
        method: str,
        path: str,
        *,
        who: str = "administrator",
        headers: dict[str, str] | None = None,
        **arguments: Any,
    ) -> Answer:
        """Make a request below the base path; a change gets an Idempotency-Key of its own."""
        sent = {"Authorization": f"Bearer {await self.sign_in(who)}", **(headers or {})}
        if method in {"PATCH", "PUT"} or path.endswith(("/activations", "/release")):
            sent.setdefault("Idempotency-Key", str(uuid4()))
        kept = {name: value for name, value in sent.items() if value}
        return await self.client.request(method, BASE + path, headers=kept, **arguments)

    async def get(self, path: str, **arguments: Any) -> Answer:
        """Make a GET request."""
        return await self.ask("GET", path, **arguments)

    async def items(self, path: str, **arguments: Any) -> list[dict[str, Any]]:
        """Return the items of one large page."""
        answer = await self.get(path, **arguments)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def instances(self, state: str | None = None, **arguments: Any) -> list[dict[str, Any]]:
        """Return the instances of a caller, or those in one state."""
        found = await self.items("/licensing/instances?limit=1000", **arguments)
        return [entry for entry in found if state in {None, entry["state"]}]

    async def keys(
        self, status: str | None = None, kind: str | None = None, **arguments: Any
    ) -> list[dict[str, Any]]:
        """Return the keys of a caller, or those of one status and kind."""
        found = await self.items("/licensing/keys?limit=1000", **arguments)
        return [
            entry
            for entry in found
            if status in {None, entry["status"]} and kind in {None, entry["kind"]}
        ]

    async def free_master(self, **arguments: Any) -> dict[str, Any]:
        """Return a master key that can be activated."""
        return (await self.keys("unassigned", "master", **arguments))[0]

    async def free_add_on(self, **arguments: Any) -> dict[str, Any]:
        """Return an add-on key that can be activated."""
        return (await self.keys("unassigned", "addOn", **arguments))[0]

    async def licensed(self, **arguments: Any) -> dict[str, Any]:
        """Return an instance whose master is active and belongs to the caller."""
        masters = {
            entry["id"]
            for entry in await self.keys(kind="master", **arguments)
            if entry["state"] == "active"
        }
        found = await self.instances("licensed", **arguments)
        return next(entry for entry in found if entry["masterKeyId"] in masters)

    async def activate(self, keys: list[str], instance_id: str, **arguments: Any) -> Answer:
        """Activate keys on an instance of the caller."""
        who = arguments.pop("who", "administrator")
        headers = arguments.pop("headers", None)
        body = {"keys": keys, "instanceId": instance_id, **arguments}
        return await self.ask("POST", "/licensing/activations", who=who, headers=headers, json=body)

    def row(self, table: str, row_id: str) -> AnyRow:
        """Return a row of the database by its id."""
        found = tables.metadata.tables[table]
        with self.store.read() as connection:
            return connection.execute(select(found).where(found.c.id == row_id)).one()

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        with self.store.read() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def copy_database(template: Path, folder: Path) -> Path:
    """Copy a database with the key files beside it; return its path."""
    for file in template.parent.iterdir():
        shutil.copy2(file, folder / file.name)
    return folder / template.name


def plant(database: Database, *statements: str) -> None:
    """Change a database behind the back of its rules: references are not kept meanwhile."""
    found = find_database(database)
    if found.is_file:
        with closing(sqlite3.connect(found.path)) as file, file:
            for statement in statements:
                file.execute(statement)
        return
    engines = Engines.of(found)
    try:
        with engines.writing.begin() as server:
            for statement in ("SET LOCAL session_replication_role = replica", *statements):
                server.exec_driver_sql(statement)
    finally:
        engines.dispose()


def generous() -> Throttles:
    """Return limits that a test does not meet by accident."""
    from tui_licenses.cloud.throttle import RefusedSignIns, Throttle

    return Throttles(Throttle(10_000, 1), Throttle(10_000, 1), RefusedSignIns(10_000))


def open_lab(database: Database, report: SeedReport, throttles: Throttles | None = None) -> Lab:
    """Open a seeded database with a clock that stands still."""
    clock = Clock()
    store = open_store(database, clock)
    transport = httpx.ASGITransport(app=create_app(store, throttles=throttles or generous()))
    client = httpx.AsyncClient(transport=transport, base_url="http://cloud.test")
    return Lab(database, store, clock, report.tokens, client)


def problem(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """Assert that an answer is this problem, in full; return its document."""
    assert answer.status_code == status, answer.text
    document: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["code"] == code, document
    assert document["type"] == f"urn:tui-licenses:problem:{code}"
    assert document["status"] == status
    assert document["message"] == document["detail"]
    assert document["requestId"] == answer.headers["x-request-id"]
    return document
