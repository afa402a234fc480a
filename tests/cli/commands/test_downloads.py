"""`download`, and `inspect`, `verify`, `trust` and `profile` for what was downloaded."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.cli.conftest import Program, Record
from tests.support.folders import names_in


def _file_in(folder: Path, ending: str) -> Path:
    return next(path for path in folder.iterdir() if path.name.endswith(ending))


@pytest.fixture
def license_file(program: Program, tmp_path: Path) -> Path:
    """Give the license file of an instance, in a folder of its own."""
    folder = tmp_path / "licenses"
    folder.mkdir()
    program("download", "license", program.licensed()["id"], "--to", str(folder))
    return _file_in(folder, "-license.bin")


def test_a_license_file_is_the_same_through_instance_name_and_any_key(program: Program) -> None:
    Path("files").mkdir()
    instance = program.licensed()
    keys = program.items("keys", "list", "--addons", "--instance", instance["id"])
    checksums = set()
    for handle in (instance["id"], keys[0]["id"], keys[-1]["key"]):
        (file,) = program.items("download", "license", handle, "--to", "files")
        assert hashlib.sha256(Path(file["path"]).read_bytes()).hexdigest() == file["sha256"]
        assert file["size"] == Path(file["path"]).stat().st_size
        checksums.add(file["sha256"])
    assert len(checksums) == 1
    assert names_in(Path("files"))[0].endswith("-license.bin")
    table = program("download", "license", instance["id"], "--to", "files").output
    assert checksums.pop() in table
    assert "1 master + " in table


def test_a_certificate_and_a_profile_are_saved_into_the_current_folder(program: Program) -> None:
    key = program.keys("addOn", "active")[0]
    (certificate,) = program.items("download", "certificate", key["key"])
    assert key["key"][-4:] in PdfReader(certificate["path"]).pages[0].extract_text()
    instance = program.licensed()
    (profile,) = program.items("download", "profile", instance["id"])
    shown = program("instances", "profile", instance["id"]).output
    assert Path(profile["path"]).read_bytes() == shown.encode()
    assert {Path(file["path"]).resolve().parent for file in (certificate, profile)} == {Path.cwd()}


@pytest.mark.parametrize("kind", ["certificate", "profile"])
def test_all_documents_of_a_kind_are_downloaded(
    program: Program, kind: str, tmp_path: Path
) -> None:
    files = program.items("download", kind, "--all", "--to", str(tmp_path))
    assert len(files) > 10
    assert all(Path(file["path"]).is_file() for file in files)


def test_all_license_files_are_downloaded_and_the_folder_verifies(
    program: Program, tmp_path: Path
) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    files = program.items("download", "license", "--all", "--to", str(folder))
    assert len(files) > 10
    assert all(Path(file["path"]).is_file() for file in files)
    checked = program.items("verify", str(folder))
    assert {file["check"] for file in checked} == {"good", "missing"}
    good = {file["name"] for file in checked if file["check"] == "good"}
    assert good >= {Path(file["path"]).name for file in files}
    assert "CHECK" in program("verify", str(folder)).output


def test_a_bulk_download_that_partly_failed_tells_every_outcome(
    program: Program, tmp_path: Path
) -> None:
    instance, free = program.licensed(), program.keys("master", "unassigned")[0]
    folder = tmp_path / "some"
    folder.mkdir()
    words = ("download", "license", instance["id"], "Atlantis", free["id"], "--to", str(folder))
    envelope = program(*words, "--format", "json", status=9).envelope()
    good, *bad = envelope["data"]["items"]
    assert Path(good["path"]).is_file()
    assert [item["code"] for item in bad] == ["instance-not-found", "no-master"]
    assert envelope["errors"][0]["code"] == "partial-failure"
    assert [error["pointer"] for error in envelope["errors"][1:]] == ["Atlantis", free["id"]]
    told = program(*words, status=9)
    assert good["sha256"] in told.output
    assert "2 of 3 documents could not be downloaded." in told.notes
    assert "Atlantis" in told.notes
    assert free["key"] not in told.notes


def test_what_the_filter_finds_is_downloaded(program: Program, tmp_path: Path) -> None:
    words = ("--query", "zürich active", "--to", str(tmp_path / "found"))
    instances = program.items("download", "license", *words)
    assert {file["subject"] for file in instances} == {"Zürich Flughafen"}
    keys = program.items("keys", "list", "--addons", "--instance", instances[0]["subjectId"])
    active = {key["id"] for key in keys if key["status"] == "active"}
    certificates = program.items("download", "certificate", *words)
    assert {file["subjectId"] for file in certificates} == active
    assert len(active) > 1
    nothing = ("download", "profile", "--query", "nowhere at all")
    assert program.refusal(*nothing, status=4)["code"] == "not-found"
    assert names_in(Path.cwd()) == []


@pytest.mark.parametrize("count", [2, 20])
def test_ids_are_read_from_standard_input(program: Program, tmp_path: Path, count: int) -> None:
    masters = {key["id"]: key for key in program.keys("master", "active")}
    names = Counter(one["name"].casefold() for one in program.items("instances", "list"))
    wanted = program.instances(
        lambda one: one["masterKeyId"] in masters and names[one["name"].casefold()] == 1
    )
    typed = [
        wanted[0]["id"],
        f"  {wanted[1]['name'].upper()} ",
        "",
        "-".join(re.findall("....", masters[wanted[2]["masterKeyId"]]["key"])).lower(),
        *(instance["id"] for instance in wanted[3:]),
    ][:count]
    words = ("download", "license", "--to", str(tmp_path / "ids"))
    for arguments in (words, (*words, "-")):
        files = program.data(*arguments, stdin="\n".join(typed))["items"]
        expected = [instance["id"] for instance in wanted][: len([one for one in typed if one])]
        assert [file["subjectId"] for file in files] == expected


def test_what_is_named_on_standard_input_and_cannot_be_found_is_told(
    program: Program, tmp_path: Path
) -> None:
    free = program.keys("master", "unassigned")[0]
    ids = [instance["id"] for instance in program.items("instances", "list")[:10]]
    words = ("download", "profile", "--to", str(tmp_path / "ids"), "--format", "json")
    typed = "\n".join([*ids, "Atlantis"])
    envelope = program(*words, stdin=typed, status=9).envelope()
    assert {error["pointer"] for error in envelope["errors"][1:]} >= {"Atlantis"}
    licenses = ("download", "license", "--to", str(tmp_path / "ids"))
    told = program(*licenses, stdin="\n".join([*ids, free["key"]]), status=9)
    assert "is not assigned to an instance" in told.notes
    assert free["key"] not in told.notes


@pytest.mark.parametrize(
    "words",
    [("--all", "--query", "x"), ("an id", "--all"), ("an id", "--query", "x"), (), ("-",)],
)
def test_what_to_download_is_said_in_one_way(program: Program, words: tuple[str, ...]) -> None:
    error = program.refusal("download", "license", *words, status=2)
    assert error["code"] == "invalid-request"
    assert names_in(Path.cwd()) == []


def test_run_again_only_what_is_missing_is_new_and_the_checksums_hold(
    program: Program, tmp_path: Path
) -> None:
    folder = tmp_path / "all"
    words = ("download", "license", "--all", "--to", str(folder))
    first = program.items(*words)
    assert all(file["isNew"] for file in first)
    Path(first[0]["path"]).unlink()
    again = program.items(*words)
    assert [file["isNew"] for file in again] == [number == 0 for number in range(len(again))]
    check = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=folder, check=False).returncode == 0
    assert len((folder / "SHA256SUMS").read_text().splitlines()) == 2 * len(first)


def test_checksums_that_cannot_be_written_are_a_warning(program: Program, tmp_path: Path) -> None:
    (tmp_path / "all" / "SHA256SUMS").mkdir(parents=True)
    words = ("download", "profile", "--all", "--to", str(tmp_path / "all"), "--format", "json")
    envelope = program(*words).envelope()
    assert "SHA256SUMS was not written" in envelope["warnings"][0]
    assert len(envelope["data"]["items"]) > 10


def test_a_file_that_holds_something_else_is_replaced_only_by_force(program: Program) -> None:
    Path("files").mkdir()
    instance = program.licensed()
    (file,) = program.items("download", "license", instance["id"], "--to", "files")
    path = Path(file["path"])
    path.write_bytes(b"mine")
    words = ("download", "license", instance["id"], "--to", "files")
    before = names_in(Path("files"))
    assert program.refusal(*words, status=10)["code"] == "file-exists"
    assert path.read_bytes() == b"mine"
    assert names_in(Path("files")) == before
    program(*words, "--force")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"]
    assert path.with_name(f"{path.name}.bak").read_bytes() == b"mine"


def test_a_disk_that_fills_up_ends_the_run_and_says_so(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("files").mkdir()
    folder, sync = str(Path("files").resolve()), os.fsync

    def fail(descriptor: int) -> None:
        if str(Path(f"/proc/self/fd/{descriptor}").readlink()).startswith(folder):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    words = ("download", "certificate", "--all", "--to", "files")
    refusal = program.refusal(*words, status=10)
    assert refusal["code"] == "disk-full"
    assert "no room" in refusal["message"]
    assert names_in(Path("files")) == []


@pytest.mark.parametrize("kind", ["license", "certificate", "profile"])
def test_a_folder_that_cannot_be_made_is_refused_and_nothing_is_left(
    program: Program, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    instance = program.licensed()
    handle = instance["masterKeyId"] if kind == "certificate" else instance["id"]
    words = ("download", kind, handle, "--to", str(tmp_path / "file" / "below"))
    assert program.refusal(*words, status=10)["code"] == "folder-not-writable"
    assert (tmp_path / "file").read_text(encoding="utf-8") == "no folder"
    assert names_in(Path.cwd()) == []


@pytest.mark.parametrize("name", ["London Depot", "Portland [east] yard"])
def test_an_instance_without_a_master_has_no_license_file(program: Program, name: str) -> None:
    assert program.refusal("download", "license", name, status=5)["code"] == "no-master"
    assert names_in(Path.cwd()) == []


def test_what_a_license_file_says_is_shown_as_unverified(
    program: Program, license_file: Path
) -> None:
    done = program("inspect", str(license_file), "--format", "json")
    contents = done.envelope()
    assert contents["data"]["verified"] is False
    assert contents["warnings"] == ["Not verified: anybody could have written this."]
    assert "Not verified" in done.notes
    assert len(contents["data"]["keys"]) > 1
    masked = program("inspect", str(license_file), "--mask").output
    assert contents["data"]["keys"][0]["key"][-4:] in masked
    assert contents["data"]["keys"][0]["key"] not in masked.replace("-", "")


def test_a_license_file_is_verified_and_labelled_lab(program: Program, license_file: Path) -> None:
    envelope = program("verify", str(license_file), "--format", "json").envelope()
    assert envelope["data"]["verified"] is True
    assert envelope["data"]["isLab"] is True
    assert "lab" in envelope["warnings"][0]
    assert "Signature  good" in program("verify", str(license_file)).output


def test_a_license_file_is_refused_on_another_host(
    program: Program, license_file: Path, tmp_path: Path
) -> None:
    own = program.licensed()
    other = program.instances(
        lambda one: bool(one["profileRevision"]) and one["fingerprint"] != own["fingerprint"]
    )[0]
    profiles = []
    for instance in (own, other):
        file = tmp_path / f"{instance['id']}.xml"
        file.write_text(program("instances", "profile", instance["id"]).output, encoding="utf-8")
        profiles.append(str(file))
    words = ("verify", str(license_file))
    assert "it belongs here" in program(*words, "--profile", profiles[0]).output
    assert program.refusal(*words, "--profile", profiles[1], status=8)["code"] == "wrong-instance"
    assert program.refusal(*words, "--this-host", status=8)["code"] == "wrong-instance"


def _altered(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_a_file_that_is_no_license_file_is_refused(
    program: Program, license_file: Path, command: str
) -> None:
    whole = license_file.read_bytes()
    for data in (whole[:100], whole[:-1], b"", b"PK\x03\x04 something else"):
        license_file.write_bytes(data)
        assert program.refusal(command, str(license_file), status=8)["code"]
    license_file.unlink()
    assert program.refusal(command, str(license_file), status=10)["code"] == "file-not-found"


def test_one_changed_bit_is_found(program: Program, license_file: Path) -> None:
    license_file.write_bytes(_altered(license_file.read_bytes()))
    assert program.refusal("verify", str(license_file), status=8)["code"]
    folder = str(license_file.parent)
    failed = program("verify", folder, "--format", "json", status=8).envelope()
    (file,) = [item for item in failed["data"]["items"] if item["kind"] == "license"]
    assert file["check"] == "changed"
    assert file["error"]["code"]
    assert file["name"] in program("verify", folder, status=8).output


def test_a_folder_with_nothing_to_verify_is_refused(program: Program, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert program.refusal("verify", str(folder), status=8)["code"] == "manifest-missing"


def test_a_certificate_code_that_is_none_is_refused(program: Program) -> None:
    error = program.refusal("verify", "--certificate-code", "TLC1-AAAA", status=8)
    assert error["code"]


def test_the_root_of_a_file_is_trusted_only_with_its_fingerprint(
    program: Program, tmp_path: Path
) -> None:
    (root,) = program.items("trust", "list")
    assert root["isAutomatic"] is True
    error = program.refusal("trust", "add", status=2)
    assert root["fingerprint"] in error["message"]
    program.refusal("trust", "add", "--fingerprint", "0" * 64, status=8)
    added = program.data("trust", "add", "--fingerprint", root["fingerprint"])
    assert added["fingerprint"] == root["fingerprint"]
    assert "Trusted" in program("trust", "add", "--fingerprint", root["fingerprint"]).output
    assert "Removed" in program("trust", "remove", root["fingerprint"]).output
    assert program.refusal("trust", "remove", "1" * 64, status=4)["code"]
    missing = str(tmp_path / "nowhere")
    assert program.refusal("trust", "add", missing, "--fingerprint", "0" * 64, status=10)["code"]


def test_the_profile_of_this_host_is_written_and_saved(program: Program, tmp_path: Path) -> None:
    document = program("profile").output
    assert document.startswith("<?xml")
    file = tmp_path / "host.xml"
    saved: Record = program.data("profile", "--to", str(file))
    assert saved["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert saved["size"] == file.stat().st_size
    file.write_text("mine", encoding="utf-8")
    assert program.refusal("profile", "--to", str(file), status=10)["code"] == "file-exists"
    assert "SHA-256" in program("profile", "--to", str(file), "--force").output
    below = str(file / "below.xml")
    assert program.refusal("profile", "--to", below, status=10)["code"] == "folder-not-writable"
    assert json.load(io.StringIO(program("profile", "--format", "jsonl").output))["profileXml"]
