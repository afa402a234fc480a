"""Renaming, relocating and retiring instances; replacing their profiles."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud.lab import Answer, Lab, on_sqlite, problem
from tui_licenses.cloud.administration import check, retire_instance, revoke_key
from tui_licenses.errors import NotFoundError, StateError

PROFILE = (
    '<node id="web{0}" class="system"><configuration>'
    '<setting id="machine-id" value="{0:032x}"/></configuration></node>'
)
NO_IDENTITY = '<node id="web01" class="system"/>'
XML = {"Content-Type": "application/xml"}


async def _patch(lab: Lab, instance: dict[str, Any], **members: Any) -> Answer:  # noqa: ANN401
    headers = {"If-Match": f'"{instance["revision"]}"'}
    path = f"/licensing/instances/{instance['id']}"
    return await lab.ask("PATCH", path, headers=headers, json=members)


async def test_a_rename_is_seen_on_the_keys_and_in_their_order(lab: Lab) -> None:
    instance = await lab.licensed()
    answer = await _patch(lab, instance, name="  Aachen Süd ")
    assert (answer.status_code, answer.json()["name"]) == (200, "Aachen Süd")
    first = (await lab.keys())[0]
    assert (first["instanceName"], first["instanceId"]) == ("Aachen Süd", instance["id"])
    assert [i["id"] for i in await lab.items("/licensing/instances?q=aach")] == [instance["id"]]
    old_word = instance["name"].split()[0]
    found = await lab.items("/licensing/instances", params={"q": old_word})
    assert instance["id"] not in {entry["id"] for entry in found}
    assert check(lab.database) == ()


async def test_a_location_and_a_core_version_can_be_changed(lab: Lab) -> None:
    instance = await lab.licensed()
    location = {"countryCode": "jp", "label": " Rack [b] "}
    answer = await _patch(lab, instance, location=location, coreVersion="7.0")
    changed = answer.json()
    assert changed["location"] == {"countryCode": "JP", "label": "Rack [b]"}
    assert changed["coreVersion"] == "7.0"
    assert answer.headers["etag"] == f'"{changed["revision"]}"'
    cleared = await _patch(lab, changed, location={"countryCode": "JP"}, coreVersion=None)
    assert cleared.json()["location"]["label"] is None
    assert cleared.json()["coreVersion"] is None


async def test_a_patch_that_changes_nothing_does_nothing(lab: Lab) -> None:
    instance, events = await lab.licensed(), lab.count("event")
    answer = await _patch(lab, instance, name=instance["name"])
    assert (answer.status_code, answer.json()) == (200, instance)
    assert lab.count("event") == events


@on_sqlite
@pytest.mark.parametrize(
    "members",
    [
        {"name": " "},
        {"name": "x" * 121},
        {"name": "a\u202eb"},
        {"location": {"countryCode": "XX"}},
        {"location": {"countryCode": "DE", "label": "x" * 121}},
        {"location": {"countryCode": "DE", "label": "\x1b[31m"}},
        {"coreVersion": "x" * 121},
        {"colour": "blue"},
        {"name": 7},
        [],
    ],
)
async def test_a_patch_that_is_wrong_is_refused(lab: Lab, members: object) -> None:
    instance = await lab.licensed()
    path = f"/licensing/instances/{instance['id']}"
    answer = await lab.ask("PATCH", path, headers={"If-Match": "*"}, json=members)
    problem(answer, 400, "invalid-request")
    assert (await lab.get(path)).json() == instance


@on_sqlite
@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 50_000, b'{"name": "\\ud800"}'])
async def test_a_body_that_is_no_json_is_refused(lab: Lab, body: bytes) -> None:
    path = f"/licensing/instances/{(await lab.licensed())['id']}"
    headers = {"If-Match": "*", "Content-Type": "application/json; charset=utf-8"}
    problem(await lab.ask("PATCH", path, headers=headers, content=body), 400, "invalid-request")


async def test_what_was_sent_is_not_repeated_in_a_refusal(lab: Lab) -> None:
    body = {
        "subjectType": "SECRETSECRETSECR",
        "subjectId": "x",
        "grantType": "refreshToken",
        "refreshToken": "y",
    }
    answer = await lab.client.post("/api/v3/authorization/token", json=body)
    assert "SECRET" not in problem(answer, 400, "invalid-request")["detail"]
    answer = await lab.client.post("/api/v3/authorization/token", json={"SECRET": 1})
    assert "SECRET" not in problem(answer, 400, "invalid-request")["detail"]


async def test_a_retired_instance_is_hidden_and_stays_as_it_is(lab: Lab) -> None:
    instance = (await lab.instances("pending"))[0]
    total = (await lab.get("/licensing/instances")).json()["totalCount"]
    cursor = (await lab.get("/licensing/changes?limit=0")).json()["nextCursor"]
    retired = retire_instance(lab.database, instance["id"], "scrapped")
    assert retired.state == "retired"
    assert (await lab.get("/licensing/instances")).json()["totalCount"] == total - 1
    changes = await lab.items(f"/licensing/changes?cursor={cursor}")
    assert [(c["id"], c["deleted"], c["object"]) for c in changes] == [(instance["id"], True, None)]
    shown = (await lab.get(f"/licensing/instances/{instance['id']}")).json()
    assert shown["state"] == "retired"
    problem(await _patch(lab, shown, name="New"), 422, "instance-retired")
    file = await lab.get(f"/licensing/instances/{instance['id']}/license-file")
    assert "retired" in problem(file, 409, "no-master")["detail"]
    assert check(lab.database) == ()
    with pytest.raises(StateError):
        retire_instance(lab.database, instance["id"], "again")


async def test_an_instance_in_use_is_not_retired(lab: Lab) -> None:
    with pytest.raises(StateError) as refused:
        retire_instance(lab.database, (await lab.licensed())["id"], "scrapped")
    assert refused.value.code == "instance-in-use"
    with pytest.raises(NotFoundError):
        retire_instance(lab.database, "none", "scrapped")


async def test_a_first_profile_is_put_where_none_is(lab: Lab) -> None:
    instance = next(entry for entry in await lab.instances() if not entry["profileRevision"])
    path = f"/licensing/instances/{instance['id']}/profile"
    first = {**XML, "If-None-Match": "*"}
    conditional = {**XML, "If-Match": f'"{instance["revision"]}"'}
    refused = await lab.ask("PUT", path, headers=conditional, content=PROFILE.format(1))
    problem(refused, 412, "revision-mismatch")
    stored = await lab.ask("PUT", path, headers=first, content=PROFILE.format(1))
    assert stored.status_code == 201
    assert stored.json()["hostname"] == "web1"
    assert stored.json()["profileRevision"] == 1
    again = await lab.ask("PUT", path, headers=first, content=PROFILE.format(2))
    problem(again, 412, "revision-mismatch")


async def test_a_profile_is_replaced_by_revision_or_by_digest(lab: Lab) -> None:
    instance = await lab.licensed()
    path = f"/licensing/instances/{instance['id']}/profile"
    by_revision = {**XML, "If-Match": f'"{instance["revision"]}"'}
    second = await lab.ask("PUT", path, headers=by_revision, content=PROFILE.format(2))
    assert second.status_code == 200
    stale = await lab.ask("PUT", path, headers=by_revision, content=PROFILE.format(3))
    assert problem(stale, 412, "revision-mismatch")["current"] == second.json()
    by_digest = {**XML, "If-Match": (await lab.get(path)).headers["etag"]}
    third = await lab.ask("PUT", path, headers=by_digest, content=PROFILE.format(3))
    assert third.json()["profileRevision"] == 3
    assert lab.count("profile WHERE instance_id = '" + instance["id"] + "'") == 3
    same = {**XML, "If-Match": "*"}
    unchanged = await lab.ask("PUT", path, headers=same, content=PROFILE.format(3))
    assert unchanged.json() == third.json()
    assert check(lab.database) == ()


async def test_a_new_fingerprint_makes_a_new_license_file(lab: Lab) -> None:
    instance = await lab.licensed()
    path = f"/licensing/instances/{instance['id']}"
    before = (await lab.get(f"{path}/license-file")).content
    await lab.ask(
        "PUT", f"{path}/profile", headers={**XML, "If-Match": "*"}, content=PROFILE.format(9)
    )
    assert (await lab.get(f"{path}/license-file")).content != before


async def test_a_profile_needs_a_condition_and_xml(lab: Lab) -> None:
    path = f"/licensing/instances/{(await lab.licensed())['id']}/profile"
    answer = await lab.ask("PUT", path, headers=XML, content=PROFILE.format(1))
    problem(answer, 428, "if-match-required")
    headers = {"If-Match": "*", "Content-Type": "text/plain"}
    answer = await lab.ask("PUT", path, headers=headers, content=PROFILE.format(1))
    problem(answer, 415, "unsupported-media-type")


async def test_a_licensed_instance_keeps_an_identity(lab: Lab) -> None:
    headers = {**XML, "If-Match": "*"}
    path = f"/licensing/instances/{(await lab.licensed())['id']}/profile"
    answer = await lab.ask("PUT", path, headers=headers, content=NO_IDENTITY)
    problem(answer, 422, "profile-without-identity")
    pending = (await lab.instances("pending"))[0]
    path = f"/licensing/instances/{pending['id']}/profile"
    answer = await lab.ask("PUT", path, headers=headers, content=NO_IDENTITY)
    assert answer.json()["fingerprint"] is None
    refused = await lab.activate([(await lab.free_master())["key"]], pending["id"])
    problem(refused, 422, "profile-without-identity")


async def test_an_instance_whose_master_was_revoked_takes_a_new_one(lab: Lab) -> None:
    instance = await lab.licensed()
    revoke_key(lab.database, instance["masterKeyId"], "stolen")
    shown = (await lab.get(f"/licensing/instances/{instance['id']}")).json()
    assert (shown["state"], shown["masterKeyId"]) == ("unlicensed", instance["masterKeyId"])
    add_ons = await lab.items(f"/licensing/keys?kind=addOn&instanceId={instance['id']}")
    active = [entry for entry in add_ons if entry["state"] == "active"]
    assert {entry["status"] for entry in active} <= {"suspended"}
    answer = await lab.activate([(await lab.free_master())["key"]], instance["id"])
    assert answer.json()["instance"]["state"] == "licensed"
    assert check(lab.database) == ()


async def test_an_object_that_did_not_change_answers_304(lab: Lab) -> None:
    instance, key = await lab.licensed(), (await lab.keys())[0]
    for path in (f"/licensing/instances/{instance['id']}", f"/licensing/keys/{key['id']}"):
        tag = (await lab.get(path)).headers["etag"]
        assert (await lab.get(path, headers={"If-None-Match": tag})).status_code == 304
