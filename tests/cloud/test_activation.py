"""Activations and their previews, releases, and lookups."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud.lab import Lab, on_sqlite, problem
from tui_licenses.cloud.administration import (
    check,
    make_account,
    make_token,
    reinstate_key,
    revoke_key,
    suspend_key,
)
from tui_licenses.domain.account import Role

PROFILE = (
    '<node id="new01" class="system"><configuration>'
    '<setting id="machine-id" value="aaaabbbbccccddddeeeeffff00001111"/></configuration></node>'
)
NEW: dict[str, Any] = {"name": "Neu", "location": {"countryCode": "at", "label": "Wien"}}
ACTIVATIONS = "/licensing/activations"


async def _foreign_master_instance(lab: Lab) -> dict[str, Any]:
    own = {entry["id"] for entry in await lab.keys(kind="master")}
    found = await lab.instances("licensed")
    return next(entry for entry in found if entry["masterKeyId"] not in own)


async def test_a_new_instance_is_made_with_its_keys_and_profile(lab: Lab) -> None:
    master, add_on = await lab.free_master(), await lab.free_add_on()
    total = (await lab.get("/licensing/instances")).json()["totalCount"]
    body = {
        "keys": [add_on["key"], master["key"].lower(), master["key"]],
        "instance": {**NEW, "coreVersion": "6.2"},
        "profileXml": PROFILE,
    }
    preview = (await lab.ask("POST", f"{ACTIVATIONS}/preview", json=body)).json()
    assert (preview["instance"], preview["before"], preview["problems"]) == (None, [], [])
    answer = await lab.ask("POST", ACTIVATIONS, json=body)
    assert answer.status_code == 201
    activation = answer.json()
    instance = activation["instance"]
    assert (instance["state"], instance["revision"], instance["profileRevision"]) == (
        "licensed",
        1,
        1,
    )
    assert instance["location"] == {"countryCode": "AT", "label": "Wien"}
    assert (instance["hostname"], instance["coreVersion"]) == ("new01", "6.2")
    assert (instance["keyCount"], instance["addOnCount"]) == (2, 1)
    assert instance["masterKeyId"] == master["id"]
    assert activation["licenseFile"]["serial"] == 1
    assert {entry["id"] for entry in activation["keys"]} == {master["id"], add_on["id"]}
    assert [entry["id"] for entry in preview["after"]] == [master["id"], add_on["id"]]
    assert {entry["state"] for entry in preview["after"]} == {"active"}
    assert (await lab.get("/licensing/instances")).json()["totalCount"] == total + 1
    assert await lab.items("/licensing/instances?q=neu") == [instance]
    assert check(lab.database) == ()


async def test_a_preview_shows_the_keys_before_and_after_and_writes_nothing(lab: Lab) -> None:
    instance = await lab.licensed()
    master, add_on = await lab.free_master(), await lab.free_add_on()
    body = {
        "keys": [master["key"], add_on["key"]],
        "instanceId": instance["id"],
        "replaceMaster": True,
    }
    events = lab.count("event")
    preview = (await lab.ask("POST", f"{ACTIVATIONS}/preview", json=body, who="reader")).json()
    assert preview["problems"] == []
    assert preview["instance"] == instance
    before = [entry["id"] for entry in preview["before"]]
    after = [entry["id"] for entry in preview["after"]]
    assert before[0] == instance["masterKeyId"]
    assert after[0] == master["id"]
    assert set(after) == {*before, master["id"], add_on["id"]} - {instance["masterKeyId"]}
    assert lab.count("event") == events
    assert (await lab.keys())[-1]["state"] == "unassigned"


async def test_a_preview_of_an_add_on_keeps_the_master(lab: Lab) -> None:
    instance, add_on = await lab.licensed(), await lab.free_add_on()
    body = {"keys": [add_on["key"]], "instanceId": instance["id"]}
    preview = (await lab.ask("POST", f"{ACTIVATIONS}/preview", json=body)).json()
    added = next(entry for entry in preview["after"] if entry["id"] == add_on["id"])
    assert added["masterKeyId"] == instance["masterKeyId"]
    assert len(preview["after"]) == len(preview["before"]) + 1


@on_sqlite
@pytest.mark.parametrize(
    "change",
    [
        {"keys": []},
        {"instanceId": None, "instance": None},
        {"instance": NEW},
        {"instanceId": None, "instance": {**NEW, "name": ""}},
        {"instanceId": None, "instance": {**NEW, "location": {"countryCode": "??"}}},
        {"instanceId": None, "instance": {**NEW, "coreVersion": "x" * 121}},
        {"colour": "blue"},
    ],
)
async def test_a_malformed_activation_is_refused(lab: Lab, change: dict[str, Any]) -> None:
    body = {"keys": ["x"], "instanceId": (await lab.licensed())["id"], **change}
    problem(await lab.ask("POST", ACTIVATIONS, json=body), 400, "invalid-request")


async def test_an_unknown_instance_is_no_target(lab: Lab) -> None:
    theirs = (await lab.instances(who="other"))[0]["id"]
    for instance_id in ("none", theirs, (await lab.instances("licensed", who="other"))[0]["id"]):
        answer = await lab.activate([(await lab.free_master())["key"]], instance_id)
        problem(answer, 404, "instance-not-found")


async def test_a_profile_beyond_the_limit_is_refused(lab: Lab) -> None:
    key = (await lab.free_master())["key"]
    big = PROFILE.replace("new01", "n" * 1_048_576)
    answer = await lab.activate([key], (await lab.instances("pending"))[0]["id"], profileXml=big)
    problem(answer, 413, "profile-too-large")


async def test_two_masters_are_one_too_many(lab: Lab) -> None:
    first, second = (await lab.keys("unassigned", "master"))[:2]
    body = {"keys": [first["key"], second["key"]], "instance": NEW, "profileXml": PROFILE}
    answer = await lab.ask("POST", ACTIVATIONS, json=body)
    document = problem(answer, 409, "master-already-present")
    assert [entry["pointer"] for entry in document["errors"]] == ["/keys/1"]


async def test_an_activation_can_bring_a_new_profile(lab: Lab) -> None:
    instance, add_on = await lab.licensed(), await lab.free_add_on()
    answer = await lab.activate([add_on["key"]], instance["id"], profileXml=PROFILE)
    assert answer.json()["instance"]["profileRevision"] == 2
    again = await lab.activate([add_on["key"]], instance["id"], profileXml=PROFILE)
    assert (again.status_code, again.json()) == (200, answer.json())
    newer = PROFILE.replace("new01", "new02")
    answer = await lab.activate([add_on["key"]], instance["id"], profileXml=newer)
    assert (answer.status_code, answer.json()["instance"]["hostname"]) == (201, "new02")


async def test_a_partner_adds_to_the_instance_its_master_runs(lab: Lab) -> None:
    instance = await _foreign_master_instance(lab)
    add_on = await lab.free_add_on(who="partner")
    problem(
        await lab.get(f"/licensing/instances/{instance['id']}", who="partner"),
        404,
        "instance-not-found",
    )
    answer = await lab.activate([add_on["key"]], instance["id"], who="partner")
    assert answer.status_code == 201
    file = await lab.get(f"/licensing/keys/{add_on['id']}/license-file", who="partner")
    same = await lab.get(f"/licensing/instances/{instance['id']}/license-file")
    assert file.content == same.content
    assert check(lab.database) == ()


async def test_a_preview_does_not_show_keys_of_other_accounts(lab: Lab) -> None:
    instance, master = await _foreign_master_instance(lab), await lab.free_master()
    body = {"keys": [master["key"]], "instanceId": instance["id"], "replaceMaster": True}
    preview = (await lab.ask("POST", f"{ACTIVATIONS}/preview", json=body)).json()
    assert preview["before"] == []
    assert [entry["id"] for entry in preview["after"]] == [master["id"]]
    assert (await lab.ask("POST", ACTIVATIONS, json=body)).status_code == 201
    theirs = await lab.keys("superseded", who="partner")
    assert instance["masterKeyId"] in {entry["id"] for entry in theirs}
    assert check(lab.database) == ()


async def test_a_suspended_master_can_be_replaced_explicitly(lab: Lab) -> None:
    instance, master = await lab.licensed(), await lab.free_master()
    suspend_key(lab.database, instance["masterKeyId"], "unpaid")
    answer = await lab.activate([master["key"]], instance["id"])
    problem(answer, 409, "master-already-present")
    answer = await lab.activate([master["key"]], instance["id"], replaceMaster=True)
    assert answer.status_code == 201
    assert lab.row("license_key", instance["masterKeyId"]).state == "superseded"
    assert check(lab.database) == ()


async def test_an_operator_activates_but_a_reader_does_not(lab: Lab) -> None:
    instance, add_on = await lab.licensed(), await lab.free_add_on()
    refused = await lab.activate([add_on["key"]], instance["id"], who="reader")
    problem(refused, 403, "role-insufficient")
    answer = await lab.activate([add_on["key"]], instance["id"], who="operator")
    assert answer.status_code == 201


async def _release(lab: Lab, key: dict[str, Any], **members: Any) -> Any:  # noqa: ANN401
    body = {"reason": "moved", **members}
    return await lab.ask("POST", f"/licensing/keys/{key['id']}/release", json=body)


async def test_a_released_add_on_is_free_and_leaves_the_license_file(lab: Lab) -> None:
    instance, add_on = await lab.licensed(), await lab.free_add_on()
    activated = (await lab.activate([add_on["key"]], instance["id"])).json()
    released = (await _release(lab, add_on)).json()
    assert (released["state"], released["instanceId"], released["activatedAt"]) == (
        "unassigned",
        None,
        None,
    )
    file = await lab.get(f"/licensing/instances/{instance['id']}/license-file")
    assert add_on["key"].encode() not in file.content
    assert released["revision"] == add_on["revision"] + 2
    shown = (await lab.get(f"/licensing/instances/{instance['id']}")).json()
    assert shown["keyCount"] == activated["instance"]["keyCount"] - 1
    again = await _release(lab, add_on)
    assert again.json() == released
    refused = await lab.get(f"/licensing/keys/{add_on['id']}/license-file")
    problem(refused, 409, "no-master")


async def test_a_master_takes_its_add_ons_with_it_when_told_so(lab: Lab) -> None:
    instance = await lab.licensed()
    add_on, other = (await lab.keys("unassigned", "addOn"))[:2]
    assert (await lab.activate([add_on["key"], other["key"]], instance["id"])).is_success
    suspend_key(lab.database, other["id"], "unpaid")
    master = (await lab.get(f"/licensing/keys/{instance['masterKeyId']}")).json()
    problem(await _release(lab, master), 422, "release-would-orphan-addons")
    assert (await _release(lab, master, cascade=True)).json()["state"] == "unassigned"
    shown = (await lab.get(f"/licensing/instances/{instance['id']}")).json()
    assert (shown["state"], shown["masterKeyId"]) == ("unlicensed", None)
    assert lab.row("license_key", add_on["id"]).state == "unassigned"
    assert lab.row("license_key", other["id"]).state == "suspended"
    assert reinstate_key(lab.database, other["id"], "paid").state == "unassigned"
    assert check(lab.database) == ()


async def test_a_master_without_add_ons_is_released_alone(lab: Lab) -> None:
    master = await lab.free_master()
    body = {"keys": [master["key"]], "instance": NEW, "profileXml": PROFILE}
    assert (await lab.ask("POST", ACTIVATIONS, json=body)).status_code == 201
    assert (await _release(lab, master)).status_code == 200


@pytest.mark.parametrize(
    ("status", "code", "answer"),
    [
        ("revoked", "key-revoked", 410),
        ("superseded", "key-superseded", 422),
        ("suspended", "key-suspended", 422),
    ],
)
async def test_a_key_that_is_not_active_is_not_released(
    lab: Lab, status: str, code: str, answer: int
) -> None:
    problem(await _release(lab, (await lab.keys(status))[0]), answer, code)


async def test_a_release_needs_a_reason(lab: Lab) -> None:
    key = (await lab.keys("active"))[0]
    problem(await _release(lab, key, reason=" "), 400, "invalid-request")


async def test_a_lookup_tells_what_a_key_is_and_whether_it_is_free(lab: Lab) -> None:
    free, used = await lab.free_master(), (await lab.keys("active", "addOn"))[0]
    told = (await lab.ask("POST", "/licensing/keys/lookup", json={"key": free["key"]})).json()
    assert (told["inAccount"], told["assignable"], told["reasons"]) == (True, True, [])
    assert (told["keyId"], told["kind"], told["status"]) == (free["id"], "master", "unassigned")
    assert told["features"] == free["features"]
    told = (await lab.ask("POST", "/licensing/keys/lookup", json={"key": used["key"]})).json()
    assert told["assignable"] is False
    assert told["instanceName"] == used["instanceName"]
    assert [reason["code"] for reason in told["reasons"]] == ["key-already-assigned"]


async def test_an_account_without_anything_has_empty_lists(lab: Lab) -> None:
    account = make_account(lab.database, "Empty", "Pro")
    token = make_token(lab.database, account.id, Role.READER, "Reader")
    answer = (await lab.exchange(token.subject_id, token.refresh_token)).json()
    lab.access["reader"] = answer["accessToken"]
    assert await lab.keys(who="reader") == []
    assert await lab.instances(who="reader") == []
    contact = (await lab.get("/users/me", who="reader")).json()["account"]["licensesTab"]
    assert contact["supportContact"].startswith("the support")


async def test_a_master_that_was_revoked_cannot_come_back(lab: Lab) -> None:
    instance = await lab.licensed()
    old = (await lab.get(f"/licensing/keys/{instance['masterKeyId']}")).json()
    revoke_key(lab.database, old["id"], "stolen")
    problem(await lab.activate([old["key"]], instance["id"]), 410, "key-revoked")


async def test_a_seeded_suspended_master_leaves_its_instance_without_a_file(lab: Lab) -> None:
    masters = await lab.keys("suspended", "master")
    answer = await lab.get(f"/licensing/keys/{masters[0]['id']}/license-file")
    problem(answer, 409, "no-master")
