"""Commands that change something: what they write, and what they refuse to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Program, Record


def _change_count(program: Program) -> int:
    return len(program.items("events", "list"))


def test_an_instance_is_renamed(program: Program) -> None:
    instance = program.licensed()
    before = _change_count(program)
    renamed = program.data("instances", "rename", instance["id"], "  Depot [1]  ")
    assert renamed["name"] == "Depot [1]"
    assert renamed["revision"] == instance["revision"] + 1
    assert "Depot [1]" in program("instances", "rename", instance["id"], "Depot [1]").output
    assert _change_count(program) == before + 1


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "bell\a", "two\nlines"])
def test_a_name_that_cannot_be_is_refused(program: Program, name: str) -> None:
    instance = program.licensed()
    before = _change_count(program)
    program.refusal("instances", "rename", instance["id"], name, status=2)
    assert _change_count(program) == before


def test_an_instance_is_relocated(program: Program) -> None:
    instance = program.licensed()
    words = ("instances", "relocate", instance["id"], "--country", "pt", "--label", "Porto")
    assert program.data(*words)["location"] == {"countryCode": "PT", "label": "Porto"}
    table = program("instances", "relocate", instance["id"], "--country", "PT").output
    assert "Portugal" in table
    assert "Porto," not in table


def test_a_country_that_does_not_exist_is_refused(program: Program) -> None:
    instance = program.licensed()
    program.refusal("instances", "relocate", instance["id"], "--country", "XX", status=2)
    assert program.data("instances", "show", instance["id"]) == instance


def test_a_profile_is_uploaded_and_comes_back_byte_for_byte(
    program: Program, profile_file: Path
) -> None:
    bare = program.instances(lambda one: not one["profileRevision"])[0]
    after = program.data("instances", "profile", bare["id"], "--set", str(profile_file))
    assert after["profileRevision"] == 1
    assert program("instances", "profile", bare["id"]).output.encode() == profile_file.read_bytes()
    again = program.data("instances", "profile", bare["id"], "--this-host")
    assert again["profileRevision"] in {1, 2}


BOMB = """<?xml version="1.0"?>
<!DOCTYPE list [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<list><node id="x" class="system"><description>&b;</description></node></list>
"""


@pytest.mark.parametrize(
    "content", ["this is no XML", "", "<list><node></list>", BOMB, "<list>\udcff</list>"]
)
def test_a_profile_that_is_none_is_refused_before_anything_changes(
    program: Program, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "bad.xml"
    file.write_bytes(content.encode(errors="surrogateescape"))
    instance = program.licensed()
    key = program.keys("master", "unassigned")[0]["key"]
    before = _change_count(program)
    new = ("--new-instance", "New", "--country", "DE", "--profile", str(file))
    for words in (
        ("instances", "profile", instance["id"], "--set", str(file)),
        ("activate", key, *new),
    ):
        assert program.refusal(*words, status=5)["code"] == "profile-invalid"
    assert _change_count(program) == before


def test_options_that_exclude_each_other_are_refused(program: Program, profile_file: Path) -> None:
    path = str(profile_file)
    for words in (
        ("instances", "profile", "x", "--set", path, "--this-host"),
        ("activate", "k"),
        ("activate", "k", "--instance", "x", "--new-instance", "y"),
        ("activate", "k", "--new-instance", "y"),
        ("activate", "k", "--instance", "y", "--country", "DE"),
        ("activate", "k", "--instance", "y", "--profile", path, "--this-host"),
        ("verify", "--profile", path, "--this-host", "x"),
        ("verify", path, "--certificate-code", "x"),
        ("verify",),
        ("download", "license"),
        ("download", "license", "x", "--all"),
        ("cloud", "issue", "--account", "x"),
        ("frobnicate",),
        ("keys",),
        ("keys", "frobnicate"),
    ):
        assert program.refusal(*words, status=2)["code"] == "invalid-request"


def test_a_key_is_released_and_activated_elsewhere(program: Program) -> None:
    instance = program.licensed()
    add_on = next(
        key for key in program.keys("addOn", "active") if key["instanceId"] == instance["id"]
    )
    released = program.data("keys", "release", add_on["key"], "--reason", "moved")
    assert (released["state"], released["instanceId"]) == ("unassigned", None)
    masters = {key["id"] for key in program.keys("master", "active")}
    other = program.instances(
        lambda one: one["masterKeyId"] in masters and one["id"] != instance["id"]
    )[0]
    preview = program.data("activate", add_on["key"], "--instance", other["id"], "--preview")
    assert len(preview["after"]) == len(preview["before"]) + 1
    done = program.data("activate", add_on["key"], "--instance", other["id"])
    assert done["instance"]["id"] == other["id"]
    assert program.data("keys", "show", add_on["id"])["instanceId"] == other["id"]


def test_a_master_with_add_ons_is_released_only_with_all_of_them(program: Program) -> None:
    instance = program.licensed()
    words = ("keys", "release", instance["masterKeyId"], "--reason", "moved")
    error = program.refusal(*words, status=5)
    assert error["code"] == "release-would-orphan-addons"
    assert "unassigned" in program(*words, "--cascade").output
    assert program.data("instances", "show", instance["id"])["state"] == "unlicensed"


def test_keys_come_from_standard_input_too(program: Program, profile_file: Path) -> None:
    master = program.keys("master", "unassigned")[0]["key"]
    add_on = program.keys("addOn", "unassigned")[0]["key"]
    typed = f"{master.lower()}\n\n {'-'.join(add_on[at : at + 4] for at in range(0, 16, 4))} \n"
    target = ("--new-instance", "Porto", "--country", "PT", "--label", "Ribeira")
    words = ("activate", *target, "--core-version", "6.2.1", "--profile", str(profile_file))
    shown = program(*words, "--preview", stdin=typed)
    assert shown.output.count("+") >= 2
    assert master[-4:] in shown.output
    done = program(*words, stdin=typed)
    assert "serial 1" in done.output
    assert "Next: tui-licenses download license" in done.notes
    made = program.data("instances", "show", "Porto")
    assert made["location"] == {"countryCode": "PT", "label": "Ribeira"}
    assert (made["coreVersion"], made["keyCount"], made["addOnCount"]) == ("6.2.1", 2, 1)
    assert "PRODUCT" in program("keys", "list", "--instance", "Porto").output
    assert "=" in program("activate", "-", "--instance", "Porto", "--preview", stdin=master).output


def test_a_master_is_replaced_only_when_asked_to(program: Program) -> None:
    instance = program.licensed()
    key = program.keys("master", "unassigned")[0]["key"]
    words = ("activate", key, "--instance", instance["id"])
    assert program.refusal(*words, status=5)["code"] == "master-already-present"
    preview = program(
        "activate", key, "--instance", instance["id"], "--replace-master", "--preview"
    )
    assert "\n-" in preview.output
    replaced = program.data(*words, "--replace-master")
    assert replaced["instance"]["masterKeyId"] != instance["masterKeyId"]


def _refused_keys(program: Program) -> dict[str, tuple[tuple[str, ...], int, str]]:
    master = program.keys("master", "unassigned")[0]
    add_on = program.keys("addOn", "unassigned")[0]
    used = program.keys("addOn", "active")[0]
    pending = program.instances(lambda one: one["state"] == "pending")[0]
    own = {key["id"] for key in program.items("keys", "list")}
    partner = program.instances(
        lambda one: one["masterKeyId"] is not None and one["masterKeyId"] not in own
    )[0]
    there = program.instances(lambda one: one["id"] != used["instanceId"])[0]
    return {
        "malformed": ((master["key"][:-1], "--instance", pending["id"]), 5, "key-format"),
        "unknown": (("ABCDEFGHIJKLMNOP", "--instance", pending["id"]), 4, "key-not-found"),
        "used elsewhere": ((used["key"], "--instance", there["id"]), 5, "key-already-assigned"),
        "no master": ((add_on["key"], "--instance", pending["id"]), 5, "addon-requires-master"),
        "partner": ((add_on["key"], "--instance", partner["id"]), 6, "master-not-in-account"),
        "one of two": (
            (master["key"], used["key"], "--instance", pending["id"]),
            5,
            "key-already-assigned",
        ),
        "no profile": (
            (master["key"], "--new-instance", "New", "--country", "DE"),
            5,
            "profile-required",
        ),
    }


CASES = (
    "malformed",
    "unknown",
    "used elsewhere",
    "no master",
    "partner",
    "one of two",
    "no profile",
)


@pytest.mark.parametrize("case", CASES)
def test_keys_that_cannot_be_activated_there_change_nothing(program: Program, case: str) -> None:
    words, status, code = _refused_keys(program)[case]
    before: list[Record] = program.items("events", "list")
    told = program("activate", *words, status=status)
    failed = program("activate", *words, "--format", "json", status=status)
    envelope = failed.envelope()
    assert code in {error["code"] for error in envelope["errors"]}
    assert envelope["errors"][0]["nextStep"]
    for done in (told, failed):
        assert "Error: " in done.notes
        assert words[0] not in done.notes + done.output
    assert program.items("events", "list") == before


def test_a_refused_preview_shows_the_whole_preview(program: Program) -> None:
    words, _, code = _refused_keys(program)["no master"]
    failed = program("activate", *words, "--preview", "--format", "json", status=5)
    envelope = failed.envelope()
    assert envelope["data"]["problems"][0]["code"] == code
    assert envelope["errors"][0]["code"] == code


def test_no_key_at_all_is_refused(program: Program) -> None:
    for words in (("activate", "--instance", "x"), ("activate", "-", "--instance", "x")):
        assert program.refusal(*words, status=2)["code"] == "invalid-request"


def test_a_format_that_does_not_exist_is_refused(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--format" in program("keys", "list", "--format", "xml", status=2).notes
    monkeypatch.setenv("TUI_LICENSES_FORMAT", "xml")
    assert "TUI_LICENSES_FORMAT" in program("keys", "list", status=2).notes
