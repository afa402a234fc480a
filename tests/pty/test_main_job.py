"""The main job of an administrator, by keyboard in a real terminal against a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.conftest import ServedCloud
from tests.pty.terminal import Terminal

PROGRAM = (sys.executable, "-m", "tui_licenses")


class Administrator:
    """Somebody signed in to a served cloud, with a folder to save into."""

    def __init__(self, cloud: ServedCloud, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, **cloud.environment(), "TERM": "xterm-256color"}

    def command(self, *arguments: str, status: int = 0) -> str:
        """Run a command of the program and return its standard output."""
        done = subprocess.run(
            [*PROGRAM, *arguments],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def items(self, *arguments: str) -> list[dict[str, object]]:
        """Run a command that lists and return its items."""
        document = json.loads(self.command(*arguments, "--format", "json"))
        items: list[dict[str, object]] = document["data"]["items"]
        return items

    def trust_the_cloud(self) -> None:
        """Trust the root of the cloud; its fingerprint is read back as a person would."""
        refusal = json.loads(self.command("trust", "add", "--format", "json", status=2))
        words = refusal["errors"][0]["message"].replace(".", " ").split()
        fingerprint = next(word for word in words if len(word) == 64)
        self.command("trust", "add", "--fingerprint", fingerprint)

    def sample_profile(self) -> Path:
        """Return a real server profile: a given sample, or the one of this host."""
        folder = os.environ.get("TUI_LICENSES_SAMPLE_PROFILES")
        if folder is not None:
            return sorted(Path(folder).glob("*.xml"))[0]
        path = self.folder / "this-host.xml"
        self.command("profile", "--to", str(path))
        return path


@pytest.fixture
def administrator(served_cloud: ServedCloud, tmp_path: Path) -> Administrator:
    """Give an administrator who trusts the cloud."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    person = Administrator(served_cloud, folder)
    person.trust_the_cloud()
    return person


def _find_and_rename(terminal: Terminal) -> None:
    terminal.wait_for("Berlin Hauptbahnhof", "[ ] Show add-on keys", "add-ons hidden")
    terminal.press_and_see("/")
    terminal.type("flughafen")
    terminal.wait_for("Zürich Flughafen", "1 instance", gone="Berlin")
    terminal.press_and_see("enter", "+")
    terminal.wait_for("[x] Show add-on keys", "Add-on", gone="hidden")
    terminal.press("enter")
    terminal.wait_for("Instance Details", "Hardware Information")
    terminal.press_at_once("e", "ctrl+u", *"Depot [Flughafen]", "enter")
    terminal.wait_for("The name is now Depot [Flughafen].")


def _see_hardware_and_open_the_key(terminal: Terminal) -> None:
    terminal.press("t")
    terminal.wait_for("Hardware Information: Depot [Flughafen]", "Section", "system / core")
    terminal.press("escape")
    terminal.wait_for("Instance Details")
    terminal.press("escape")
    terminal.wait_for("Show add-on keys", "Depot [Flughafen]")
    terminal.press_and_see("down", "enter")
    terminal.wait_for("License Keys", "contains 1 master + 2 add-ons")


def _download_license_and_certificate(terminal: Terminal) -> None:
    terminal.press("d")
    terminal.wait_for("Saved as", "-license.bin")
    terminal.press("enter")
    terminal.wait_for("License file saved", "Compare the checksum there")
    terminal.press("escape")
    terminal.wait_for("License key ", gone="License file saved")
    terminal.press("c")
    terminal.wait_for("proof of purchase", "-certificate.pdf")
    terminal.press("enter")
    terminal.wait_for("-certificate.pdf", gone="proof of purchase")
    terminal.press("escape")
    terminal.wait_for("Show add-on keys")


def _activate(terminal: Terminal, key: str, profile: Path) -> None:
    terminal.press("a")
    terminal.wait_for("Activate license keys", "No key is queued")
    terminal.type(key.lower())
    terminal.press("enter")
    terminal.wait_for("yes", gone="No key is queued")
    terminal.press("enter")
    terminal.wait_for("( ) A new instance")
    terminal.press_and_see("backtab", "space")
    terminal.wait_for("(*) A new instance")
    terminal.press_and_see("tab")
    terminal.type("Neues Haus")
    terminal.press_and_see("enter")
    terminal.type("germ")
    terminal.wait_for("Germany", gone="Albania")
    terminal.press_and_see("enter", "tab", "tab")
    terminal.type(str(profile))
    terminal.press("enter")
    terminal.wait_for("Read from", "fingerprint")
    terminal.press("f8")
    terminal.wait_for("On a new instance:", "“Neues Haus”", "is activated")
    terminal.press("f8")
    terminal.wait_for("1 key activated on Neues Haus", "License file no. 1")
    terminal.press("d")
    terminal.wait_for("Saved as", "neues-haus")
    terminal.press("enter")
    terminal.wait_for("License file saved", "contains 1 master + 0 add-ons")
    terminal.press("escape")


def test_an_administrator_does_the_whole_job_by_keyboard(administrator: Administrator) -> None:
    key = administrator.items("keys", "list", "--status", "unassigned")[0]
    profile = administrator.sample_profile()
    with Terminal(
        PROGRAM, administrator.environment, columns=80, rows=24, folder=administrator.folder
    ) as terminal:
        _find_and_rename(terminal)
        _see_hardware_and_open_the_key(terminal)
        _download_license_and_certificate(terminal)
        _activate(terminal, str(key["key"]), profile)
        terminal.press("ctrl+c")
        assert terminal.wait_for_exit() == 130
        assert b"\x1b[?1049l" in terminal.raw, "the terminal is not as it was"

    _check_the_files(administrator, str(key["key"]), profile)


def _check_the_files(administrator: Administrator, key: str, profile: Path) -> None:
    folder = administrator.folder
    licenses = sorted(folder.glob("*-license.bin"))
    assert [path.name.rsplit("-", 2)[0] for path in licenses] == ["depot-flughafen", "neues-haus"]
    administrator.command("verify", str(folder))
    administrator.command("verify", str(licenses[1]), "--profile", str(profile))
    administrator.command("verify", str(licenses[0]), "--profile", str(profile), status=8)
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in licenses)

    (certificate,) = folder.glob("*-certificate.pdf")
    (page,) = PdfReader(BytesIO(certificate.read_bytes())).pages
    assert certificate.name.split("-")[-3] in page.extract_text()

    new = administrator.items("instances", "list", "--query", "Neues Haus")
    assert [instance["name"] for instance in new] == ["Neues Haus"]
    administrator.command("download", "profile", str(new[0]["id"]))
    (downloaded,) = folder.glob("neues-haus-*-profile.xml")
    assert downloaded.read_bytes() == profile.read_bytes()

    (activated,) = administrator.items("keys", "list", "--instance", "Neues Haus")
    assert activated["key"] == key
    assert not list(folder.glob(".*")), "something half-written was left behind"
