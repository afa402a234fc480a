"""Which database a `cloud` command works on: options, environment, and passwords kept secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Program

# Nothing listens there.
_NOWHERE = "127.0.0.1:1/licenses"


def test_the_database_may_stand_in_the_environment(
    blank_program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_LICENSES_DATABASE_URL", f"sqlite:///{tmp_path / 'cloud.db'}")
    assert blank_program.data("cloud", "init")["created"] is True
    assert (tmp_path / "cloud.db").exists()


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://licenses:sesame@{_NOWHERE}",
        f"postgresql://{_NOWHERE}?user=licenses&password=sesame",
    ],
)
def test_a_password_is_not_taken_from_the_command_line(blank_program: Program, url: str) -> None:
    refused = blank_program.refusal("cloud", "check", "--database", url, status=2)
    assert refused["code"] == "password-on-command-line"
    assert "sesame" not in str(refused)


def test_a_password_in_the_environment_is_used_and_never_shown(
    blank_program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_LICENSES_DATABASE_URL", f"postgresql://licenses:sesame@{_NOWHERE}")
    for words in (("check",), ("init",), ("serve",), ("seed",), ("accounts", "list")):
        refused = blank_program.refusal("cloud", *words, status=7)
        assert refused["code"] == "database-unavailable"
        assert "sesame" not in str(refused)


def test_a_database_file_has_its_secrets_beside_it(blank_program: Program, tmp_path: Path) -> None:
    words = ("cloud", "init", "--secrets", str(tmp_path))
    for database in ((), ("--database", str(tmp_path / "cloud.db"))):
        refused = blank_program.refusal(*words, *database, status=2)
        assert refused["code"] == "invalid-request"


def test_a_folder_of_secrets_belongs_to_a_server(blank_program: Program, tmp_path: Path) -> None:
    words = ("cloud", "check", "--secrets", str(tmp_path), "--database", f"postgresql://{_NOWHERE}")
    assert blank_program.refusal(*words, status=7)["code"] == "database-unavailable"
