"""Every problem code of the contract, produced by a real request."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from tests.cloud.lab import BASE, Answer, Lab, on_sqlite, problem
from tui_licenses.api.problems import PROBLEM_CODES
from tui_licenses.cloud.administration import reinstate_key, revoke_key, suspend_key
from tui_licenses.cloud.app import create_app
from tui_licenses.cloud.http.resource import Throttles

Scenario = Callable[[Lab], Awaitable[Answer]]
SCENARIOS: dict[str, Scenario] = {}


def produces(code: str) -> Callable[[Scenario], Scenario]:
    """Register a scenario that ends with this problem."""

    def register(scenario: Scenario) -> Scenario:
        SCENARIOS[code] = scenario
        return scenario

    return register


@produces("invalid-request")
async def _limit_beyond_bounds(lab: Lab) -> Answer:
    return await lab.get("/licensing/keys?limit=1001")


@produces("unknown-parameter")
async def _unknown_parameter(lab: Lab) -> Answer:
    return await lab.get("/licensing/instances?colour=blue")


@produces("invalid-cursor")
async def _cursor_of_another_list(lab: Lab) -> Answer:
    cursor = (await lab.get("/licensing/keys?limit=1")).json()["nextCursor"]
    return await lab.get(f"/licensing/keys?limit=1&kind=master&cursor={cursor}")


@produces("idempotency-key-missing")
async def _no_idempotency_key(lab: Lab) -> Answer:
    master = await lab.free_master()
    instance = (await lab.instances("pending"))[0]
    return await lab.activate([master["key"]], instance["id"], headers={"Idempotency-Key": ""})


@produces("profile-too-large")
async def _body_too_large(lab: Lab) -> Answer:
    instance = (await lab.instances())[0]
    return await lab.ask(
        "PUT",
        f"/licensing/instances/{instance['id']}/profile",
        headers={"Content-Type": "application/xml", "If-Match": "*"},
        content=b"x" * (1024 * 1024 + 1),
    )


@produces("unsupported-media-type")
async def _form_instead_of_json(lab: Lab) -> Answer:
    return await lab.ask("POST", "/licensing/keys/lookup", data={"key": "x"})


@produces("if-match-required")
async def _no_condition(lab: Lab) -> Answer:
    instance = (await lab.instances())[0]
    path = f"/licensing/instances/{instance['id']}"
    return await lab.ask("PATCH", path, json={"name": "New"})


@produces("token-missing")
async def _no_token(lab: Lab) -> Answer:
    return await lab.get("/users/me", headers={"Authorization": ""})


@produces("token-invalid")
async def _made_up_token(lab: Lab) -> Answer:
    return await lab.get("/users/me", headers={"Authorization": "Bearer tla_madeup"})


@produces("token-expired")
async def _old_token(lab: Lab) -> Answer:
    await lab.sign_in("administrator")
    lab.clock.advance(hours=1)
    return await lab.get("/users/me")


@produces("invalid-refresh-token")
async def _wrong_refresh_token(lab: Lab) -> Answer:
    return await lab.exchange(lab.token("reader").subject_id, "tlr_wrong")


@produces("plan-not-eligible")
async def _plan_without_the_tab(lab: Lab) -> Answer:
    return await lab.get("/licensing/instances", who="ineligible")


@produces("role-insufficient")
async def _operator_releases(lab: Lab) -> Answer:
    key = (await lab.keys("active"))[0]
    body = {"reason": "move"}
    return await lab.ask("POST", f"/licensing/keys/{key['id']}/release", who="operator", json=body)


@produces("key-not-in-account")
async def _key_of_another_account(lab: Lab) -> Answer:
    foreign = await lab.free_master(who="other")
    instance = (await lab.instances("pending"))[0]
    return await lab.activate([foreign["key"]], instance["id"])


@produces("master-not-in-account")
async def _add_on_below_a_foreign_master(lab: Lab) -> Answer:
    own = {entry["id"] for entry in await lab.keys(kind="master")}
    instance = next(
        entry for entry in await lab.instances("licensed") if entry["masterKeyId"] not in own
    )
    return await lab.activate([(await lab.free_add_on())["key"]], instance["id"])


@produces("not-found")
async def _unknown_address(lab: Lab) -> Answer:
    return await lab.get("/licensing/nowhere")


@produces("instance-not-found")
async def _unknown_instance(lab: Lab) -> Answer:
    return await lab.get("/licensing/instances/7d1e4f4e-0000-4000-8000-000000000000")


@produces("key-not-found")
async def _unknown_key(lab: Lab) -> Answer:
    return await lab.ask("POST", "/licensing/keys/lookup", json={"key": "AAAA-BBBB-CCCC-DDDD"})


@produces("profile-not-found")
async def _no_profile(lab: Lab) -> Answer:
    instance = next(entry for entry in await lab.instances() if not entry["profileRevision"])
    return await lab.get(f"/licensing/instances/{instance['id']}/profile")


@produces("method-not-allowed")
async def _delete(lab: Lab) -> Answer:
    return await lab.ask("DELETE", "/licensing/instances")


@produces("range-not-satisfiable")
async def _range_beyond_the_end(lab: Lab) -> Answer:
    instance = await lab.licensed()
    path = f"/licensing/instances/{instance['id']}/profile"
    return await lab.get(path, headers={"Range": "bytes=9999999-"})


@produces("key-already-assigned")
async def _key_in_use_elsewhere(lab: Lab) -> Answer:
    active = (await lab.keys("active", "master"))[0]
    instance = (await lab.instances("pending"))[0]
    return await lab.activate([active["key"]], instance["id"])


@produces("master-already-present")
async def _second_master(lab: Lab) -> Answer:
    instance = await lab.licensed()
    return await lab.activate([(await lab.free_master())["key"]], instance["id"])


@produces("addon-requires-master")
async def _add_on_alone(lab: Lab) -> Answer:
    instance = (await lab.instances("pending"))[0]
    return await lab.activate([(await lab.free_add_on())["key"]], instance["id"])


@produces("no-master")
async def _license_file_without_master(lab: Lab) -> Answer:
    instance = (await lab.instances("pending"))[0]
    return await lab.get(f"/licensing/instances/{instance['id']}/license-file")


@produces("request-in-progress")
async def _same_request_twice_at_once(lab: Lab) -> Answer:
    instance = (await lab.instances())[0]
    path = f"/licensing/instances/{instance['id']}"
    headers = {"If-Match": "*", "Idempotency-Key": "twice"}
    reached, free = threading.Event(), threading.Event()

    def hold() -> None:
        with lab.store.write():
            reached.set()
            assert free.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    await asyncio.to_thread(reached.wait, 10)
    try:
        requests = [
            asyncio.create_task(lab.ask("PATCH", path, headers=headers, json={"name": "New"}))
            for _ in range(2)
        ]
        refused, _ = await asyncio.wait(requests, return_when=asyncio.FIRST_COMPLETED)
    finally:
        free.set()
        await asyncio.to_thread(holder.join)
    accepted = [await request for request in requests if request not in refused]
    assert [answer.status_code for answer in accepted] == [200]
    answer = refused.pop().result()
    assert answer.headers["retry-after"] == "1"
    return answer


@produces("key-revoked")
async def _revoked_key(lab: Lab) -> Answer:
    revoked = (await lab.keys("revoked"))[0]
    return await lab.activate([revoked["key"]], (await lab.licensed())["id"])


@produces("revision-mismatch")
async def _stale_revision(lab: Lab) -> Answer:
    instance = (await lab.instances())[0]
    path = f"/licensing/instances/{instance['id']}"
    return await lab.ask("PATCH", path, headers={"If-Match": '"0"'}, json={"name": "New"})


@produces("key-format")
async def _not_a_key(lab: Lab) -> Answer:
    return await lab.activate(["ABC"], (await lab.licensed())["id"])


@produces("key-expired")
async def _expired_key(lab: Lab) -> Answer:
    keys = await lab.keys("expired", "master")
    expired = next(entry for entry in keys if entry["state"] == "unassigned")
    return await lab.activate([expired["key"]], (await lab.instances("pending"))[0]["id"])


@produces("profile-invalid")
async def _broken_profile(lab: Lab) -> Answer:
    instance = (await lab.instances("pending"))[0]
    master = await lab.free_master()
    return await lab.activate([master["key"]], instance["id"], profileXml="<list")


@produces("profile-required")
async def _new_instance_without_profile(lab: Lab) -> Answer:
    body = {
        "keys": [(await lab.free_master())["key"]],
        "instance": {"name": "New", "location": {"countryCode": "DE"}},
    }
    return await lab.ask("POST", "/licensing/activations", json=body)


@produces("profile-without-identity")
async def _profile_of_nobody(lab: Lab) -> Answer:
    instance = (await lab.instances("pending"))[0]
    master = await lab.free_master()
    profile = '<node id="web01" class="system"/>'
    return await lab.activate([master["key"]], instance["id"], profileXml=profile)


@produces("idempotency-key-reused")
async def _idempotency_key_reused(lab: Lab) -> Answer:
    instance = (await lab.instances())[0]
    path = f"/licensing/instances/{instance['id']}"
    headers = {"If-Match": "*", "Idempotency-Key": "once"}
    assert (await lab.ask("PATCH", path, headers=headers, json={"name": "A"})).is_success
    return await lab.ask("PATCH", path, headers=headers, json={"name": "B"})


@produces("key-suspended")
async def _suspended_key(lab: Lab) -> Answer:
    keys = await lab.keys("suspended", "addOn")
    suspended = next(entry for entry in keys if entry["state"] == "suspended")
    return await lab.activate([suspended["key"]], (await lab.licensed())["id"])


@produces("key-superseded")
async def _superseded_key(lab: Lab) -> Answer:
    superseded = (await lab.keys("superseded"))[0]
    return await lab.activate([superseded["key"]], (await lab.instances("pending"))[0]["id"])


@produces("key-not-yet-valid")
async def _early_key(lab: Lab) -> Answer:
    early = (await lab.keys("pending", "master"))[0]
    return await lab.activate([early["key"]], (await lab.instances("pending"))[0]["id"])


@produces("instance-retired")
async def _retired_instance(lab: Lab) -> Answer:
    retired = (await lab.items("/licensing/instances?state=retired"))[0]
    return await lab.activate([(await lab.free_master())["key"]], retired["id"])


@produces("release-would-orphan-addons")
async def _master_with_add_ons(lab: Lab) -> Answer:
    with_add_ons = {entry["id"] for entry in await lab.instances() if entry["addOnCount"]}
    masters = await lab.keys(kind="master")
    master = next(
        entry
        for entry in masters
        if entry["instanceId"] in with_add_ons and entry["state"] == "active"
    )
    path = f"/licensing/keys/{master['id']}/release"
    return await lab.ask("POST", path, json={"reason": "move"})


@produces("rate-limited")
async def _too_many_guesses(lab: Lab) -> Answer:
    lab.client._transport.app = create_app(lab.store, throttles=Throttles())  # type: ignore[attr-defined]
    answer = await _unknown_key(lab)
    while answer.status_code == 404:
        answer = await _unknown_key(lab)
    assert int(answer.headers["retry-after"]) > 0
    return answer


@produces("internal")
async def _something_unforeseen(lab: Lab) -> Answer:
    await lab.sign_in("administrator")
    with lab.store.write() as connection:
        connection.exec_driver_sql("UPDATE license_key SET features = 'no JSON'")
    return await lab.get("/licensing/keys")


@produces("unavailable")
async def _schema_gone(lab: Lab) -> Answer:
    with lab.store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'other'")
    return await lab.get("/health", headers={"Authorization": ""})


@pytest.mark.parametrize("code", sorted(PROBLEM_CODES))
async def test_every_problem_code_is_produced_by_a_request(lab: Lab, code: str) -> None:
    answer = await SCENARIOS[code](lab)
    problem(answer, PROBLEM_CODES[code].status, code)


async def test_a_problem_never_holds_a_whole_key(lab: Lab) -> None:
    keys = {entry["key"] for entry in await lab.keys()}
    for code in ("key-already-assigned", "key-revoked", "key-superseded", "master-already-present"):
        text = (await SCENARIOS[code](lab)).text
        assert not [key for key in keys if key in text]


async def test_the_request_id_is_echoed_when_it_is_safe(lab: Lab) -> None:
    echoed = await lab.get("/health", headers={"X-Request-Id": "abc-123"})
    replaced = await lab.get("/health", headers={"X-Request-Id": "<script>"})
    assert echoed.headers["x-request-id"] == "abc-123"
    assert replaced.headers["x-request-id"] != "<script>"
    unrouted = await lab.client.get(f"{BASE}/nowhere", headers={"X-Request-Id": "abc"})
    assert problem(unrouted, 404, "not-found")["requestId"] == "abc"


async def test_the_plan_refusal_names_plan_and_contact(lab: Lab) -> None:
    document = problem(await _plan_without_the_tab(lab), 403, "plan-not-eligible")
    assert document["plan"] == "OmniD"
    assert document["supportContact"] == "licenses@orchard.example"


async def test_a_stale_change_answers_with_the_present_object(lab: Lab) -> None:
    answer = await _stale_revision(lab)
    document = problem(answer, 412, "revision-mismatch")
    assert document["current"] == (await lab.instances())[0]
    assert answer.headers["etag"] == f'"{document["current"]["revision"]}"'


@on_sqlite
async def test_a_locked_database_answers_that_it_is_unavailable(lab: Lab) -> None:
    await lab.sign_in("administrator")
    with lab.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE instance RENAME TO elsewhere")
    answer = await lab.get("/licensing/instances")
    problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "5"


async def test_states_moved_by_the_administration_are_refused_like_seeded_ones(lab: Lab) -> None:
    master = await lab.free_master()
    database = lab.database
    instance = (await lab.instances("pending"))[0]
    assert (await lab.activate([master["key"]], instance["id"])).status_code in {201, 422}
    active = (await lab.keys("active", "addOn"))[0]
    suspend_key(database, active["id"], "unpaid")
    reinstate_key(database, active["key"], "paid")
    revoke_key(database, active["id"], "returned")
    answer = await lab.activate([active["key"]], active["instanceId"])
    problem(answer, 410, "key-revoked")
