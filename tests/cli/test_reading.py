"""What can be seen: instances, keys, hardware, the audit trail, and who one is."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.accounts import sign_in_as
from tests.cli.conftest import Program, Record
from tui_licenses.domain.license_key import group_key


def _having(found: list[Record], members: dict[str, object]) -> list[Record]:
    return [item for item in found if all(item[name] == members[name] for name in members)]


def _keys(program: Program, **members: object) -> list[Record]:
    return _having(program.items("keys", "list", "--addons"), members)


def _instances(program: Program, **members: object) -> list[Record]:
    return _having(program.items("instances", "list"), members)


def test_every_instance_is_listed_by_name(program: Program) -> None:
    listed = program("instances", "list")
    assert listed.status == 0
    heading, *rows = listed.output.splitlines()
    assert heading.split() == ["NAME", "STATE", "KEYS", "LOCATION", "VERSION", "UPDATED", "ID"]
    instances = _instances(program)
    assert [row.split()[-1] for row in rows] == [instance["id"] for instance in instances]
    assert len(instances) == 24
    assert rows[0].startswith(instances[0]["name"])


def test_a_list_is_whole_unless_a_limit_is_given(program: Program) -> None:
    limited = program.data("instances", "list", "--limit", "3")
    assert len(limited["items"]) == 3
    assert limited["totalCount"] == 24
    assert len(program.items("keys", "list", "--addons", "--limit", "7")) == 7


def test_add_on_keys_are_listed_only_when_asked_for(program: Program) -> None:
    masters = program.items("keys", "list")
    everything = program.items("keys", "list", "--addons")
    assert {key["kind"] for key in masters} == {"master"}
    assert {key["kind"] for key in everything} == {"master", "addOn"}
    assert [key for key in everything if key["kind"] == "master"] == masters
    assert program.items("keys", "list", "--no-addons") == masters


def test_keys_are_filtered_by_status_instance_and_text(program: Program) -> None:
    waiting = program.items("keys", "list", "--status", "unassigned", "--status", "pending")
    assert {key["status"] for key in waiting} == {"unassigned", "pending"}
    key = _keys(program, state="active", kind="addOn")[0]
    of_instance = program.items("keys", "list", "--addons", "--instance", key["instanceId"])
    assert {item["instanceId"] for item in of_instance} == {key["instanceId"]}
    assert of_instance[0]["kind"] == "master"
    found = program.items("keys", "list", "--addons", "--query", group_key(key["key"]))
    assert [item["id"] for item in found] == [key["id"]]
    by_name = program.items("instances", "list", "--query", "zürich")
    assert by_name
    assert all("Zürich" in instance["name"] for instance in by_name)


def test_a_list_is_sorted_by_a_column(program: Program) -> None:
    up = program.items("keys", "list", "--sort", "updated")
    down = program.items("keys", "list", "--sort", "updated", "--descending")
    assert {key["id"] for key in up} == {key["id"] for key in down}
    assert up != down
    refused = program.refusal("keys", "list", "--sort", "colour", status=2)
    assert refused["code"] == "invalid-request"


def test_an_instance_is_shown_by_id_and_by_name(program: Program) -> None:
    instance = next(
        one for one in _instances(program) if len(_instances(program, name=one["name"])) == 1
    )
    assert program.data("instances", "show", instance["id"]) == instance
    assert program.data("instances", "show", instance["name"]) == instance
    facts = program("instances", "show", instance["id"]).output
    assert f"Name            {instance['name']}" in facts
    assert instance["id"] in facts


def test_an_ambiguous_name_is_refused_with_the_ids(program: Program) -> None:
    refused = program.refusal("instances", "show", "Berlin Hauptbahnhof", status=2)
    assert refused["code"] == "ambiguous-name"
    for instance in _instances(program, name="Berlin Hauptbahnhof"):
        assert instance["id"] in refused["message"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("instances", "show", "No such place"), "instance-not-found"),
        (("instances", "hardware", "00000000-0000-4000-8000-000000000000"), "instance-not-found"),
        (("keys", "show", "00000000-0000-4000-8000-000000000000"), "key-not-found"),
        (("keys", "show", "ZZZZ-ZZZZ-ZZZZ-ZZZZ"), "key-not-found"),
        (("keys", "lookup", "ZZZZ ZZZZ ZZZZ ZZZZ"), "key-not-found"),
    ],
)
def test_what_is_not_there_is_not_found(
    program: Program, arguments: tuple[str, ...], code: str
) -> None:
    assert program.refusal(*arguments, status=4)["code"] == code


def test_a_key_is_shown_with_status_update_and_instance_first(program: Program) -> None:
    (master,) = _keys(program, status="superseded")
    lines = program("keys", "show", master["id"]).output.splitlines()
    assert [line.split("  ")[0] for line in lines[:3]] == ["Status", "Last updated", "Instance"]
    assert group_key(master["key"]) in "\n".join(lines)
    assert program.data("keys", "show", group_key(master["key"]).lower()) == master


def test_the_status_of_an_add_on_is_the_same_in_the_list_and_alone(program: Program) -> None:
    suspended = [
        key for key in _keys(program, status="suspended", kind="addOn") if key["state"] == "active"
    ]
    assert suspended, "the seed has an instance whose master is suspended"
    assert program.data("keys", "show", suspended[0]["id"]) == suspended[0]


def test_a_master_of_another_account_still_shows_its_add_ons(program: Program) -> None:
    instance = next(one for one in _instances(program) if _is_partners(program, one["id"]))
    assert program.data("instances", "show", instance["id"])["state"] == "licensed"


def _is_partners(program: Program, instance_id: str) -> bool:
    (instance,) = _instances(program, id=instance_id)
    known = {key["id"] for key in _keys(program)}
    return instance["masterKeyId"] is not None and instance["masterKeyId"] not in known


def test_masking_shows_the_last_four_characters_only(program: Program) -> None:
    key = _keys(program)[0]
    for arguments in (("--mask", "keys", "list"), ("keys", "list", "--mask")):
        masked = program(*arguments)
        assert group_key(key["key"]) not in masked.output
        assert f"••••-••••-••••-{key['key'][-4:]}" in masked.output
    assert program.data("keys", "show", key["id"], "--mask")["key"].endswith(key["key"][-4:])


def test_a_looked_up_key_says_whether_it_can_be_activated(program: Program) -> None:
    free = _keys(program, status="unassigned", kind="master")[0]
    found = program.data("keys", "lookup", group_key(free["key"]).lower())
    assert (found["inAccount"], found["assignable"], found["keyId"]) == (True, True, free["id"])
    used = _keys(program, status="active", kind="master")[0]
    said = program("keys", "lookup", used["key"])
    assert said.status == 0
    assert "Can be activated  no" in said.output
    assert used["instanceName"] in said.output


def test_a_malformed_key_is_refused_without_being_repeated(program: Program) -> None:
    for text in ("ABCD", "ABCD-EFGH-IJKL-MN!P"):
        assert program.refusal("keys", "lookup", text, status=5)["code"] == "key-format"
        refused = program("keys", "lookup", text, "--format", "json", status=5)
        assert text not in refused.output + refused.notes


def test_hardware_is_a_table_and_raw_values_in_json(program: Program) -> None:
    instance = next(one for one in _instances(program) if one["profileRevision"])
    table = program("instances", "hardware", instance["id"]).output
    assert table.splitlines()[0].split() == ["SECTION", "ATTRIBUTE", "VALUE"]
    rows = program.items("instances", "hardware", instance["id"])
    assert {"section", "attribute", "value"} == set(rows[0])
    assert any(row["section"].startswith("system") for row in rows)


def test_an_instance_without_a_profile_says_so(program: Program) -> None:
    instance = _instances(program, profileRevision=0)[0]
    for words in (("instances", "hardware"), ("instances", "profile")):
        refused = program.refusal(*words, instance["id"], status=4)
        assert refused["code"] == "profile-not-found"


def test_a_profile_goes_to_standard_output_byte_for_byte(program: Program) -> None:
    instance = next(one for one in _instances(program) if one["profileRevision"])
    program("download", "profile", instance["id"])
    (file,) = Path().glob("*-profile.xml")
    assert program("instances", "profile", instance["id"]).output.encode() == file.read_bytes()
    document = program.data("instances", "profile", instance["id"])
    assert document["profileXml"].encode() == file.read_bytes()
    refused = program("instances", "profile", instance["id"], "--format", "csv", status=2)
    assert "cannot be written as CSV" in refused.notes


def test_the_audit_trail_is_listed_newest_first_and_never_shows_a_key(program: Program) -> None:
    instance = _instances(program)[2]
    program("instances", "rename", instance["id"], "Neuer Name")
    events = program.items("events", "list", "--limit", "5")
    assert len(events) == 5
    assert events[0]["targetId"] == instance["id"]
    assert events[0]["after"] == {"name": "Neuer Name"}
    assert [event["sequence"] for event in events] == sorted(
        (event["sequence"] for event in events), reverse=True
    )
    everything = json.dumps(program.items("events", "list"))
    assert not any(key["key"] in everything for key in _keys(program))
    assert f"instance/{instance['id']}" in program("events", "list", "--limit", "1").output


def test_who_one_is_comes_with_plan_and_role(program: Program) -> None:
    told = program.data("whoami")
    assert told["role"] == "administrator"
    assert told["account"]["plan"] == "Enterprise"
    assert told["account"]["licensesTab"]["available"] is True
    assert told["context"] == "embedded"
    assert "Enterprise" in program("whoami").output


def test_a_plan_without_the_tab_is_refused_with_the_one_to_ask(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in_as(monkeypatch, "OmniD")
    for arguments in (("keys", "list"), ("instances", "list"), ("events", "list")):
        refused = program.refusal(*arguments, status=6)
        assert refused["code"] == "plan-not-eligible"
        assert "@" in refused["supportContact"]
        assert refused["supportContact"] in program(*arguments, status=6).notes
    told = program("whoami")
    assert told.status == 0
    assert "Omni-D" in told.output
    assert told.notes.startswith("Warning: ")


def test_json_lines_and_csv_hold_the_same_records(program: Program) -> None:
    items = program.items("keys", "list")
    lines = program("keys", "list", "--format", "jsonl").output.splitlines()
    assert [json.loads(line) for line in lines] == items
    text = program("keys", "list", "--format", "csv").output
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["id"] for row in rows] == [item["id"] for item in items]
    assert json.loads(rows[0]["features"]) == items[0]["features"]
    assert program("keys", "list", "--query", "no such text", "--format", "csv").output == ""
    single = program("keys", "show", items[0]["id"], "--format", "jsonl").output
    assert json.loads(single) == items[0]
    fields = program("keys", "show", items[0]["id"], "--format", "csv").output
    assert fields.startswith("id,key,kind,")
