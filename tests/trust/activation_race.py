"""Workers that all want the same keys at once, and the judge of what they were told.

Each worker is a process with a cloud of its own on the one database, as two servers would be.
The revision of a key tells its history: activating and releasing add one each, so that a key is
active at even revisions, and two who were granted one revision were granted one key twice.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select

from tests.cloud.lab import BASE
from tests.trust.cloud_databases import with_own_master
from tests.trust.harness import Broken, Run
from tests.trust.sign_in_site import access_token
from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import NewToken, check, issue
from tui_licenses.cloud.app import create_app
from tui_licenses.cloud.store import open_store
from tui_licenses.domain.license_key import KeyKind

ACTIVATE, RELEASE, RENAME, REPLACE = MUTATIONS = ("activate", "release", "rename", "replace-master")

_FOLLOW_SECONDS = 0.05
# What each may answer while others do the same: done, or refused for what another has done.
_EXPLAINED = {
    ACTIVATE: {"200", "201", "key-already-assigned"},
    RELEASE: {"200"},
    RENAME: {"200"},
    REPLACE: {"200", "201", "key-already-assigned", "key-superseded"},
}


@dataclass(frozen=True)
class Told:
    """What one request was told: its status or problem code, of which object, at which revision.

    `wanted` is the number of the key among the contended ones.
    """

    mutation: str
    wanted: int
    outcome: str
    target: str = ""
    revision: int = 0


@dataclass(frozen=True)
class Contest:
    """What a worker is given: whom it signs in as, and what all fight for."""

    database: str
    token: NewToken
    instances: tuple[str, ...]
    add_ons: tuple[tuple[str, str], ...]
    masters: tuple[tuple[str, str], ...]
    seed: int


def prepare(database: str, token: NewToken, keys: int, seed: int) -> Contest:
    """Issue the contended keys (ids and texts) and find the instances they fit on."""
    made = {
        kind: issue(database, token.account_id, kind=kind, product_code=product, count=keys)
        for kind, product in ((KeyKind.ADD_ON, "CAL-USER-25"), (KeyKind.MASTER, _master(database)))
    }
    store = open_store(database)
    with store.read() as connection:
        found = connection.execute(with_own_master(token.account_id))
        instances = tuple(row.id for row in found)
    store.close()
    add_ons, masters = (tuple((each.id, each.key) for each in made[kind]) for kind in made)
    return Contest(database, token, instances, add_ons, masters, seed)


def _master(database: str) -> str:
    product = tables.product
    store = open_store(database)
    with store.read() as connection:
        code = connection.execute(
            select(product.c.code).where(product.c.kind == "master").order_by(product.c.code)
        ).scalars()
        found = str(code.first())
    store.close()
    return found


def compete(contest: Contest, worker: int) -> list[Told]:
    """Ask for everything once, in an order of this worker's own; return what was told."""
    return asyncio.run(_Worker(contest, worker).work())


def follow(contest: Contest, over: Path) -> dict[str, int]:
    """Follow the changes until a file is there: the last number that was told of each object."""
    return asyncio.run(_Worker(contest, -1).follow(over))


class _Worker:
    """A client of a cloud in its own process."""

    def __init__(self, contest: Contest, number: int) -> None:
        self._contest = contest
        self._random = random.Random(f"{contest.seed}/{number}")
        self._number = number
        self._store = open_store(contest.database)
        transport = httpx.ASGITransport(app=create_app(self._store))
        base_url = f"http://cloud.test{BASE}"
        self._client = httpx.AsyncClient(transport=transport, base_url=base_url)

    async def work(self) -> list[Told]:
        async with self._client:
            await self._sign_in()
            order = [
                (mutation, wanted)
                for wanted in range(len(self._contest.add_ons))
                for mutation in self._random.sample(MUTATIONS, len(MUTATIONS))
            ]
            told = [await self._do(mutation, wanted) for mutation, wanted in order]
        self._store.close()
        return told

    async def follow(self, over: Path) -> dict[str, int]:
        seen: dict[str, int] = {}
        cursor, is_last = "", False
        async with self._client:
            await self._sign_in()
            while not is_last:
                await asyncio.sleep(_FOLLOW_SECONDS)
                # Looked at before asking: what is asked for last comes after all changes.
                is_over = over.exists()
                page = (await self._client.get(f"/licensing/changes{cursor}")).json()
                is_last = is_over and not page["hasMore"]
                seen |= {entry["id"]: entry["sequence"] for entry in page["items"]}
                cursor = f"?cursor={page['nextCursor']}"
        self._store.close()
        return seen

    async def _sign_in(self) -> None:
        bearer = await access_token(self._client, self._contest.token)
        self._client.headers["Authorization"] = f"Bearer {bearer}"

    async def _do(self, mutation: str, wanted: int) -> Told:
        instance = self._random.choice(self._contest.instances)
        add_on, master = self._contest.add_ons[wanted], self._contest.masters[wanted]
        path, method = "/licensing/activations", "POST"
        body: dict[str, object] = {}
        if mutation == ACTIVATE:
            body = {"keys": [add_on[1]], "instanceId": instance}
        elif mutation == REPLACE:
            body = {"keys": [master[1]], "instanceId": instance, "replaceMaster": True}
        elif mutation == RELEASE:
            path = f"/licensing/keys/{add_on[0]}/release"
            body = {"reason": "somebody else wants it"}
        else:
            path, method = f"/licensing/instances/{instance}", "PATCH"
            body = {"name": f"Race {self._number}-{wanted}"}
        headers = {"Idempotency-Key": str(UUID(int=self._random.getrandbits(128)))}
        headers |= {"If-Match": "*"} if method == "PATCH" else {}
        answer = await self._client.request(method, path, json=body, headers=headers)
        content = answer.json()
        if not answer.is_success:
            return Told(mutation, wanted, str(content.get("code", answer.status_code)))
        changed = content["keys"][0] if "keys" in content else content
        return Told(
            mutation, wanted, str(answer.status_code), changed["id"], int(changed["revision"])
        )


def judge_answers(run: Run, told: Iterable[Told]) -> None:
    """Report every answer that nothing explains, and everything that was granted twice."""
    granted: Counter[tuple[str, int]] = Counter()
    for each in told:
        explained = each.outcome in _EXPLAINED[each.mutation]
        run.expect(explained, Broken.OTHER, f"{each.mutation} {each.wanted}: {each.outcome}")
        if each.outcome == "201" or (each.mutation == RENAME and each.outcome == "200"):
            granted[each.target, each.revision] += 1
    for (target, revision), times in granted.items():
        run.expect(times == 1, Broken.CORRUPT, f"{target} at revision {revision}: {times} times")


def judge_database(run: Run, contest: Contest, told: Iterable[Told], seen: dict[str, int]) -> None:
    """Report grants that are not stored, numbers with gaps, and changes a follower missed."""
    for finding in check(contest.database):
        run.report(Broken.CORRUPT, f"{finding.code} {finding.target}: {finding.message}")
    store = open_store(contest.database)
    with store.read() as connection:
        account_id = contest.token.account_id
        rows: list[Any] = []
        for table in (tables.license_key, tables.instance):
            columns = (table.c.id, table.c.revision, table.c.sequence)
            rows += connection.execute(select(*columns).where(table.c.account_id == account_id))
        event = tables.event
        events = connection.execute(
            select(event.c.sequence)
            .where(event.c.account_id == account_id)
            .order_by(event.c.sequence)
        )
        numbers = list(events.scalars())
    store.close()
    run.expect(numbers == list(range(1, len(numbers) + 1)), Broken.CORRUPT, "gaps in the events")
    numbered = Counter(row.sequence for row in rows)
    run.expect(max(numbered.values()) == 1, Broken.CORRUPT, "one change number for two objects")
    missed = [row.id for row in rows if seen.get(row.id) != row.sequence]
    run.expect(not missed, Broken.LOST, f"{len(missed)} changes that a follower never saw")
    _judge_grants(run, contest, told, {row.id: row.revision for row in rows})


def _judge_grants(
    run: Run, contest: Contest, told: Iterable[Told], revisions: dict[str, int]
) -> None:
    """Report an add-on key whose history is not one grant, one release, and so on."""
    granted: dict[str, set[int]] = defaultdict(set)
    for each in told:
        if each.mutation == ACTIVATE and each.outcome == "201":
            granted[each.target].add(each.revision)
    for key_id, _ in contest.add_ons:
        expected = set(range(2, revisions[key_id] + 1, 2))
        for revision in granted[key_id] ^ expected:
            run.report(Broken.LOST, f"grant {revision} of {key_id}: told or stored, not both")
