"""What whoever runs a license cloud does with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cloud.conftest import Template
from tests.cloud.lab import Database, Lab
from tui_licenses.cloud.administration import (
    accounts,
    check,
    initialise,
    issue,
    make_account,
    make_token,
    reinstate_key,
    revoke_key,
    revoke_token,
    suspend_key,
    tokens,
)
from tui_licenses.domain.account import Role
from tui_licenses.domain.license_key import Feature, KeyKind, KeyState, group_key
from tui_licenses.errors import NotFoundError, StateError, TuiLicensesError, UseError

_SEATS = (Feature("seats", "Seats", 5),)


def test_accounts_are_listed_with_their_counters(template: Template, database: Database) -> None:
    listed = accounts(database)
    assert [entry.plan for entry in listed] == ["Enterprise", "ProPlus", "Pro", "OmniD"]
    assert sum(entry.key_count for entry in listed) == template[1].key_count
    assert all(0 < entry.add_on_count < entry.key_count for entry in listed)


async def test_issued_keys_appear_in_the_account(lab: Lab) -> None:
    cursor = (await lab.get("/licensing/changes?limit=0")).json()["nextCursor"]
    expires = datetime(2030, 1, 1, tzinfo=UTC)
    issued = issue(
        lab.database,
        "Meridian Transit Displays",
        kind=KeyKind.ADD_ON,
        product_code="CAL-USER-25",
        count=3,
        expires_at=expires,
        order_reference="SO-1",
    )
    assert len({key.key for key in issued}) == 3
    assert {(key.state, key.expires_at) for key in issued} == {(KeyState.UNASSIGNED, expires)}
    assert issued[0].features == (Feature("users", "User CALs", 25),)
    changes = await lab.items(f"/licensing/changes?cursor={cursor}")
    assert [change["id"] for change in changes] == [key.id for key in issued]
    newest = (await lab.items("/licensing/events?limit=1"))[0]
    assert (newest["action"], newest["actor"]) == ("keys.issued", "cloud administration")
    assert issued[0].key[-4:] in newest["after"]["keys"][0]
    assert issued[0].key not in str(newest)
    answer = await lab.activate([issued[0].key], (await lab.licensed())["id"])
    assert answer.status_code == 201
    assert check(lab.database) == ()


def test_a_new_product_needs_a_name_and_features_once(empty_database: Database) -> None:
    database = empty_database
    initialise(database)
    account = make_account(database, "Acme", "Pro", "help@acme.example")
    order: dict[str, Any] = {"kind": KeyKind.MASTER, "product_code": "X-1"}
    with pytest.raises(UseError):
        issue(database, account.id, **order)
    first = issue(database, account.id, product_name="Édition X", features=_SEATS, **order)
    second = issue(database, "Acme", **order)
    assert first[0].features == second[0].features == _SEATS
    other = issue(database, "Acme", features=(Feature("beds", "Beds", None),), **order)
    assert other[0].features != second[0].features
    with pytest.raises(UseError):
        issue(database, "Acme", kind=KeyKind.ADD_ON, product_code="X-1")
    order = {"kind": KeyKind.MASTER, "product_code": "X-2"}
    assert issue(database, "Acme", product_name="!!!", features=_SEATS, **order)
    assert check(database) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"count": 0},
        {"count": 10_001},
        {"product_code": ""},
        {"product_code": "e\u0301"},
        {"product_name": "x" * 121},
        {"order_reference": "a\x1bb"},
        {"features": _SEATS * 2},
        {"features": (Feature("seats", "Seats", -1),)},
        {
            "starts_at": datetime(2030, 1, 1, tzinfo=UTC),
            "expires_at": datetime(2029, 1, 1, tzinfo=UTC),
        },
    ],
)
def test_an_order_that_is_wrong_is_refused(database: Database, change: dict[str, Any]) -> None:
    order = {
        "kind": KeyKind.MASTER,
        "product_code": "X-1",
        "product_name": "X",
        "features": _SEATS,
    }
    with pytest.raises(UseError) as refused:
        issue(database, "Kestrel Campus Media", **(order | change))
    assert refused.value.code == "invalid-request"


def test_an_account_is_found_by_id_or_by_a_name_that_is_alone(database: Database) -> None:
    first, second = make_account(database, "Twin", "Pro"), make_account(database, "Twin", "Pro")
    with pytest.raises(UseError) as ambiguous:
        make_token(database, "Twin", Role.READER, "Reader")
    assert ambiguous.value.code == "ambiguous-name"
    assert first.id in ambiguous.value.next_step
    assert make_token(database, second.id, Role.READER, "Reader").account_id == second.id
    with pytest.raises(NotFoundError):
        tokens(database, "nobody")


def test_a_token_is_shown_once_and_can_be_revoked_once(database: Database) -> None:
    made = make_token(database, "Kestrel Campus Media", Role.OPERATOR, "Robot", "r@k.example")
    listed = tokens(database, "Kestrel Campus Media")
    assert [entry.display_name for entry in listed] == ["Lab administrator", "Robot"]
    assert made.refresh_token not in str(listed)
    assert len(tokens(database)) > len(listed)
    revoked = revoke_token(database, made.subject_id)
    assert revoked.revoked_at is not None
    assert tokens(database, made.account_id)[-1].revoked_at == revoked.revoked_at
    with pytest.raises(StateError):
        revoke_token(database, made.subject_id)
    with pytest.raises(NotFoundError):
        revoke_token(database, "nobody")


async def test_a_key_is_suspended_reinstated_and_revoked(lab: Lab) -> None:
    key = (await lab.keys("active", "addOn"))[0]
    database = lab.database
    with pytest.raises(StateError) as refused:
        reinstate_key(database, key["id"], "never suspended")
    assert refused.value.code == "key-active"
    assert suspend_key(database, key["id"], "unpaid").state is KeyState.SUSPENDED
    with pytest.raises(StateError):
        suspend_key(database, key["id"], "again")
    assert reinstate_key(database, group_key(key["key"]), "paid").state is KeyState.ACTIVE
    assert revoke_key(database, key["key"], "returned").state is KeyState.REVOKED
    with pytest.raises(StateError):
        revoke_key(database, key["id"], "again")
    actions = [entry["action"] for entry in await lab.items("/licensing/events?limit=3")]
    assert actions == ["key.revoked", "key.reinstated", "key.suspended"]
    assert check(database) == ()


async def test_a_key_without_an_instance_can_be_revoked(lab: Lab) -> None:
    key = await lab.free_master()
    assert revoke_key(lab.database, key["id"], "refunded").state is KeyState.REVOKED
    with pytest.raises(NotFoundError):
        revoke_key(lab.database, "AAAABBBBCCCCDDDD", "unknown")
    assert check(lab.database) == ()


def test_an_account_needs_a_name(database: Database) -> None:
    with pytest.raises(TuiLicensesError):
        make_account(database, " ", "Pro")
