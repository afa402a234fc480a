"""Kept counts follow every change of keys, and an older database gets them when it is opened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.cloud.every_request import make_every_request
from tests.cloud.lab import Database, Lab
from tests.cloud.older_schemas import go_back_to_0001
from tests.cloud.query_plans import Recording
from tui_licenses.cloud.administration import check, issue, reinstate_key, revoke_key, suspend_key
from tui_licenses.cloud.rows import key_select, read_key, wire_key, wire_of_key
from tui_licenses.cloud.store import SCHEMA_VERSION, open_store
from tui_licenses.domain.license_key import KeyKind, KeyState
from tui_licenses.domain.status import KeyStatus


async def _totals(lab: Lab, query: str = "") -> dict[str, int]:
    """Return the total of each status, as the cloud counts it; it must agree with the rows."""
    totals = {}
    for status in KeyStatus:
        path = f"/licensing/keys?limit=1000&status={status}{query}"
        page: dict[str, Any] = (await lab.get(path)).json()
        assert page["totalCount"] == len(page["items"])
        assert {entry["status"] for entry in page["items"]} <= {status}
        totals[str(status)] = page["totalCount"]
    return totals


async def test_counts_are_right_after_every_kind_of_change(lab: Lab) -> None:
    await make_every_request(lab, Recording())
    assert check(lab.database) == ()


async def test_counts_follow_a_master_that_is_suspended_reinstated_and_revoked(lab: Lab) -> None:
    before = await _totals(lab)
    instance = await lab.licensed()
    for change in (suspend_key, reinstate_key, revoke_key):
        change(lab.database, instance["masterKeyId"], "a reason")
        assert check(lab.database) == ()
        after = await _totals(lab)
        assert sum(after.values()) == sum(before.values())
        assert (after == before) == (change is reinstate_key)


@pytest.mark.parametrize("query", ["", "&kind=master", "&kind=addOn", "&q=pack"])
async def test_counts_follow_the_clock(lab: Lab, query: str) -> None:
    for days in (0, 1, 28, 2, 14, 1, 354):
        lab.clock.advance(days=days)
        lab.access.clear()
        await _totals(lab, query)


async def test_counts_change_at_the_instant_of_expiry(lab: Lab) -> None:
    expires = lab.clock.now + timedelta(hours=3)
    issue(
        lab.database,
        lab.token("administrator").account_id,
        kind=KeyKind.ADD_ON,
        product_code="CAL-USER-25",
        count=2,
        expires_at=expires,
    )
    before = await _totals(lab)
    lab.clock.now = expires - timedelta(microseconds=1)
    lab.access.clear()
    assert await _totals(lab) == before
    lab.clock.now = expires
    after = await _totals(lab)
    assert after["expired"] == before["expired"] + 2
    assert after["expiring"] == before["expiring"] - 2


def test_a_database_of_the_first_schema_is_counted_when_it_is_opened(database: Database) -> None:
    store = open_store(database)
    with store.read() as connection:
        master = connection.exec_driver_sql(
            "SELECT master_key_id FROM instance WHERE state = 'licensed' AND add_on_count > 1"
        ).scalars()
        master_id = str(master.first())
    suspend_key(database, master_id, "unpaid")
    store.close()
    go_back_to_0001(database)
    store = open_store(database)
    assert store.schema_version() == SCHEMA_VERSION
    store.close()
    assert check(database) == ()


def test_a_key_goes_over_the_wire_as_its_domain_object_does(lab: Lab) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    with lab.store.read() as connection:
        rows = connection.execute(key_select()).all()
    for row in rows:
        master = None if row.master_state is None else KeyState(row.master_state)
        expected = wire_of_key(read_key(row), now, master)
        assert msgspec.json.encode(wire_key(row, now)) == msgspec.json.encode(expected)
    assert len({row.state for row in rows}) == len(KeyState)
