"""Lists: pages, sorts, filters, searches, conditions, compression."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cloud.lab import KEYS, Lab, on_sqlite, problem
from tui_licenses.cloud.administration import suspend_key
from tui_licenses.cloud.search import looks_like_a_key, prefix_range, words
from tui_licenses.domain.status import KeyStatus


async def _pages(lab: Lab, path: str, limit: int) -> list[dict[str, Any]]:
    """Read a list page by page; every page must tell the same total and its own start."""
    found: list[dict[str, Any]] = []
    cursor = ""
    mark = "&" if "?" in path else "?"
    while True:
        answer = await lab.get(f"{path}{mark}limit={limit}{cursor}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["start"] == len(found)
        assert page["size"] == page["totalCount"]
        found += page["items"]
        if page["nextCursor"] is None:
            assert page["totalCount"] == len(found)
            return found
        assert len(page["items"]) == limit
        cursor = f"&cursor={page['nextCursor']}"


@pytest.mark.parametrize("sort", ["instanceName", "-instanceName", "expiresAt", "-updatedAt"])
async def test_pages_of_keys_join_to_the_whole_list(lab: Lab, sort: str) -> None:
    path = f"/licensing/keys?sort={sort}"
    whole = await lab.items(f"{path}&limit=1000")
    assert len({entry["id"] for entry in whole}) == KEYS
    assert await _pages(lab, path, 7) == whole
    reverse = sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"
    assert await lab.items(f"/licensing/keys?limit=1000&sort={reverse}") == whole[::-1]


@pytest.mark.parametrize("sort", ["name", "-updatedAt"])
async def test_pages_of_instances_join_to_the_whole_list(lab: Lab, sort: str) -> None:
    path = f"/licensing/instances?sort={sort}"
    assert await _pages(lab, path, 3) == await lab.items(f"{path}&limit=1000")


async def test_events_come_newest_first_and_can_be_turned(lab: Lab) -> None:
    newest = await _pages(lab, "/licensing/events", 2)
    assert [entry["sequence"] for entry in newest] == list(range(len(newest), 0, -1))
    assert await lab.items("/licensing/events?sort=sequence") == newest[::-1]
    target = newest[0]["targetId"]
    found = await _pages(lab, f"/licensing/events?targetId={target}", 5)
    assert found == [entry for entry in newest if entry["targetId"] == target]


async def test_the_default_order_is_instance_then_master_then_activation(lab: Lab) -> None:
    keys = await lab.keys()
    unassigned = [entry["instanceId"] is None for entry in keys]
    assert unassigned == sorted(unassigned)
    assigned = [entry for entry in keys if entry["instanceId"] is not None]
    order = [
        (
            entry["instanceName"].casefold(),
            entry["instanceId"],
            entry["kind"] != "master",
            entry["activatedAt"],
        )
        for entry in assigned
    ]
    assert order == sorted(order)


async def test_a_sort_by_expiry_ends_with_the_perpetual(lab: Lab) -> None:
    keys = await lab.items("/licensing/keys?sort=expiresAt&limit=1000")
    dates = [entry["expiresAt"] or "9999" for entry in keys]
    assert dates == sorted(dates)


async def test_a_start_skips_and_excludes_a_cursor(lab: Lab) -> None:
    whole = await lab.keys()
    page = (await lab.get("/licensing/keys?start=5&limit=3")).json()
    assert (page["start"], page["items"]) == (5, whole[5:8])
    both = f"/licensing/keys?start=5&limit=3&cursor={page['nextCursor']}"
    problem(await lab.get(both), 400, "invalid-request")


@on_sqlite
@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=ten",
        "limit=²",
        "start=-1",
        "start=10001",
        "sort=colour",
        "sort=--name",
        "kind=slave",
        "status=dead",
        "includeAddOns=yes",
        "limit=1&limit=2",
        "q=%21%21",
        "q=ABCD-EFGH-IJKL-MN0P",
        "q=abcdefghijklmn0p",
    ],
)
async def test_a_parameter_that_is_wrong_is_refused(lab: Lab, query: str) -> None:
    problem(await lab.get(f"/licensing/keys?{query}"), 400, "invalid-request")


async def test_an_unknown_state_of_instances_is_refused(lab: Lab) -> None:
    problem(await lab.get("/licensing/instances?state=lost"), 400, "invalid-request")


@on_sqlite
@pytest.mark.parametrize(
    "cursor", ["x", "!!!", "WyJhIl0", "e30", "WyJhIixbXSwxXQ", "WyJhIixbXSwtMV0"]
)
@pytest.mark.parametrize("path", ["keys", "instances", "events", "changes"])
async def test_a_cursor_that_is_not_ours_is_refused(lab: Lab, path: str, cursor: str) -> None:
    problem(await lab.get(f"/licensing/{path}?cursor={cursor}"), 400, "invalid-cursor")


async def test_a_cursor_with_a_forged_place_is_refused(lab: Lab) -> None:
    import base64
    import json

    cursor = (await lab.get("/licensing/keys?limit=1")).json()["nextCursor"]
    of, place, start = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    forged = base64.urlsafe_b64encode(json.dumps([of, [*place, "x"], start]).encode()).decode()
    answer = await lab.get(f"/licensing/keys?limit=1&cursor={forged.rstrip('=')}")
    problem(answer, 400, "invalid-cursor")


@pytest.mark.parametrize("status", list(KeyStatus))
async def test_a_filter_by_status_agrees_with_the_status_shown(lab: Lab, status: KeyStatus) -> None:
    suspend_key(lab.database, (await lab.licensed())["masterKeyId"], "unpaid")
    expected = await lab.keys(status)
    answer = (await lab.get(f"/licensing/keys?limit=1000&status={status}")).json()
    assert answer["items"] == expected
    assert answer["totalCount"] == len(expected) > 0


async def test_several_statuses_are_joined(lab: Lab) -> None:
    found = await lab.items("/licensing/keys?limit=1000&status=active,revoked")
    assert {entry["status"] for entry in found} == {"active", "revoked"}


async def test_add_ons_can_be_left_out_and_kinds_be_chosen(lab: Lab) -> None:
    masters = (await lab.get("/licensing/keys?limit=1000&includeAddOns=false")).json()
    assert {entry["kind"] for entry in masters["items"]} == {"master"}
    assert masters["totalCount"] == len(masters["items"])
    assert masters["items"] == await lab.items("/licensing/keys?limit=1000&kind=master")
    add_ons = (await lab.get("/licensing/keys?limit=1000&kind=addOn")).json()
    assert add_ons["totalCount"] == len(add_ons["items"]) == KEYS - masters["totalCount"]
    none = (await lab.get("/licensing/keys?kind=addOn&includeAddOns=false")).json()
    assert (none["items"], none["totalCount"]) == ([], 0)


async def test_a_search_finds_words_of_names_products_and_last_four(lab: Lab) -> None:
    keys = await lab.keys()
    for query, matches in (
        ("berl", lambda key: "berlin" in (key["instanceName"] or "").casefold()),
        ("PACK 50", lambda key: "pack of 50" in key["productName"]),
        (keys[3]["key"][-4:].lower(), lambda key: key["key"][-4:] == keys[3]["key"][-4:]),
    ):
        found = await lab.items("/licensing/keys", params={"limit": 1000, "q": query})
        assert found == [key for key in keys if matches(key)] != []


async def test_a_search_for_instances_finds_words_of_names(lab: Lab) -> None:
    instances = await lab.instances()
    found = (await lab.get("/licensing/instances?q=hauptbahn")).json()
    assert found["items"] == [i for i in instances if "Hauptbahnhof" in i["name"]]
    assert found["totalCount"] == len(found["items"]) == 2
    assert await lab.items("/licensing/instances?q=hauptbahn%20nowhere") == []


async def test_a_search_with_blanks_only_is_no_search(lab: Lab) -> None:
    assert len(await lab.items("/licensing/keys?limit=1000&q=%20")) == KEYS


async def test_a_list_that_did_not_change_answers_304(lab: Lab) -> None:
    first = await lab.get("/licensing/keys?limit=5")
    again = await lab.get(
        "/licensing/keys?limit=5", headers={"If-None-Match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-changes-cursor"] == first.headers["x-changes-cursor"]
    anything = await lab.get("/licensing/keys?limit=5", headers={"If-None-Match": "*"})
    assert anything.status_code == 304
    other = await lab.get("/licensing/keys?limit=5", headers={"If-None-Match": '"x", W/"y"'})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("deflate, *", "gzip"),
        ("gzip;q=0.5", "gzip"),
        ("gzip;q=0", None),
        ("identity", None),
    ],
)
async def test_a_list_is_compressed_where_that_is_accepted(
    lab: Lab, accepted: str, encoding: str | None
) -> None:
    path = "/licensing/keys?limit=1000"
    answer = await lab.get(path, headers={"Accept-Encoding": accepted})
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert len(answer.json()["items"]) == KEYS
    small = await lab.get("/licensing/changes?limit=0", headers={"Accept-Encoding": accepted})
    assert "content-encoding" not in small.headers


def test_the_same_list_is_compressed_to_the_same_bytes() -> None:
    assert gzip.compress(b"x", 1, mtime=0) == gzip.compress(b"x", 1, mtime=0)


@given(st.text(max_size=60))
def test_words_are_lower_case_and_found_by_each_of_their_beginnings(text: str) -> None:
    for word in words(text):
        assert words(word) == (word,)
        for end in range(1, len(word) + 1):
            first, last = prefix_range(word[:end])
            assert first <= word < last


@pytest.mark.parametrize("text", ["rack 12 building", "frankfurt rack 12", "ABCD-EFGH", ""])
def test_a_name_is_not_taken_for_a_key(text: str) -> None:
    assert not looks_like_a_key(text)
