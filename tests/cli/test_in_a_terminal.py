"""What people see: tables that fit, questions that are asked, the dashboard that opens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.conftest import ServedCloud
from tests.pty.terminal import Terminal
from tests.support.folders import names_in
from tui_licenses import paths
from tui_licenses.domain.account import Role

PROGRAM = (sys.executable, "-m", "tui_licenses")
CONTROL = b"\x1b["


def _open(
    *arguments: str,
    columns: int = 100,
    rows: int = 40,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Terminal:
    variables = {**os.environ, "TERM": "xterm-256color", **environment}
    return Terminal([*PROGRAM, *arguments], variables, columns=columns, rows=rows)


def _shown(
    *arguments: str, columns: int = 100, environment: Mapping[str, str] = MappingProxyType({})
) -> tuple[str, bytes]:
    """Run a command to its end; return its screen and the bytes it wrote."""
    with _open(*arguments, columns=columns, environment=environment) as terminal:
        assert terminal.wait_for_exit() == 0
        return terminal.text, terminal.raw


def _interrupt(terminal: Terminal) -> int:
    """Press Ctrl-C until the program ends: the first may come before it listens."""
    for _ in range(5):
        terminal.press("ctrl+c")
        with suppress(AssertionError):
            return terminal.wait_for_exit(4)
    raise AssertionError("the program does not end")


@pytest.fixture
def lab(lab_database: Path) -> Path:
    """Return the folder of a seeded embedded cloud."""
    return lab_database.parent


def test_a_table_is_fitted_to_the_terminal_and_keeps_its_handles(lab: Path) -> None:
    text, raw = _shown("instances", "list", "--limit", "3", columns=110)
    heading, *rows = [line for line in text.splitlines() if line]
    assert heading.split()[-1] == "ID"
    assert len(rows) == 3
    assert all(len(row.split()[-1]) == 36 for row in rows)
    assert b"\x1b[1mNAME" in raw
    _, plain = _shown(
        "instances", "list", "--limit", "3", columns=110, environment={"NO_COLOR": "1"}
    )
    assert CONTROL not in plain


def test_a_named_format_is_the_same_on_a_terminal_and_on_a_pipe(lab: Path) -> None:
    _, narrow = _shown("keys", "list", "--limit", "2", "--format", "table", columns=60)
    _, wide = _shown("keys", "list", "--limit", "2", "--format", "table", columns=200)
    assert narrow == wide
    assert CONTROL not in narrow


def test_a_table_that_cannot_fit_is_still_whole(lab: Path) -> None:
    _, raw = _shown("keys", "list", "--limit", "1", columns=60)
    key_row = raw.decode().split("\r\n")[1]
    assert len(key_row.split()[0]) == 19
    assert len(key_row.split()[-1]) == 36


def test_a_profile_on_a_terminal_is_made_safe_to_look_at(lab: Path, tmp_path: Path) -> None:
    file = tmp_path / "profile.xml"
    text = '<list><node id="x" class="system"><description>a\u009b31m</description></node></list>'
    file.write_text(text, encoding="utf-8")
    name = "Portland [east] yard"
    _shown("instances", "profile", name, "--set", str(file))
    _, raw = _shown("instances", "profile", name)
    assert "‹U+009B›" in raw.decode()
    assert "\u009b" not in raw.decode()


def test_a_download_shows_its_progress(lab: Path, tmp_path: Path) -> None:
    text, raw = _shown("download", "license", "--all", "--to", str(tmp_path / "all"))
    assert b"\r[####" in raw
    assert b"] 100%  " in raw
    assert "-license.bin" in text


def test_a_download_that_is_interrupted_tells_what_was_saved(
    served_cloud: ServedCloud, tmp_path: Path
) -> None:
    folder = tmp_path / "some"
    words = ("download", "certificate", "--all", "--to", str(folder), "--format", "jsonl")
    # Each of these has to be drawn: time enough to think better of it.
    with _open(*words, columns=60, environment=served_cloud.environment()) as terminal:
        terminal.wait_for("%")
        assert _interrupt(terminal) == 130
        written = terminal.raw.decode().splitlines()
    lines = [line[line.index("{") :] for line in written if "{" in line]
    *records, end = map(json.loads, lines)
    assert end["errors"][0]["code"] == "interrupted"
    saved = {Path(record["path"]).name for record in records if "path" in record}
    missing = [record for record in records if "path" not in record]
    assert {record["code"] for record in missing} == {"not-fetched"}
    assert saved
    assert missing
    assert set(names_in(folder)) == saved | {"SHA256SUMS"}
    check = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=folder, check=False).returncode == 0
    # Run again, it fetches the rest.
    _, raw = _shown(*words[:5], environment=served_cloud.environment())
    assert len(names_in(folder)) == len(records) + 1
    assert b"] 100%  " in raw


def test_an_error_is_marked_on_a_terminal() -> None:
    with _open("keys", "lookup", "ABC") as terminal:
        assert terminal.wait_for_exit() == 5
        assert b"\x1b[31mError:\x1b[0m" in terminal.raw
    with _open("keys", "lookup", "ABC", "--no-color") as terminal:
        assert terminal.wait_for_exit() == 5
        assert CONTROL not in terminal.raw


def test_a_sign_in_is_asked_for_and_its_token_never_shown(served_cloud: ServedCloud) -> None:
    subject_id, token = served_cloud.sign_ins[Role.ADMINISTRATOR]
    with _open("login", "--url", served_cloud.url) as terminal:
        terminal.wait_for("Subject id:")
        terminal.type(f"{subject_id}\r")
        terminal.wait_for("Refresh token:")
        terminal.type(f"{token}\r")
        assert terminal.wait_for_exit() == 0
        assert token.encode() not in terminal.raw
    assert token.encode() in paths.credentials_file("127-0-0-1").read_bytes()


def test_a_question_can_be_left_with_ctrl_c() -> None:
    with _open("login", "--url", "http://127.0.0.1:9") as terminal:
        terminal.wait_for("Subject id:")
        assert _interrupt(terminal) == 130
    assert not paths.configuration_file().exists()


def test_the_fingerprint_of_a_root_is_asked_for(served_cloud: ServedCloud) -> None:
    with _open("trust", "add", environment=served_cloud.environment()) as terminal:
        terminal.wait_for("Fingerprint of the root:")
        terminal.type("0123456789abcdef\r")
        assert terminal.wait_for_exit() == 8
    assert not list(paths.trust_folder().glob("*"))


def test_without_keys_there_is_nothing_to_activate_on_a_terminal() -> None:
    with _open("activate", "--instance", "x") as terminal:
        assert terminal.wait_for_exit() == 2
        assert "No license key was given." in terminal.text


def test_the_dashboard_opens_masked_and_without_colours(lab: Path) -> None:
    with _open("--mask", "--no-color", columns=80, rows=24) as terminal:
        terminal.wait_for("Show add-on keys", "Berlin", "••••-")
        terminal.press("ctrl+c")
        assert terminal.wait_for_exit() == 130
        assert "38;2;" not in terminal.raw.decode(errors="replace")


def test_a_terminal_that_is_too_small_is_told_what_to_use_instead() -> None:
    for columns, rows in ((20, 5), (59, 30), (80, 14)):
        with _open(columns=columns, rows=rows) as terminal:
            assert terminal.wait_for_exit() == 2
            assert b"keys list" in terminal.raw
