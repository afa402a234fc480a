"""Changes for a client that keeps a copy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud.lab import INSTANCES, KEYS, Lab, on_sqlite, problem
from tests.cloud.query_plans import recording
from tui_licenses.cloud.administration import suspend_key


async def _follow(lab: Lab, cursor: str | None, limit: int = 7) -> tuple[list[Any], str]:
    found: list[Any] = []
    while True:
        query = f"limit={limit}" + ("" if cursor is None else f"&cursor={cursor}")
        page = (await lab.get(f"/licensing/changes?{query}")).json()
        found += page["items"]
        cursor = page["nextCursor"]
        if not page["hasMore"]:
            return found, str(cursor)


async def test_changes_from_the_beginning_are_a_full_copy(lab: Lab) -> None:
    changes, _ = await _follow(lab, None)
    objects = {change["id"]: change["object"] for change in changes if not change["deleted"]}
    assert len(objects) == KEYS + INSTANCES
    sequences = [change["sequence"] for change in changes]
    assert sequences == sorted(set(sequences))
    for entry in [*await lab.keys(), *await lab.instances()]:
        assert objects[entry["id"]] == entry


async def test_a_client_with_full_lists_follows_from_their_cursor(lab: Lab) -> None:
    keys = await lab.get("/licensing/keys?limit=1000")
    instances = await lab.get("/licensing/instances?limit=1000")
    cursor = instances.headers["x-changes-cursor"]
    assert keys.headers["x-changes-cursor"] == cursor
    assert (await _follow(lab, cursor))[0] == []
    instance, add_on = await lab.licensed(), await lab.free_add_on()
    await lab.activate([add_on["key"]], instance["id"])
    changes, after = await _follow(lab, cursor)
    assert [(change["kind"], change["id"]) for change in changes] == [
        ("key", add_on["id"]),
        ("instance", instance["id"]),
    ]
    assert changes[0]["object"]["instanceName"] == instance["name"]
    assert (await _follow(lab, after))[0] == []


async def test_a_refresh_with_nothing_new_is_under_1_kb_and_asks_little(lab: Lab) -> None:
    cursor = (await lab.get("/licensing/changes?limit=0")).json()["nextCursor"]
    path = f"/licensing/changes?cursor={cursor}"
    with recording() as found:
        answer = await lab.get(path)
    # Who calls, where the account stands, and one look into instances and keys each.
    assert len(found.statements) == 4
    headers = sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)
    assert answer.json()["items"] == []
    assert len(answer.content) + headers < 1024
    known = {"If-None-Match": answer.headers["etag"]}
    again = await lab.get(path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    await lab.activate([(await lab.free_add_on())["key"]], (await lab.licensed())["id"])
    changed = await lab.get(path, headers={**known, "Accept-Encoding": "gzip"})
    assert (changed.status_code, changed.headers["content-encoding"]) == (200, "gzip")
    assert [change["kind"] for change in changed.json()["items"]] == ["key", "instance"]


async def test_a_rename_announces_the_keys_whose_name_column_changes(lab: Lab) -> None:
    instance = await lab.licensed()
    keys = await lab.items(f"/licensing/keys?instanceId={instance['id']}")
    cursor = (await lab.get("/licensing/changes?limit=0")).json()["nextCursor"]
    path = f"/licensing/instances/{instance['id']}"
    await lab.ask("PATCH", path, headers={"If-Match": "*"}, json={"name": "Other"})
    changes, _ = await _follow(lab, cursor)
    changed = {change["id"]: change["object"] for change in changes}
    assert set(changed) == {instance["id"], *(key["id"] for key in keys)}
    for key in keys:
        assert changed[key["id"]] == key | {"instanceName": "Other"}


async def test_a_suspended_master_announces_its_add_ons(lab: Lab) -> None:
    instance = await lab.licensed()
    cursor = (await lab.get("/licensing/changes?limit=0")).json()["nextCursor"]
    suspend_key(lab.database, instance["masterKeyId"], "unpaid")
    changes, _ = await _follow(lab, cursor)
    keys = await lab.items(f"/licensing/keys?instanceId={instance['id']}")
    assert {change["id"] for change in changes} == {instance["id"], *(key["id"] for key in keys)}


async def test_a_limit_of_zero_tells_where_the_account_stands(lab: Lab) -> None:
    start = (await lab.get("/licensing/changes?limit=0")).json()
    assert (start["items"], start["hasMore"]) == ([], False)
    page = (await lab.get("/licensing/changes?limit=1")).json()
    waiting = (await lab.get(f"/licensing/changes?limit=0&cursor={page['nextCursor']}")).json()
    assert (waiting["items"], waiting["hasMore"]) == ([], True)
    assert waiting["nextCursor"] == page["nextCursor"]


async def test_a_refresh_without_changes_is_small(lab: Lab) -> None:
    cursor = (await lab.get("/licensing/changes?limit=0")).json()["nextCursor"]
    answer = await lab.get(f"/licensing/changes?cursor={cursor}")
    size = len(answer.content) + sum(len(k) + len(v) for k, v in answer.headers.items())
    assert size < 1024
    tag = answer.headers["etag"]
    again = await lab.get(f"/licensing/changes?cursor={cursor}", headers={"If-None-Match": tag})
    assert again.status_code == 304


@on_sqlite
@pytest.mark.parametrize("limit", ["1001", "-1", "x"])
async def test_a_limit_out_of_bounds_is_refused(lab: Lab, limit: str) -> None:
    problem(await lab.get(f"/licensing/changes?limit={limit}"), 400, "invalid-request")


async def test_a_cursor_of_another_account_or_of_the_future_is_refused(lab: Lab) -> None:
    theirs = (await lab.get("/licensing/changes?limit=0", who="other")).json()["nextCursor"]
    problem(await lab.get(f"/licensing/changes?cursor={theirs}"), 400, "invalid-cursor")
    ours = (await lab.get("/licensing/changes?limit=0")).json()["nextCursor"]
    with lab.store.write() as connection:
        connection.exec_driver_sql("UPDATE account SET sequence = sequence - 1")
    problem(await lab.get(f"/licensing/changes?cursor={ours}"), 400, "invalid-cursor")
