"""Idempotency keys, and many callers at once."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from tests.cloud.conftest import Template
from tests.cloud.lab import Clock, Database, Lab, on_sqlite, problem
from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import WireActivationRequest
from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import check
from tui_licenses.cloud.instants import to_instant
from tui_licenses.cloud.operations.activation import activate
from tui_licenses.cloud.operations.audit import Author
from tui_licenses.cloud.operations.change_set import ChangeSet
from tui_licenses.cloud.rows import find_instance, find_key_row
from tui_licenses.cloud.store import Store, open_store


async def test_a_repeat_answers_the_same_and_does_nothing_more(lab: Lab) -> None:
    instance, add_on = await lab.licensed(), await lab.free_add_on()
    headers = {"Idempotency-Key": "order-4711"}
    first = await lab.activate([add_on["key"]], instance["id"], headers=headers)
    events = lab.count("event")
    lab.clock.advance(days=6)
    lab.access.clear()
    again = await lab.activate([add_on["key"]], instance["id"], headers=headers)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert lab.count("event") == events


async def test_a_repeat_of_a_refusal_answers_the_same(lab: Lab) -> None:
    instance, master = await lab.licensed(), await lab.free_master()
    headers = {"Idempotency-Key": "order-4712"}
    first = await lab.activate([master["key"]], instance["id"], headers=headers)
    problem(first, 409, "master-already-present")
    body = {"reason": "making room", "cascade": True}
    path = f"/licensing/keys/{instance['masterKeyId']}/release"
    assert (await lab.ask("POST", path, json=body)).status_code == 200
    again = await lab.activate([master["key"]], instance["id"], headers=headers)
    assert again.content == first.content
    fresh = await lab.activate([master["key"]], instance["id"])
    assert fresh.status_code == 201


async def test_a_refusal_of_the_role_is_not_remembered(lab: Lab) -> None:
    instance, add_on = await lab.licensed(), await lab.free_add_on()
    headers = {"Idempotency-Key": "order-4713"}
    arguments = {"headers": headers, "who": "reader"}
    refused = await lab.activate([add_on["key"]], instance["id"], **arguments)
    problem(refused, 403, "role-insufficient")
    answer = await lab.activate([add_on["key"]], instance["id"], headers=headers)
    assert answer.status_code == 201


async def test_the_key_is_looked_up_before_anything_else(lab: Lab) -> None:
    instance = await lab.licensed()
    path = f"/licensing/instances/{instance['id']}"
    headers = {"If-Match": f'"{instance["revision"]}"', "Idempotency-Key": "rename"}
    first = await lab.ask("PATCH", path, headers=headers, json={"name": "Once"})
    again = await lab.ask("PATCH", path, headers=headers, json={"name": "Once"})
    assert first.status_code == again.status_code == 200
    assert again.headers["etag"] == first.headers["etag"]
    other = await lab.ask("PATCH", path, headers=headers, json={"name": "Twice"})
    problem(other, 422, "idempotency-key-reused")


async def test_a_key_is_forgotten_after_seven_days(lab: Lab) -> None:
    path = f"/licensing/instances/{(await lab.licensed())['id']}"
    headers = {"If-Match": "*", "Idempotency-Key": "weekly"}
    await lab.ask("PATCH", path, headers=headers, json={"name": "One"})
    lab.clock.advance(days=7, seconds=1)
    lab.access.clear()
    answer = await lab.ask("PATCH", path, headers=headers, json={"name": "Two"})
    assert answer.json()["name"] == "Two"
    assert lab.count("idempotency") == 1


async def test_the_keys_of_two_accounts_are_apart(lab: Lab) -> None:
    for who in ("administrator", "other"):
        instance = (await lab.instances("licensed", who=who))[0]
        headers = {"If-Match": "*", "Idempotency-Key": "same"}
        path = f"/licensing/instances/{instance['id']}"
        answer = await lab.ask("PATCH", path, headers=headers, json={"name": who}, who=who)
        assert answer.json()["name"] == who


@on_sqlite
@pytest.mark.parametrize("key", ["x" * 129, "tab\tbed"])
async def test_a_key_that_is_no_key_is_refused(lab: Lab, key: str) -> None:
    path = f"/licensing/instances/{(await lab.licensed())['id']}"
    headers = {"If-Match": "*", "Idempotency-Key": key}
    answer = await lab.ask("PATCH", path, headers=headers, json={"name": "x"})
    problem(answer, 400, "invalid-request")


async def test_one_of_many_callers_at_once_gets_the_key(lab: Lab) -> None:
    master = await lab.free_master()
    targets = [entry["id"] for entry in await lab.instances("licensed")] * 3
    answers = await asyncio.gather(
        *(lab.activate([master["key"]], target, replaceMaster=True) for target in targets)
    )
    granted = {answer.json()["instance"]["id"] for answer in answers if answer.is_success}
    assert len(granted) == 1
    for answer in answers:
        if not answer.is_success:
            problem(answer, 409, "key-already-assigned")
    assert check(lab.database) == ()


async def test_two_accounts_change_the_instance_they_share_at_once(lab: Lab) -> None:
    own = {entry["id"] for entry in await lab.keys(kind="master")}
    (shared,) = [i for i in await lab.instances("licensed") if i["masterKeyId"] not in own]
    add_ons = await lab.keys("unassigned", "addOn", who="partner")
    path = f"/licensing/instances/{shared['id']}"
    answers = await asyncio.gather(
        *(lab.activate([each["key"]], shared["id"], who="partner") for each in add_ons),
        *(
            lab.ask("PATCH", path, headers={"If-Match": "*"}, json={"name": f"Name {number}"})
            for number in range(8)
        ),
    )
    assert {answer.status_code for answer in answers} == {200, 201}
    after = (await lab.get(path)).json()
    assert after["revision"] == shared["revision"] + len(add_ons) + 8
    assert after["addOnCount"] == shared["addOnCount"] + len(add_ons)
    assert check(lab.database) == ()


def _grab(store: Store, account_id: str, key: str, instance_id: str) -> bool:
    author = Author(account_id, "racer", to_instant(store.clock()))
    request = WireActivationRequest(keys=[key], instance_id=instance_id, replace_master=True)
    try:
        with store.write() as connection:
            return activate(store, connection, author, request).changed
    except Problem:
        return False


def _grab_all(database: Database, account_id: str, keys: list[str], instance_id: str) -> list[str]:
    store = open_store(database, Clock())
    granted = [key for key in keys if _grab(store, account_id, key, instance_id)]
    store.close()
    return granted


async def test_two_processes_never_get_the_same_key(lab: Lab) -> None:
    keys = [entry["key"] for entry in await lab.keys("unassigned", "addOn")]
    keys += [entry["key"] for entry in await lab.keys("unassigned", "master")]
    own = {entry["id"] for entry in await lab.keys(kind="master") if entry["state"] == "active"}
    targets = [i["id"] for i in await lab.instances("licensed") if i["masterKeyId"] in own][:2]
    account_id = lab.token("administrator").account_id
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        work = [(lab.database, account_id, keys, target) for target in targets]
        granted = await asyncio.to_thread(pool.starmap, _grab_all, work)
        pool.close()
        pool.join()
    together = [key for part in granted for key in part]
    assert sorted(together) == sorted(keys)
    assert check(lab.database) == ()


def test_two_threads_never_get_the_same_key(template: Template, database: Database) -> None:
    store = open_store(database, Clock())
    account_id = template[1].tokens[0].account_id
    key, instance = tables.license_key, tables.instance
    with store.read() as connection:
        free = connection.execute(
            select(key.c.key).where(
                key.c.account_id == account_id,
                key.c.state == "unassigned",
                key.c.kind == "master",
                key.c.starts_at.is_(None),
            )
        ).scalars()
        keys = list(free)
        targets = list(
            connection.execute(
                select(instance.c.id).where(
                    instance.c.account_id == account_id, instance.c.state == "licensed"
                )
            ).scalars()
        )
    with ThreadPoolExecutor(4) as threads:
        for wanted in keys[:4]:
            results = threads.map(
                lambda target, wanted=wanted: _grab(store, account_id, wanted, target),
                targets[:4],
            )
            assert sum(results) <= 1
    store.close()
    assert check(database) == ()


async def test_a_row_that_moved_meanwhile_is_not_overwritten(lab: Lab) -> None:
    key, instance = (await lab.keys("active"))[0], await lab.licensed()
    with lab.store.read() as connection:
        key_row = find_key_row(connection, key["id"])
        instance_row = find_instance(connection, instance["id"])
    assert key_row is not None
    assert instance_row is not None
    with lab.store.write() as connection:
        connection.exec_driver_sql("UPDATE license_key SET revision = revision + 1")
        connection.exec_driver_sql("UPDATE instance SET revision = revision + 1")
    for change in ("key", "instance"):
        changes = ChangeSet(lab.store.now())
        if change == "key":
            changes.change_key(key_row, order_reference="mine")
        else:
            changes.change_instance(instance_row, core_version="mine")
        with pytest.raises(Problem) as refused, lab.store.write() as connection:
            changes.apply(connection)
        assert refused.value.problem_code.code == "unavailable"
