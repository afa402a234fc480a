"""The ten invariants of docs/protocol.md, each by its number."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from tests.cloud.lab import Lab, problem
from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import make_token, reinstate_key, suspend_key
from tui_licenses.documents.license_file import inspect_license_file
from tui_licenses.domain.account import Role
from tui_licenses.domain.license_key import group_key, normalise_key

PROFILE = (
    b'<?xml version="1.0"?>\n<!-- a comment, kept -->\n'
    b'<node id="web01" class="system"><configuration>\n\t<setting id="machine-id" '
    b"value='0123456789abcdef0123456789abcde0' /></configuration></node>\r\n\n"
)


async def test_invariant_1_a_key_is_normalised_once_and_unique_in_the_cloud(lab: Lab) -> None:
    key = await lab.free_master()
    typed = f" {group_key(key['key']).lower()} "
    assert normalise_key(normalise_key(typed)) == normalise_key(typed) == key["key"]
    answer = await lab.ask("POST", "/licensing/keys/lookup", json={"key": typed})
    assert answer.json()["keyId"] == key["id"]
    row = lab.row("license_key", key["id"])._asdict() | {"id": "another"}
    with pytest.raises(IntegrityError), lab.store.write() as connection:
        connection.execute(insert(tables.license_key).values(**row))


async def test_invariant_2_a_key_is_on_one_instance_and_activating_it_again_changes_nothing(
    lab: Lab,
) -> None:
    instance = await lab.licensed()
    add_on = await lab.free_add_on()
    first = await lab.activate([add_on["key"]], instance["id"])
    assert first.status_code == 201
    events = lab.count("event")
    lab.clock.advance(hours=0.5)
    again = await lab.activate([add_on["key"]], instance["id"])
    assert again.status_code == 200
    assert again.json() == first.json()
    assert lab.count("event") == events
    elsewhere = await lab.activate([add_on["key"]], (await lab.instances("pending"))[0]["id"])
    problem(elsewhere, 409, "key-already-assigned")


async def test_invariant_3_a_licensed_instance_has_one_current_master(lab: Lab) -> None:
    instance = await lab.licensed()
    old = lab.row("license_key", instance["masterKeyId"])
    master = await lab.free_master()
    problem(await lab.activate([master["key"]], instance["id"]), 409, "master-already-present")
    answer = await lab.activate([master["key"]], instance["id"], replaceMaster=True)
    assert answer.json()["instance"]["masterKeyId"] == master["id"]
    assert lab.row("license_key", old.id).state == "superseded"
    add_ons = await lab.items(f"/licensing/keys?kind=addOn&instanceId={instance['id']}")
    assert {entry["masterKeyId"] for entry in add_ons} == {master["id"]}
    with pytest.raises(IntegrityError), lab.store.write() as connection:
        connection.exec_driver_sql(f"UPDATE license_key SET state = 'active' WHERE id = '{old.id}'")


async def test_invariant_3_an_add_on_needs_an_active_master(lab: Lab) -> None:
    instance, add_on = await lab.licensed(), await lab.free_add_on()
    suspend_key(lab.database, instance["masterKeyId"], "unpaid")
    answer = await lab.activate([add_on["key"]], instance["id"])
    problem(answer, 409, "addon-requires-master")
    reinstate_key(lab.database, instance["masterKeyId"], "paid")
    assert (await lab.activate([add_on["key"]], instance["id"])).status_code == 201


async def test_invariant_4_an_activation_is_all_or_none_and_names_every_problem(lab: Lab) -> None:
    instance, good = await lab.licensed(), await lab.free_add_on()
    revoked, foreign = (await lab.keys("revoked"))[0], await lab.free_master(who="other")
    events = lab.count("event")
    keys = [good["key"], revoked["key"], foreign["key"], "short", "AAAABBBBCCCCDDDD"]
    answer = await lab.activate(keys, instance["id"])
    document = problem(answer, 410, "key-revoked")
    assert [(entry["pointer"], entry["code"]) for entry in document["errors"]] == [
        ("/keys/1", "key-revoked"),
        ("/keys/2", "key-not-in-account"),
        ("/keys/3", "key-format"),
        ("/keys/4", "key-not-found"),
    ]
    assert document["detail"].startswith("4 problems.")
    assert lab.row("license_key", good["id"]).state == "unassigned"
    assert lab.count("event") == events
    preview = await lab.ask(
        "POST",
        "/licensing/activations/preview",
        json={"keys": keys, "instanceId": instance["id"]},
    )
    assert preview.json()["problems"] == document["errors"]
    assert preview.json()["before"] == preview.json()["after"]


async def test_invariant_5_every_key_of_an_instance_gives_the_same_license_file(lab: Lab) -> None:
    instance = await lab.licensed()
    add_on = await lab.free_add_on()
    assert (await lab.activate([add_on["key"]], instance["id"])).status_code == 201
    path = f"/licensing/instances/{instance['id']}"
    file = await lab.get(f"{path}/license-file")
    keys = await lab.items(f"/licensing/keys?instanceId={instance['id']}")
    for key in keys:
        same = await lab.get(f"/licensing/keys/{key['id']}/license-file")
        assert (same.content, same.headers["etag"]) == (file.content, file.headers["etag"])
    payload = inspect_license_file(file.content).payload
    active = [key for key in keys if key["state"] == "active"]
    assert payload.keys[0].kind == "master"
    assert {entry.key for entry in payload.keys} == {entry["key"] for entry in active}


async def test_invariant_5_the_serial_rises_only_with_the_content(lab: Lab) -> None:
    instance = await lab.licensed()
    path = f"/licensing/instances/{instance['id']}"
    before = await lab.get(f"{path}/license-file")
    lab.clock.advance(minutes=5)
    current = (await lab.get(path)).headers["etag"]
    renamed = await lab.ask("PATCH", path, headers={"If-Match": current}, json={"name": "Nová"})
    assert renamed.status_code == 200
    assert (await lab.get(f"{path}/license-file")).content == before.content
    add_on = await lab.free_add_on()
    activated = (await lab.activate([add_on["key"]], instance["id"])).json()
    after = await lab.get(f"{path}/license-file")
    serial = inspect_license_file(before.content).payload.serial
    assert inspect_license_file(after.content).payload.serial == serial + 1
    assert activated["licenseFile"]["serial"] == serial + 1
    assert activated["licenseFile"]["sha256"] == inspect_license_file(after.content).sha256


async def test_invariant_5_an_expired_key_stays_and_a_suspended_one_leaves(lab: Lab) -> None:
    expired = next(
        entry for entry in await lab.keys("expired", "addOn") if entry["state"] == "active"
    )
    path = f"/licensing/keys/{expired['id']}/license-file"
    keys = inspect_license_file((await lab.get(path)).content).payload.keys
    assert expired["key"] in {entry.key for entry in keys}
    suspend_key(lab.database, expired["id"], "unpaid")
    keys = inspect_license_file((await lab.get(path)).content).payload.keys
    assert expired["key"] not in {entry.key for entry in keys}


async def test_invariant_5_without_an_active_master_there_is_no_license_file(lab: Lab) -> None:
    instance = await lab.licensed()
    suspend_key(lab.database, instance["masterKeyId"], "unpaid")
    refused = await lab.get(f"/licensing/instances/{instance['id']}/license-file")
    assert "suspended" in problem(refused, 409, "no-master")["detail"]


async def test_invariant_6_a_profile_comes_back_byte_for_byte(lab: Lab) -> None:
    instance = (await lab.instances("pending"))[0]
    path = f"/licensing/instances/{instance['id']}/profile"
    headers = {"Content-Type": "application/xml", "If-Match": "*"}
    stored = await lab.ask("PUT", path, headers=headers, content=PROFILE)
    assert stored.status_code == 200, stored.text
    assert (await lab.get(path)).content == PROFILE
    refused = await lab.ask("PUT", path, headers=headers, content=b"<!DOCTYPE list><list/>")
    problem(refused, 422, "profile-invalid")


async def test_invariant_7_each_change_bumps_the_revision_and_writes_one_event(lab: Lab) -> None:
    instance, add_on = await lab.licensed(), await lab.free_add_on()
    path = f"/licensing/instances/{instance['id']}"
    events = lab.count("event")
    lab.clock.advance(minutes=1)
    renamed = await lab.ask("PATCH", path, headers={"If-Match": "*"}, json={"name": "Other"})
    lab.clock.advance(minutes=1)
    activated = await lab.activate([add_on["key"]], instance["id"])
    lab.clock.advance(minutes=1)
    released = await lab.ask(
        "POST", f"/licensing/keys/{add_on['id']}/release", json={"reason": "moved"}
    )
    assert renamed.json()["revision"] == instance["revision"] + 1
    assert activated.json()["instance"]["revision"] == instance["revision"] + 2
    assert released.json()["revision"] == add_on["revision"] + 2
    moments = [
        instance["updatedAt"],
        renamed.json()["updatedAt"],
        activated.json()["instance"]["updatedAt"],
        released.json()["updatedAt"],
    ]
    assert moments == sorted(set(moments))
    assert lab.count("event") == events + 3
    newest = await lab.items("/licensing/events?limit=3")
    assert [entry["action"] for entry in newest] == [
        "key.released",
        "keys.activated",
        "instance.renamed",
    ]
    assert newest[0]["requestId"] == released.headers["x-request-id"]


async def test_invariant_8_the_plan_is_checked_before_existence(lab: Lab) -> None:
    for path in ("/licensing/instances/none", "/licensing/keys/none/certificate"):
        problem(await lab.get(path, who="ineligible"), 403, "plan-not-eligible")


async def test_invariant_8_another_accounts_object_is_as_unknown_as_none(lab: Lab) -> None:
    foreign = (await lab.instances(who="other"))[0]["id"]
    refused = await lab.get(f"/licensing/instances/{foreign}")
    unknown = await lab.get("/licensing/instances/nothing")
    first, second = problem(refused, 404, "instance-not-found"), unknown.json()
    assert first | {"requestId": ""} == second | {"requestId": ""}


async def test_invariant_8_who_presents_a_full_key_learns_that_it_belongs_elsewhere(
    lab: Lab,
) -> None:
    foreign = await lab.free_master(who="other")
    answer = await lab.ask("POST", "/licensing/keys/lookup", json={"key": foreign["key"]})
    told = answer.json()
    assert (told["inAccount"], told["assignable"]) == (False, False)
    assert [reason["code"] for reason in told["reasons"]] == ["key-not-in-account"]
    assert [told[name] for name in ("keyId", "kind", "status", "productName")] == [None] * 4


async def test_invariant_9_full_keys_are_in_no_log_event_or_address(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    instance, master, add_on = (
        await lab.licensed(),
        await lab.free_master(),
        await lab.free_add_on(),
    )
    with caplog.at_level(logging.DEBUG, "tui_licenses"):
        answer = await lab.activate([master["key"], add_on["key"]], instance["id"])
        assert answer.status_code == 409
        answer = await lab.activate(
            [master["key"], add_on["key"]], instance["id"], replaceMaster=True
        )
        assert answer.status_code == 201
        refused = await lab.get(f"/licensing/keys?q={group_key(add_on['key'])}")
        problem(refused, 400, "invalid-request")
        body = {"reason": "moved"}
        await lab.ask("POST", f"/licensing/keys/{add_on['id']}/release", json=body)
    with lab.store.read() as connection:
        stored = "".join(str(row) for row in connection.execute(select(tables.event)))
    for key in (master["key"], add_on["key"]):
        assert key not in caplog.text
        assert group_key(key) not in caplog.text
        assert key not in stored
        assert key[-4:] in stored


async def test_invariant_10_instants_are_utc_in_rfc_3339(lab: Lab) -> None:
    key = (await lab.keys("active"))[0]
    for name in ("issuedAt", "activatedAt", "updatedAt"):
        assert key[name].endswith("Z")
        assert datetime.fromisoformat(key[name]).tzinfo == UTC


async def test_a_sign_in_made_by_the_administration_works_at_once(lab: Lab) -> None:
    made = make_token(lab.database, "Kestrel Campus Media", Role.READER, "Monitoring")
    answer = await lab.exchange(made.subject_id, made.refresh_token)
    assert answer.status_code == 200
