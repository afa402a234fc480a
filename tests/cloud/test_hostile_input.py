"""Input that no honest client sends is refused with a problem document, never with a failure."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.cloud.lab import Lab, on_sqlite, problem

_LOOKUP = "/licensing/keys/lookup"


@on_sqlite
@pytest.mark.parametrize(
    "body",
    [
        b'{"key": ' * 100_000,
        b"[" * 60_000,
        b'{"key": NaN}',
        b'{"key": 1e999}',
        b'{"key": ' + b"9" * 5_000 + b"}",
        b'{"key": "AAAA", "key": "BBBB"}',
        b'{"key": {"a": 1, "a": 2}}',
        b'{"key": "\\ud800"}',
        b'{"key": "\\u0000"}',
        b'{"key": "\xff"}',
        '{"key": "AAAA"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"key": "AAAA"}',
        b"",
    ],
    ids=range(13),
)
async def test_json_that_readers_disagree_on_is_refused(lab: Lab, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await lab.ask("POST", _LOOKUP, content=body[:65_000], headers=headers)
    assert answer.status_code == 400, answer.text
    assert "AAAA" not in answer.text


async def test_a_backslash_before_u0000_is_a_backslash(lab: Lab) -> None:
    answer = await lab.ask("POST", _LOOKUP, json={"key": "\\u0000"})
    problem(answer, 422, "key-format")


@on_sqlite
@pytest.mark.parametrize("name", ["q", "targetId", "instanceId", "cursor", "status", "sort"])
async def test_a_nul_character_in_a_parameter_is_refused(lab: Lab, name: str) -> None:
    path = "/licensing/events" if name == "targetId" else "/licensing/keys"
    problem(await lab.get(f"{path}?{name}=a%00b"), 400, "invalid-request")


async def test_an_id_with_a_nul_character_is_unknown(lab: Lab) -> None:
    instance = await lab.licensed()
    for path in (f"{instance['id']}%00", "%00"):
        problem(await lab.get(f"/licensing/instances/{path}"), 404, "instance-not-found")


@on_sqlite
@pytest.mark.parametrize("text", ["0" * 12 + "9" * 30, "9" * 6_000, "-1", "+1", "1e3", "٣", ""])
async def test_a_number_is_a_few_digits_within_bounds(lab: Lab, text: str) -> None:
    for name in ("start", "limit"):
        answer = await lab.get("/licensing/keys", params={name: text})
        problem(answer, 400, "invalid-request")


_TEXTS = [[1], ["a", "b"], ["a\0b"], [None], [["a"]], [1.5], []]
_NUMBERS = [["a"], [2**63], [10**30], [1, 2], [True], []]


@on_sqlite
@pytest.mark.parametrize(
    ("name", "place"),
    [*(("keys", place) for place in _TEXTS), *(("events", place) for place in _NUMBERS)],
)
async def test_a_forged_cursor_is_refused_whatever_it_holds(
    lab: Lab, name: str, place: list[Any]
) -> None:
    bound_to, _, start = await _cursor(lab, name)
    await _refuse(lab, name, [bound_to, place, start])


@pytest.mark.parametrize("start", [-1, 2**64, 10**30, "1", None])
async def test_a_forged_number_in_a_cursor_is_refused(lab: Lab, start: object) -> None:
    bound_to, place, _ = await _cursor(lab, "keys")
    await _refuse(lab, "keys", [bound_to, place, start])


async def _cursor(lab: Lab, name: str) -> tuple[str, list[object], int]:
    first = (await lab.get(f"/licensing/{name}?limit=1")).json()["nextCursor"]
    bound_to, place, start = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    return bound_to, place, start


async def _refuse(lab: Lab, name: str, content: list[object]) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    answer = await lab.get(f"/licensing/{name}?limit=1&cursor={cursor}")
    problem(answer, 400, "invalid-cursor")


async def test_the_methods_of_an_address_are_told(lab: Lab) -> None:
    for method in ("OPTIONS", "DELETE"):
        answer = await lab.ask(method, _LOOKUP)
        problem(answer, 405, "method-not-allowed")
        assert answer.headers["allow"] == "POST"
