"""Lists and single objects: the same content in every format, filtered and masked as asked."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.cli.conftest import Program

LISTS = (
    ("instances", "list"),
    ("keys", "list", "--addons"),
    ("events", "list"),
    ("trust", "list"),
    ("context", "list"),
    ("cloud", "accounts", "list"),
    ("cloud", "tokens", "list"),
)


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_a_list_says_the_same_in_every_format(program: Program, words: tuple[str, ...]) -> None:
    items = program.items(*words)
    assert items
    lines = program(*words, "--format", "jsonl").output.splitlines()
    assert [json.loads(line) for line in lines] == items
    rows = list(csv.DictReader(io.StringIO(program(*words, "--format", "csv").output)))
    assert len(rows) == len(items)
    assert list(rows[0]) == list(items[0])
    table = program(*words).output.splitlines()
    assert len(table) == len(items) + 1
    assert table[0] == table[0].upper()


def test_global_options_stand_before_or_after_the_command(program: Program) -> None:
    after = program("keys", "list", "--mask", "--format", "json", "--context", "embedded")
    before = program("--mask", "--format", "json", "--context", "embedded", "keys", "list")
    assert before.output == after.output
    assert program("--format=json", "--no-color", "keys", "list", "--mask").output == after.output


def test_the_format_may_come_from_the_environment(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_LICENSES_FORMAT", "json")
    assert program("whoami").envelope()["data"]["role"] == "administrator"
    assert program("whoami", "--format", "table").output.startswith("Account")


def test_what_follows_two_hyphens_is_no_option(program: Program) -> None:
    assert program("keys", "show", "--", "--format=json", status=5).output == ""


def test_the_status_of_an_add_on_follows_its_master(program: Program) -> None:
    instance = program.licensed()
    add_on = next(
        key for key in program.keys("addOn", "active") if key["instanceId"] == instance["id"]
    )
    program("cloud", "suspend", instance["masterKeyId"], "--reason", "not paid")
    assert program.data("keys", "show", add_on["id"])["status"] == "suspended"
    program("cloud", "reinstate", instance["masterKeyId"], "--reason", "paid")
    assert program.data("keys", "show", add_on["id"])["status"] == "active"


def test_masking_shows_the_last_four_only(program: Program) -> None:
    key = program.keys("master", "active")[0]
    for words in (("keys", "list"), ("keys", "show", key["id"])):
        for format_ in ("table", "json", "jsonl", "csv"):
            output = program(*words, "--mask", "--format", format_).output
            assert key["key"] not in output.replace("-", "")
            assert key["key"][-4:] in output


def test_the_audit_trail_is_newest_first_and_holds_no_key(program: Program) -> None:
    key = program.keys("master", "active")[0]
    program("keys", "release", key["id"], "--reason", "moved", "--cascade")
    events = program.items("events", "list")
    sequence = [event["sequence"] for event in events]
    assert sequence == sorted(sequence, reverse=True)
    assert key["key"] not in json.dumps(events)


def test_a_profile_is_no_list_and_not_written_as_csv(program: Program) -> None:
    instance = program.licensed()
    words = ("instances", "profile", instance["id"])
    line = program(*words, "--format", "jsonl").output
    assert json.loads(line)["profileXml"] == program(*words).output
    assert "CSV" in program(*words, "--format", "csv", status=2).notes
