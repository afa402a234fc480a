"""The main job of an administrator by commands alone, against a real `cloud serve` process."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

Record = dict[str, Any]
PROGRAM = (sys.executable, "-m", "tui_licenses")


class Administrator:
    """Somebody at a shell: every command is a process, every answer is read as JSON."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = dict(os.environ)

    def command(self, *arguments: str | Path, status: int = 0, stdin: str = "") -> str:
        """Run a command and return its standard output."""
        done = subprocess.run(
            [*PROGRAM, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def data(self, *arguments: str | Path, status: int = 0, stdin: str = "") -> Any:  # noqa: ANN401
        """Run a command and return the data of its envelope, its first error if it is to fail."""
        document = json.loads(
            self.command(*arguments, "--format", "json", status=status, stdin=stdin)
        )
        return document["data"] if status == 0 else document["errors"][0]

    def items(self, *arguments: str | Path) -> list[Record]:
        """Run a command that lists and return its items."""
        items: list[Record] = self.data(*arguments)["items"]
        return items


@pytest.fixture
def administrator(tmp_path: Path) -> Administrator:
    """Give an administrator with an empty home and an empty folder."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    return Administrator(folder)


@pytest.fixture
def database(administrator: Administrator, tmp_path: Path) -> Path:
    """Return the database of a new cloud, made and seeded by commands."""
    return tmp_path / "cloud.sqlite3"


@pytest.fixture
def sign_in(administrator: Administrator, database: Path) -> Record:
    """Seed the database and return the sign-in of its first administrator."""
    words = ("--instances", "8", "--keys", "60", "--random-seed", "7")
    seeded = administrator.data("cloud", "seed", "--database", database, *words)
    first: Record = seeded["items"][0]
    return first


@pytest.fixture
def url(administrator: Administrator, database: Path, sign_in: Record) -> Iterator[str]:
    """Serve the cloud and return its address; it must end cleanly afterwards."""
    assert sign_in["role"] == "administrator"
    words = ("cloud", "serve", "--database", str(database), "--port", "0", "--format", "jsonl")
    with subprocess.Popen(
        [*PROGRAM, *words], env=administrator.environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130


def _real_profile(administrator: Administrator) -> Path:
    """Return a real server profile: a given sample, or the one of this host."""
    folder = os.environ.get("TUI_LICENSES_SAMPLE_PROFILES")
    samples = sorted(Path(folder).glob("*.xml")) if folder else []
    if samples:
        return samples[0]
    administrator.command("profile", "--to", "this-host.xml")
    return administrator.folder / "this-host.xml"


def _sign_in_and_trust(administrator: Administrator, url: str, sign_in: Record) -> None:
    secrets = f"{sign_in['subjectId']}\n{sign_in['refreshToken']}\n"
    words = ("login", "--url", url, "--name", "lab", "--token-stdin")
    assert administrator.data(*words, stdin=secrets)["account"]["plan"] == "Enterprise"
    refusal = administrator.data("trust", "add", status=2)
    assert refusal["code"] == "fingerprint-required"
    words_told = refusal["message"].replace(".", " ").split()
    fingerprint = next(word for word in words_told if len(word) == 64)
    administrator.command("trust", "add", "--fingerprint", fingerprint)


def _rename_and_download(administrator: Administrator) -> Record:
    """Rename an instance, read its hardware, save all its documents; return the instance."""
    masters = {key["id"]: key for key in administrator.items("keys", "list", "--status", "active")}
    instance = next(
        one
        for one in administrator.items("instances", "list")
        if one["masterKeyId"] in masters and one["profileRevision"]
    )
    renamed: Record = administrator.data("instances", "rename", instance["id"], "Depot [Süd]")
    assert (renamed["name"], renamed["id"]) == ("Depot [Süd]", instance["id"])
    rows = administrator.items("instances", "hardware", instance["id"])
    assert any("memory" in row["section"] for row in rows)
    administrator.command("download", "license", instance["masterKeyId"])
    administrator.command("download", "profile", "Depot [Süd]")
    administrator.command("download", "certificate", instance["masterKeyId"])
    (certificate,) = administrator.folder.glob("*-certificate.pdf")
    (page,) = PdfReader(BytesIO(certificate.read_bytes())).pages
    text = page.extract_text()
    assert masters[instance["masterKeyId"]]["key"][-4:] in text
    assert "Depot [Süd]" in text
    return renamed


def _activate(administrator: Administrator, profile: Path) -> Record:
    """Activate a waiting key on a new instance; return the new instance."""
    waiting = administrator.items("keys", "list", "--status", "unassigned")[0]
    words = ("--new-instance", "Neues Haus", "--country", "DE", "--profile", profile)
    typed = waiting["key"].lower()
    preview = administrator.data("activate", typed, *words, "--preview")
    assert (preview["instance"], len(preview["after"])) == (None, 1)
    assert len(administrator.items("instances", "list", "--query", "Neues Haus")) == 0
    done = administrator.data("activate", "-", *words, stdin=f"{typed}\n")
    assert [key["id"] for key in done["keys"]] == [waiting["id"]]
    assert done["licenseFile"]["serial"] == 1
    instance: Record = done["instance"]
    return instance


def test_an_administrator_does_the_whole_job_by_commands(
    administrator: Administrator, url: str, sign_in: Record
) -> None:
    _sign_in_and_trust(administrator, url, sign_in)
    depot = _rename_and_download(administrator)
    profile = _real_profile(administrator)
    made = _activate(administrator, profile)
    (license_file,) = administrator.items("download", "license", "Neues Haus")
    (document,) = administrator.items("download", "profile", made["id"])

    path = administrator.folder / license_file["path"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == license_file["sha256"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert (administrator.folder / document["path"]).read_bytes() == profile.read_bytes()
    contents = administrator.data("verify", path, "--profile", profile)
    assert (contents["verified"], contents["instanceId"]) == (True, made["id"])
    (other,) = administrator.folder.glob("depot-s*-license.bin")
    refused = administrator.data("verify", other, "--profile", profile, status=8)
    assert refused["code"] == "wrong-instance"
    checks = {file["name"]: file["check"] for file in administrator.items("verify", ".")}
    # No manifest lists a certificate, or the profile that was made here.
    (certificate,) = (path.name for path in administrator.folder.glob("*-certificate.pdf"))
    unlisted = {certificate, *(path.name for path in administrator.folder.glob("this-host.xml"))}
    assert {name for name, check in checks.items() if check == "unlisted"} == unlisted
    assert {check for name, check in checks.items() if name not in unlisted} == {"good"}
    assert other.name in checks
    assert administrator.data("inspect", other)["instanceId"] == depot["id"]
    actions = [event["action"] for event in administrator.items("events", "list", "--limit", "3")]
    assert actions[0] == "keys.activated"
    assert "instance.renamed" in " ".join(actions)
    assert not list(administrator.folder.glob(".*")), "something half-written was left behind"


def test_this_host_is_activated_and_its_license_file_belongs_to_it(
    administrator: Administrator, url: str, sign_in: Record
) -> None:
    _sign_in_and_trust(administrator, url, sign_in)
    saved = administrator.data("profile", "--to", "host.xml")
    assert (administrator.folder / "host.xml").stat().st_size == saved["size"]
    waiting = administrator.items("keys", "list", "--status", "unassigned")[0]["key"]
    words = ("--new-instance", "This host", "--country", "NO", "--label", "Rack 4", "--this-host")
    administrator.command("activate", waiting, *words)
    (saved_file,) = administrator.items("download", "license", "This host")
    told = administrator.data("verify", saved_file["path"], "--this-host")
    assert told["isLab"] is True
    assert administrator.data("verify", saved_file["path"], "--profile", "host.xml")["verified"]
    listed = administrator.items("instances", "list", "--query", "This host")
    assert listed[0]["location"] == {"countryCode": "NO", "label": "Rack 4"}
