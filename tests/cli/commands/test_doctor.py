"""`doctor` as a command: what it prints, its exit status, its bundle, its terminal."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM, Program
from tests.pty.terminal import Terminal
from tui_licenses import paths


def test_a_healthy_lab_is_told_line_by_line(program: Program) -> None:
    told = program("doctor").output
    assert "ok       Sign-in " in told
    assert "fault  " not in told
    assert {item["severity"] for item in program.items("doctor")} <= {"ok", "skipped"}


def test_faults_end_in_exit_status_9_with_their_remedies(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_LICENSES_URL", "http://127.0.0.1:1")
    error = program.refusal("doctor", status=9)
    assert error["code"] == "faults-found"
    told = program("doctor", status=9).output
    assert "Check the address and that the license cloud is running." in told
    items = program("doctor", "--format", "json", status=9).envelope()["data"]["items"]
    assert "connection-refused" in {item["code"] for item in items}


def test_a_wrong_setting_is_told_like_everything_else(program: Program) -> None:
    paths.configuration_file().parent.mkdir(parents=True)
    paths.configuration_file().write_text("theme = 3")
    assert "is not a setting" in program("doctor", status=9).output


def test_a_bundle_is_one_private_readable_file_without_secrets(
    program: Program, home: Path
) -> None:
    log = paths.log_file()
    log.parent.mkdir(parents=True)
    log.write_text("2026-01-01T00:00:00+00:00 ValueError\n")
    program("doctor", "--bundle", "bundle.json")
    bundle = Path("bundle.json")
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600
    text = bundle.read_text()
    document = json.loads(text)
    assert document["log"] == ["2026-01-01T00:00:00+00:00 ValueError"]
    assert {"findings", "settings", "contexts", "madeAt"} <= set(document)
    assert str(home) not in text
    for key in program.items("keys", "list", "--addons"):
        assert key["key"] not in text
    for file in paths.embedded_cloud_folder().glob("*.key"):
        assert file.read_bytes().hex() not in text


def test_a_bundle_replaces_nothing(program: Program) -> None:
    Path("bundle.json").write_text("mine")
    assert program.refusal("doctor", "--bundle", "bundle.json", status=10)["code"] == "file-exists"
    assert Path("bundle.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("environment", "columns", "told"),
    [
        ({"TERM": "dumb"}, 100, "neither colours nor moves"),
        ({"TERM": "hazeltine"}, 100, "is not known"),
        ({"TERM": "xterm", "PYTHONIOENCODING": "ascii"}, 100, "names in other scripts"),
        ({"TERM": "xterm"}, 50, "the dashboard needs 60x15"),
    ],
)
def test_a_terminal_that_shows_less_is_told(
    lab_database: Path, environment: dict[str, str], columns: int, told: str
) -> None:
    command = [*PROGRAM, "doctor"]
    with Terminal(command, {**os.environ, **environment}, columns=columns, rows=60) as terminal:
        assert terminal.wait_for_exit() == 0
    text = " ".join(terminal.raw.decode().split())
    assert "warning Terminal" in text
    assert told in text
