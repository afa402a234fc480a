"""The program as tests call it: in this process for breadth, as a process where that matters."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tui_licenses.__main__ import open_dashboard
from tui_licenses.cli.main import run

Record = dict[str, Any]
ENVELOPE = {"schemaVersion", "result", "data", "errors", "warnings"}
PROGRAM = (sys.executable, "-m", "tui_licenses")


@dataclass(frozen=True)
class Done:
    """What a finished command left: its exit status and both streams."""

    status: int
    output: str
    notes: str

    def envelope(self) -> Record:
        """Return the JSON envelope, checked for its shape."""
        document: Record = json.loads(self.output)
        assert set(document) == ENVELOPE
        assert document["schemaVersion"] == 1
        assert document["result"] == ("success" if self.status == 0 else "failure")
        assert (document["errors"] == []) is (self.status == 0)
        for error in document["errors"]:
            assert {"code", "message", "nextStep"} <= set(error)
        return document


@dataclass(frozen=True)
class Program:
    """Runs commands in this process."""

    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *arguments: str, status: int = 0, stdin: str = "") -> Done:
        """Run a command that ends with this exit status."""
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            found = run(arguments, open_dashboard)
        output, notes = self.capsys.readouterr()
        assert found == status, output + notes
        return Done(found, output, notes)

    def data(self, *arguments: str, stdin: str = "") -> Any:  # noqa: ANN401 - JSON
        """Return the data of a command that succeeds."""
        return self(*arguments, "--format", "json", stdin=stdin).envelope()["data"]

    def items(self, *arguments: str) -> list[Record]:
        """Return the items of a command that lists."""
        found: list[Record] = self.data(*arguments)["items"]
        return found

    def refusal(self, *arguments: str, status: int, stdin: str = "") -> Record:
        """Return the first error of a command that fails, the same in a table and in JSON."""
        told = self(*arguments, status=status, stdin=stdin)
        failed = self(*arguments, "--format", "json", status=status, stdin=stdin)
        error: Record = failed.envelope()["errors"][0]
        assert error["message"].endswith((".", "?"))
        assert error["nextStep"]
        for done in (told, failed):
            assert f"Error: {error['message']}" in done.notes
            assert error["nextStep"] in done.notes
            assert "Traceback" not in done.notes
        return error

    def keys(self, kind: str, status: str) -> list[Record]:
        """Return the keys of the account of one kind and status."""
        found = self.items("keys", "list", "--addons", "--status", status)
        return [key for key in found if key["kind"] == kind]

    def instances(self, wanted: Callable[[Record], bool]) -> list[Record]:
        """Return the instances of the account that are wanted."""
        return [instance for instance in self.items("instances", "list") if wanted(instance)]

    def licensed(self) -> Record:
        """Return an instance with an own active master, add-ons and a profile."""
        masters = {key["id"] for key in self.keys("master", "active")}
        return self.instances(
            lambda one: (
                one["masterKeyId"] in masters
                and one["addOnCount"] > 1
                and bool(one["profileRevision"])
            )
        )[0]


@pytest.fixture
def program(
    lab_database: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Program:
    """Give the program on the embedded cloud, in an empty folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Program(capsys, monkeypatch)


@pytest.fixture
def blank_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Program:
    """Give the program in an empty home, without an embedded cloud."""
    monkeypatch.chdir(tmp_path)
    return Program(capsys, monkeypatch)


def run_process(*arguments: str, stdin: str | None = None, **environment: str) -> Done:
    """Run the program as a process of its own, without a terminal."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        env={**os.environ, **environment},
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def host_profile_bytes() -> bytes:
    """Return a real server profile: a given sample, or else the one of this host."""
    folder = os.environ.get("TUI_LICENSES_SAMPLE_PROFILES")
    samples = sorted(Path(folder).glob("*.xml")) if folder else []
    if samples:
        return samples[0].read_bytes()
    from tui_licenses.documents.host_profile import collect_host_profile

    return collect_host_profile()


@pytest.fixture
def profile_file(tmp_path: Path, host_profile_bytes: bytes) -> Path:
    """Return the file of a real server profile."""
    file = tmp_path / "profile.xml"
    file.write_bytes(host_profile_bytes)
    return file
