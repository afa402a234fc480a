"""`cloud`: making, filling, checking and serving a license cloud, issuing keys and tokens."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tui_licenses import paths


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Return the URL of a database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'cloud.sqlite3'}"


def test_a_database_is_made_and_then_up_to_date(blank_program: Program, database: str) -> None:
    words = ("cloud", "init", "--database", database)
    assert "created" in blank_program(*words).output
    again = blank_program.data(*words)
    assert (again["created"], again["migrated"]) == (False, False)
    assert "up to date" in blank_program(*words).output
    assert blank_program.data("cloud", "check", "--database", database) == {"findings": []}


def test_a_check_makes_no_lab(blank_program: Program) -> None:
    refused = blank_program.refusal("cloud", "check", status=2)
    assert refused["code"] == "database-missing"
    assert not paths.embedded_database_file().exists()


def test_a_database_is_filled_once(blank_program: Program, database: str) -> None:
    size = ("--instances", "8", "--keys", "60", "--random-seed", "7")
    words = ("cloud", "seed", "--database", database, *size)
    made = blank_program.data(*words)
    assert made["accountCount"] == 4
    first = made["items"][0]
    assert first["refreshToken"].startswith("tlr_")
    assert blank_program.refusal(*words, status=2)["code"] == "database-not-empty"
    assert "no fault found" in blank_program("cloud", "check", "--database", database).output


def test_keys_are_issued_to_an_account(program: Program) -> None:
    words = ("cloud", "issue", "--account", "Meridian Transit Displays", "--kind", "master")
    product = ("--product", "server-pro", "--product-name", "Server Pro", "--count", "2")
    dates = ("--starts", "2026-01-01", "--expires", "2030-01-01", "--terminates", "2031-01-01")
    features = ("--feature", "devices=250", "--feature", "core", "--order", "PO-1")
    issued = program.items(*words, *product, *dates, *features)
    assert [key["orderReference"] for key in issued] == ["PO-1", "PO-1"]
    assert issued[0]["expiresAt"] == "2030-01-01T00:00:00Z"
    assert {feature["quantity"] for feature in issued[0]["features"]} == {250, None}
    assert program.data("keys", "lookup", issued[0]["key"])["assignable"] is True
    typed = f"{issued[0]['key']}\n"
    assert program.data("keys", "lookup", "-", stdin=typed)["assignable"] is True
    assert program.data("keys", "show", "-", stdin=typed)["id"] == issued[0]["id"]
    assert program.refusal("keys", "show", "-", status=2)["code"] == "invalid-request"
    assert (
        "add-on"
        in program(
            *words[:-1], "add-on", "--product", "x", "--product-name", "X", "--feature", "x"
        ).output
    )


@pytest.mark.parametrize("feature", ["=3", "devices=many", "devices="])
def test_a_malformed_feature_is_refused(program: Program, feature: str) -> None:
    words = ("cloud", "issue", "--account", "Meridian Transit Displays", "--kind", "master")
    error = program.refusal(*words, "--product", "x", "--feature", feature, status=2)
    assert error["code"] == "invalid-request"


def test_keys_are_issued_to_nobody_unknown(program: Program) -> None:
    words = ("cloud", "issue", "--account", "Nobody", "--kind", "master", "--product", "x")
    program.refusal(*words, status=4)


def test_a_key_is_suspended_reinstated_and_revoked(program: Program) -> None:
    key = program.keys("addOn", "active")[0]
    for command, state in (
        ("suspend", "suspended"),
        ("reinstate", "active"),
        ("revoke", "revoked"),
    ):
        program("cloud", command, key["key"], "--reason", "test")
        assert program.data("keys", "show", key["id"])["state"] == state
    error = program.refusal("cloud", "reinstate", key["id"], "--reason", "test", status=5)
    assert error["code"] == "key-revoked"
    assert program.refusal("cloud", "suspend", key["id"], status=2)["code"] == "invalid-request"


def test_tokens_are_made_listed_and_revoked(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = "Meridian Transit Displays"
    words = ("cloud", "tokens", "make", "--account", account, "--role", "operator")
    made = program.data(*words, "--name", "Automation", "--email", "robot@meridian.example")
    assert "tlr_" in program(*words, "--name", "Another").output
    listed = program.items("cloud", "tokens", "list", "--account", account)
    assert made["subjectId"] in {token["subjectId"] for token in listed}
    assert all("refreshToken" not in token for token in listed)
    with monkeypatch.context() as patch:
        patch.setenv("TUI_LICENSES_SUBJECT_ID", made["subjectId"])
        patch.setenv("TUI_LICENSES_REFRESH_TOKEN", made["refreshToken"])
        assert program.data("whoami")["role"] == "operator"
        program("cloud", "tokens", "revoke", made["subjectId"])
        assert program.refusal("whoami", status=3)["code"] == "invalid-refresh-token"


def test_a_damaged_database_is_told_with_its_faults(program: Program, lab_database: Path) -> None:
    with sqlite3.connect(lab_database) as connection:
        connection.execute("UPDATE instance SET key_count = key_count + 1")
    connection.close()
    error = program.refusal("cloud", "check", status=8)
    assert error["code"] == "cloud-damaged"


def test_a_cloud_is_not_served_bare_to_other_hosts(program: Program) -> None:
    error = program.refusal("cloud", "serve", "--host", "0.0.0.0", "--port", "0", status=2)
    assert error["code"] == "tls-required"


def test_a_database_that_is_not_there_is_not_served(blank_program: Program, database: str) -> None:
    words = ("cloud", "serve", "--database", database, "--port", "0")
    assert blank_program.refusal(*words, status=2)["code"] == "database-missing"
