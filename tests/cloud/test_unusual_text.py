"""Text and numbers on which databases differ get one answer from both."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.cloud.lab import Lab, problem

_NUL, _NUL_IN_ADDRESS = "a\x00b", "a%00b"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/licensing/keys/{_NUL_IN_ADDRESS}", "key-not-found"),
        (f"/licensing/keys/{_NUL_IN_ADDRESS}/certificate", "key-not-found"),
        (f"/licensing/instances/{_NUL_IN_ADDRESS}", "instance-not-found"),
        (f"/licensing/instances/{_NUL_IN_ADDRESS}/license-file", "instance-not-found"),
    ],
)
async def test_an_id_with_a_nul_is_an_unknown_id(lab: Lab, path: str, code: str) -> None:
    problem(await lab.get(path), 404, code)


@pytest.mark.parametrize(
    "path",
    [
        f"/licensing/keys?instanceId={_NUL_IN_ADDRESS}",
        f"/licensing/events?targetId={_NUL_IN_ADDRESS}",
        f"/licensing/keys?q=x{_NUL_IN_ADDRESS}",
        f"/licensing/instances?q=x{_NUL_IN_ADDRESS}",
    ],
)
async def test_a_filter_with_a_nul_is_refused(lab: Lab, path: str) -> None:
    problem(await lab.get(path), 400, "invalid-request")


async def test_a_body_with_a_nul_is_refused(lab: Lab) -> None:
    problem(await lab.exchange(_NUL, _NUL), 400, "invalid-request")
    key = await lab.free_master()
    problem(await lab.activate([key["key"]], _NUL), 400, "invalid-request")
    problem(await lab.activate([_NUL], (await lab.licensed())["id"]), 400, "invalid-request")
    path = f"/licensing/instances/{(await lab.licensed())['id']}"
    answer = await lab.ask("PATCH", path, headers={"If-Match": "*"}, json={"name": _NUL})
    problem(answer, 400, "invalid-request")


@pytest.mark.parametrize(
    ("sort", "place"),
    [
        ("instanceName", [_NUL]),
        ("instanceName", [7]),
        ("expiresAt", ["7", "x"]),
        ("expiresAt", [2**63, "x"]),
        ("expiresAt", [-(2**70), "x"]),
        ("expiresAt", [7, 7]),
        ("updatedAt", [True, "x"]),
    ],
)
async def test_a_cursor_to_a_place_that_no_row_can_have_is_refused(
    lab: Lab, sort: str, place: list[Any]
) -> None:
    path = f"/licensing/keys?limit=1&sort={sort}"
    cursor = (await lab.get(path)).json()["nextCursor"]
    of, _, start = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    forged = base64.urlsafe_b64encode(json.dumps([of, place, start]).encode()).decode()
    answer = await lab.get(f"{path}&cursor={forged.rstrip('=')}")
    problem(answer, 400, "invalid-cursor")


async def test_names_stand_in_the_order_of_their_characters_not_of_a_language(lab: Lab) -> None:
    names = ["zebra", "Ångström", "apfel", "Äpfel", "Zebra 2", "_low", "10", "a-b"]
    for instance, name in zip(await lab.instances(), names, strict=True):
        path = f"/licensing/instances/{instance['id']}"
        answer = await lab.ask("PATCH", path, headers={"If-Match": "*"}, json={"name": name})
        assert answer.is_success
    shown = [entry["name"] for entry in await lab.items("/licensing/instances?limit=1000")]
    assert shown == sorted(shown, key=str.casefold)
    of_keys = [key["instanceName"] for key in await lab.keys() if key["instanceName"]]
    assert of_keys == sorted(of_keys, key=str.casefold)


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("STRASSE", "straße"),
        ("Straße", "STRASSE"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("100% sure_thing", "100"),
        ("under_score", "score"),
        ("漢字 tower", "漢"),
    ],
)
async def test_words_are_found_whatever_their_case(lab: Lab, name: str, query: str) -> None:
    path = f"/licensing/instances/{(await lab.licensed())['id']}"
    answer = await lab.ask("PATCH", path, headers={"If-Match": "*"}, json={"name": name})
    assert answer.is_success
    found = await lab.items("/licensing/instances", params={"q": query})
    assert [entry["name"] for entry in found] == [name]
