"""Signing in, and the limits on guessing."""

from __future__ import annotations

import statistics
import time

import pytest

from tests.cloud.conftest import Template
from tests.cloud.lab import Clock, Database, Lab, on_sqlite, open_lab, problem
from tests.trust.classes.s4_guessing import noise_seconds
from tui_licenses.api.problems import Problem
from tui_licenses.cloud.administration import revoke_token
from tui_licenses.cloud.http.resource import Throttles
from tui_licenses.cloud.instants import to_instant
from tui_licenses.cloud.operations.tokens import hash_access_token
from tui_licenses.cloud.throttle import FailureLimit, RefusedSignIns, Throttle


async def test_an_access_token_lives_for_an_hour(lab: Lab) -> None:
    token = lab.token("operator")
    answer = await lab.exchange(token.subject_id, token.refresh_token)
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert (told["expiresIn"], told["tokenType"]) == (3600, "Bearer")
    headers = {"Authorization": f"bearer {told['accessToken']}"}
    lab.clock.advance(minutes=59)
    assert (await lab.get("/users/me", headers=headers)).status_code == 200
    lab.clock.advance(minutes=1)
    problem(await lab.get("/users/me", headers=headers, who="reader"), 401, "token-expired")


async def test_an_expired_token_is_forgotten_after_a_day(lab: Lab) -> None:
    old = await lab.sign_in("operator")
    lab.clock.advance(days=1, hours=1, seconds=1)
    lab.access.clear()
    headers = {"Authorization": f"Bearer {old}"}
    problem(await lab.get("/users/me", headers=headers), 401, "token-invalid")


@on_sqlite
async def test_tokens_are_not_in_the_database(lab: Lab) -> None:
    access = await lab.sign_in("administrator")
    refresh = lab.token("administrator").refresh_token
    content = b"".join(path.read_bytes() for path in lab.store.path.parent.glob("cloud.db*"))
    assert access.encode() not in content
    assert refresh.encode() not in content
    assert hash_access_token(access) in content


async def test_a_revoked_sign_in_ends_at_once(lab: Lab) -> None:
    await lab.sign_in("reader")
    token = lab.token("reader")
    revoke_token(lab.database, token.subject_id)
    problem(await lab.get("/users/me", who="reader"), 401, "token-invalid")
    refused = await lab.exchange(token.subject_id, token.refresh_token)
    problem(refused, 401, "invalid-refresh-token")


async def test_an_unknown_subject_is_answered_like_a_wrong_token_in_the_same_time(
    lab: Lab,
) -> None:
    known = lab.token("reader").subject_id
    times: dict[str, list[float]] = {known: [], "nobody": []}
    documents = {}
    for number in range(120):
        # In turn, so that what is slow about the first or the second is so for both.
        for subject_id in times if number % 2 else reversed(times):
            begun = time.perf_counter()
            answer = await lab.exchange(subject_id, "tlr_wrong")
            times[subject_id].append(time.perf_counter() - begun)
            document = problem(answer, 401, "invalid-refresh-token")
            documents[subject_id] = document | {"requestId": ""}
    assert documents[known] == documents["nobody"]
    differences = [one - other for one, other in zip(*times.values(), strict=True)]
    assert abs(statistics.median(differences)) < noise_seconds(differences)


@on_sqlite
@pytest.mark.parametrize("refresh_token", ["", "\ud800", "tlr_" + "x" * 60_000])
async def test_any_text_can_be_a_wrong_token(lab: Lab, refresh_token: str) -> None:
    import json

    body = {
        "subjectType": "Application",
        "subjectId": "x",
        "grantType": "refreshToken",
        "refreshToken": refresh_token,
    }
    answer = await lab.client.post(
        "/api/v3/authorization/token",
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in {400, 401}


async def test_refused_sign_ins_are_limited_with_growing_waits(
    template: Template, database: Database
) -> None:
    lab = open_lab(database, template[1], Throttles())
    async with lab.client:
        token = lab.token("reader")
        for _ in range(5):
            answer = await lab.exchange(token.subject_id, "tlr_wrong")
            problem(answer, 401, "invalid-refresh-token")
        for seconds in (12, 24, 48):
            limited = await lab.exchange(token.subject_id, "tlr_wrong")
            problem(limited, 429, "rate-limited")
            assert limited.headers["retry-after"] == str(seconds)
            lab.clock.advance(seconds=seconds)
            refused = await lab.exchange(token.subject_id, "tlr_wrong")
            problem(refused, 401, "invalid-refresh-token")
    lab.store.close()


async def test_the_right_token_signs_in_however_many_others_failed(
    template: Template, database: Database
) -> None:
    lab = open_lab(database, template[1], Throttles())
    async with lab.client:
        token = lab.token("administrator")
        for _ in range(20):
            assert not (await lab.exchange(token.subject_id, "tlr_wrong")).is_success
        assert (await lab.exchange(token.subject_id, token.refresh_token)).is_success
        problem(await lab.exchange(token.subject_id, "tlr_wrong"), 429, "rate-limited")
    lab.store.close()


def test_failures_are_counted_by_subject_and_by_address() -> None:
    limits = RefusedSignIns(5)
    for number in range(5):
        limits.count(f"subject {number}", "192.0.2.1", 0)
    with pytest.raises(Problem):
        limits.count("another subject", "192.0.2.1", 0)
    for number in range(5):
        limits.count("one subject", f"192.0.2.{number + 2}", 0)
    with pytest.raises(Problem):
        limits.count("one subject", "192.0.2.100", 0)


def test_a_wait_is_never_longer_than_a_quarter_of_an_hour_and_is_forgotten_after_another() -> None:
    clock, limit = Clock(), FailureLimit(1)
    for _ in range(30):
        limit.count("a", to_instant(clock()))
        clock.advance(minutes=15)
    clock.advance(minutes=-1)
    with pytest.raises(Problem) as refused:
        limit.count("a", to_instant(clock()))
    assert refused.value.headers == {"Retry-After": "60"}
    clock.advance(minutes=16, seconds=1)
    limit.count("a", to_instant(clock()))
    with pytest.raises(Problem) as refused:
        limit.count("a", to_instant(clock()))
    assert refused.value.headers == {"Retry-After": "12"}


def test_failures_are_kept_of_so_many_callers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_licenses.cloud.throttle._CALLERS_MAXIMUM", 3)
    limit = FailureLimit(1)
    for caller in "abcd":
        limit.count(caller, 0)
    limit.count("a", 0)
    with pytest.raises(Problem):
        limit.count("d", 0)


async def test_guessing_keys_is_limited_in_previews_and_activations_too(
    template: Template, database: Database
) -> None:
    lab = open_lab(database, template[1], Throttles())
    async with lab.client:
        instance = await lab.licensed()
        guesses = [f"AAAABBBBCCCC{number:04d}" for number in range(20)]
        body = {"keys": guesses, "instanceId": instance["id"]}
        assert (await lab.ask("POST", "/licensing/activations/preview", json=body)).is_success
        for path in ("/licensing/activations/preview", "/licensing/activations"):
            problem(await lab.ask("POST", path, json=body), 429, "rate-limited")
        lookup = await lab.ask("POST", "/licensing/keys/lookup", json={"key": guesses[0]})
        problem(lookup, 429, "rate-limited")
    lab.store.close()


def test_a_bucket_fills_again_and_never_over() -> None:
    clock, throttle = Clock(), Throttle(2, 10)
    throttle.check_and_take("a", to_instant(clock()))
    throttle.check_and_take("a", to_instant(clock()))
    with pytest.raises(Problem) as refused:
        throttle.check_and_take("a", to_instant(clock()))
    assert refused.value.headers == {"Retry-After": "10"}
    throttle.check_and_take("b", to_instant(clock()))
    clock.advance(hours=1)
    for _ in range(2):
        throttle.check_and_take("a", to_instant(clock()))
    with pytest.raises(Problem):
        throttle.check("a", to_instant(clock()))


def test_a_clock_that_goes_back_refills_nothing() -> None:
    clock, throttle = Clock(), Throttle(1, 10)
    throttle.take("a", to_instant(clock()))
    clock.advance(hours=-1)
    with pytest.raises(Problem):
        throttle.check("a", to_instant(clock()))


def test_the_buckets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_licenses.cloud.throttle._CALLERS_MAXIMUM", 3)
    throttle = Throttle(1, 1000)
    for caller in "abcd":
        throttle.take(caller, 0)
    throttle.check("a", 0)
    with pytest.raises(Problem):
        throttle.check("d", 0)
