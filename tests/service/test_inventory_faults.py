"""What a cloud tells wrongly or no more does not spoil the inventory."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.scripted_server import Answer, Received, Responder, http, problem
from tests.support.scripted_services import scripted_services
from tests.support.values import NOW, make_instance, make_key, make_user
from tui_licenses.domain.inventory import Inventory
from tui_licenses.errors import NotFoundError, UseError

LOADED = Inventory.of(make_user(), (make_instance(),), (make_key(),), NOW, "cursor")


USER: dict[str, Any] = {
    "id": "u",
    "email": None,
    "displayName": "Anna",
    "role": "reader",
    "account": {
        "id": "a",
        "name": "Example",
        "plan": "Pro",
        "planStartsAt": None,
        "planEndsAt": None,
        "licensesTab": {"available": True, "reason": None, "supportContact": None},
    },
}


def _identifying(answer: Answer) -> Responder:
    """Answer who is signed in, and everything else in one way."""
    return lambda request: http(200, USER) if request.path.endswith("/users/me") else answer


async def test_a_key_that_left_the_account_leaves_the_inventory() -> None:
    gone = {"sequence": 1, "kind": "key", "id": make_key().id, "deleted": True}
    page = http(200, {"items": [gone], "nextCursor": "next", "hasMore": False})
    async with scripted_services(_identifying(page)) as (services, _):
        refreshed = await services.inventory.refresh(LOADED)
    assert refreshed.keys == ()
    assert refreshed.instances == LOADED.instances
    assert refreshed.cursor == "next"


async def test_a_refused_refresh_is_told_and_not_hidden_by_a_load() -> None:
    refusal = problem("unknown-parameter", 400)
    async with scripted_services(_identifying(refusal)) as (services, server):
        with pytest.raises(UseError):
            await services.inventory.refresh(LOADED)
    assert [path.rpartition("/")[2].partition("?")[0] for path in server.paths()] == [
        "me",
        "changes",
    ]


async def test_who_is_signed_in_is_asked_once_for_a_copy_and_not_with_every_refresh() -> None:
    page = http(200, {"items": [], "nextCursor": "next", "hasMore": False})
    async with scripted_services(_identifying(page)) as (services, server):
        first = await services.inventory.refresh(LOADED)
        second = await services.inventory.refresh(first)
    assert first.user.display_name == second.user.display_name == "Anna"
    assert [path.rpartition("/")[2].partition("?")[0] for path in server.paths()] == [
        "me",
        "changes",
        "changes",
    ]


async def test_a_lookup_that_names_no_key_finds_none() -> None:
    def responder(request: Received) -> Answer:
        nothing = dict.fromkeys(
            ("keyId", "kind", "status", "productName", "instanceId", "instanceName")
        )
        return http(
            200,
            {"inAccount": False, "assignable": False, "reasons": [], "features": [], **nothing},
        )

    async with scripted_services(responder) as (services, _):
        with pytest.raises(NotFoundError) as caught:
            await services.inventory.find_key("ABCD-EFGH-1234-5678")
    assert caught.value.code == "key-not-found"


async def test_a_plan_is_refused_in_plain_words_where_the_cloud_gives_none() -> None:
    tab = {"available": False, "reason": None, "supportContact": None}
    user = {**USER, "account": {**USER["account"], "plan": "OmniD", "licensesTab": tab}}
    async with scripted_services(lambda _: http(200, user)) as (services, _):
        with pytest.raises(Exception, match="Omni-D has no Licenses tab") as caught:
            await services.inventory.load()
    assert "sales contact" in str(caught.value)
