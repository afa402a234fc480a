"""Rarer turns: sign-ins that are gone, bulk actions in which all fails, new embedded clouds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.cli.accounts import sign_in_as
from tests.cli.conftest import Program
from tests.conftest import ServedCloud
from tests.support.folders import names_in
from tui_licenses.domain.account import Role
from tui_licenses.domain.license_key import mask_key


def _log_in(program: Program, cloud: ServedCloud, *words: str) -> dict[str, str]:
    lines = "\n".join(cloud.sign_ins[Role.READER])
    told: dict[str, str] = program.data(
        "login", "--url", cloud.url, "--token-stdin", *words, stdin=f"{lines}\n"
    )
    return told


def test_a_context_is_removed_although_its_sign_in_is_gone(
    blank_program: Program, served_cloud: ServedCloud
) -> None:
    assert _log_in(blank_program, served_cloud)["context"] == "127-0-0-1"
    blank_program("logout")
    assert blank_program.refusal("whoami", status=3)["code"] == "token-missing"
    blank_program("context", "remove", "127-0-0-1")
    names = [item["name"] for item in blank_program.items("context", "list")]
    assert names == ["embedded"]


def test_the_embedded_context_cannot_be_removed(blank_program: Program) -> None:
    refused = blank_program.refusal("context", "remove", "embedded", status=2)
    assert "cannot be removed" in refused["message"]


def test_contexts_are_listed_even_if_the_one_in_use_does_not_exist(
    blank_program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_LICENSES_CONTEXT", "nowhere")
    (embedded,) = blank_program.items("context", "list")
    assert embedded["current"] is False
    assert blank_program.refusal("context", "show", status=2)["code"] == "context-unknown"


def test_a_second_cloud_on_one_host_needs_a_name(
    blank_program: Program, served_cloud: ServedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    _log_in(blank_program, served_cloud)
    words = ("login", "--url", "http://127.0.0.1:9", "--token-stdin")
    refused = blank_program.refusal(*words, stdin="subject\ntoken\n", status=2)
    assert refused["code"] == "context-exists"
    monkeypatch.setenv("TUI_LICENSES_CA_FILE", "/somewhere/ca.pem")
    assert _log_in(blank_program, served_cloud, "--name", "second")["context"] == "second"
    assert blank_program.data("context", "show", "second")["caFile"] == "/somewhere/ca.pem"


def test_keys_without_an_instance_have_no_license_file_and_leave_no_folder(
    program: Program,
) -> None:
    first, second = (key["id"] for key in program.keys("master", "unassigned")[:2])
    words = ("download", "license", first, second, "--to", "saved")
    failed = program(*words, "--format", "json", status=5)
    outcomes = failed.envelope()["data"]["items"]
    assert [outcome["subjectId"] for outcome in outcomes] == [first, second]
    assert {outcome["code"] for outcome in outcomes} == {"no-master"}
    assert program(*words, status=5).output.count("is not assigned") == 2
    assert names_in(Path()) == []


def test_a_folder_made_for_a_download_that_failed_is_removed(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = program.instances(lambda one: not one["profileRevision"])[0]
    program.refusal("download", "profile", bare["id"], "--to", "saved", status=4)
    assert names_in(Path()) == []
    licensed = program.licensed()["id"]
    words = ("download", "profile", licensed, "--to", "no/such/place")
    assert program.refusal(*words, status=10)["code"] == "folder-not-writable"
    assert names_in(Path()) == []


def test_a_foreign_key_fails_alone_and_the_rest_is_saved(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = program.keys("master", "active")[0]
    with monkeypatch.context() as patch:
        sign_in_as(patch, "ProPlus")
        foreign = program.keys("master", "active")[0]["key"]
    failed = program("download", "certificate", mine["id"], foreign, "--format", "json", status=9)
    good, bad = failed.envelope()["data"]["items"]
    assert (good["subjectId"], bad["subjectId"]) == (mine["id"], mask_key(foreign))
    assert foreign not in failed.output + failed.notes
    assert bad["code"] in {"key-not-in-account", "key-not-found"}
    sign_in_as(monkeypatch, "OmniD")
    refused = program.refusal("download", "certificate", foreign, mine["key"], status=6)
    assert refused["code"] == "plan-not-eligible"


def test_the_code_of_a_certificate_is_verified(program: Program) -> None:
    key = program.keys("master", "active")[0]
    (saved,) = program.items("download", "certificate", key["id"])
    text = "".join(page.extract_text() for page in PdfReader(saved["path"]).pages)
    found = re.search(r"TLC1\.[0-9a-f]{16}\.[\w-]+\.[\w-]{86}", "".join(text.split()), re.ASCII)
    assert found is not None
    code = found[0]
    told = program.data("verify", "--certificate-code", code)
    assert (told["verified"], told["isLab"]) == (True, True)
    assert told["keyLastFour"] == key["key"][-4:]
    shown = program("verify", "--certificate-code", code)
    assert "Signature" in shown.output
    assert "lab" in shown.notes


def test_a_handle_of_nothing_is_told_without_repeating_a_key(program: Program) -> None:
    for handle in ("ZZZZ-ZZZZ-ZZZZ-ZZZZ", "00000000-0000-4000-8000-000000000000"):
        refused = program.refusal("download", "license", handle, status=4)
        assert refused["code"] == "not-found"
        assert handle not in refused["message"]
    refused = program.refusal("download", "license", "No such place", status=4)
    assert refused["code"] == "instance-not-found"


def test_an_embedded_cloud_of_any_size_is_seeded_before_its_first_use(
    blank_program: Program,
) -> None:
    words = ("cloud", "seed", "--instances", "6", "--keys", "40")
    seeded = blank_program.data(*words)
    assert (seeded["instanceCount"], seeded["accountCount"]) == (24, 4)
    assert len(blank_program.items("instances", "list")) == 6
    assert blank_program.refusal(*words, status=2)["code"] == "database-not-empty"


def test_an_account_is_made_with_keys_and_a_sign_in(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("cloud", "accounts", "make", "New Account", "--plan", "Pro")
    made = program.data(*words, "--support-contact", "licenses@example.com")
    assert (made["name"], made["plan"], made["keyCount"]) == ("New Account", "Pro", 0)
    listed = program.items("cloud", "accounts", "list")
    assert made in listed
    assert "New Account" in program("cloud", "accounts", "list").output
    words = ("--account", "New Account", "--role", "reader", "--name", "Screen")
    token = program.data("cloud", "tokens", "make", *words)
    monkeypatch.setenv("TUI_LICENSES_SUBJECT_ID", token["subjectId"])
    monkeypatch.setenv("TUI_LICENSES_REFRESH_TOKEN", token["refreshToken"])
    assert program.data("whoami")["account"]["name"] == "New Account"
    assert program.items("keys", "list") == []
