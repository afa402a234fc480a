"""A folder is more than its files: each part has to belong to the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.signed_documents import SignedServer, add_root, offline_service
from tests.vectors.materials import ISSUED, ISSUER, KEYS, sign
from tests.vectors.materials import payload as license_payload
from tests.vectors.valid import certificate
from tui_licenses.documents.envelope import LICENSE_TYPE, MANIFEST_TYPE
from tui_licenses.documents.manifest import build_manifest, manifest_file
from tui_licenses.documents.trust import SigningKeyStatus, TrustedKey
from tui_licenses.documents.trust_document import build_trust_document
from tui_licenses.service.folder_check import CheckedFile, FileCheck

ONE, OTHER = SignedServer(1), SignedServer(2)


@pytest.fixture(autouse=True)
def trusted() -> None:
    add_root()


def checks(folder: Path) -> dict[str, CheckedFile]:
    report = offline_service().verify_folder(folder)
    assert report.is_good == (not any(file.is_wrong for file in report.files))
    return {file.name: file for file in report.files}


def code_of(file: CheckedFile) -> str:
    assert file.check is not FileCheck.GOOD
    assert file.error is not None
    assert file.error.next_step
    return file.error.code


def save_manifest(
    folder: Path, files: dict[str, bytes], serial: int = 7, key: str = "signing-1"
) -> None:
    listed = [
        manifest_file("license" if name.endswith(".bin") else "profile", name, data)
        for name, data in files.items()
    ]
    data = build_manifest(ISSUER, ISSUED, ONE.id, serial, listed, [KEYS[key]])
    (folder / ONE.name("manifest")).write_bytes(data)


def test_the_documents_of_a_server_belong_together(tmp_path: Path) -> None:
    ONE.save(tmp_path, ONE.documents())
    OTHER.save(tmp_path, OTHER.documents())
    found = checks(tmp_path)
    assert len(found) == 8
    assert {file.check for file in found.values()} == {FileCheck.GOOD}


def test_a_manifest_of_another_serial_vouches_for_nothing(tmp_path: Path) -> None:
    documents = ONE.documents()
    ONE.save(tmp_path, documents)
    save_manifest(tmp_path, {ONE.name("license"): documents["license"]}, serial=8)
    assert code_of(checks(tmp_path)[ONE.name("license")]) == "digest-mismatch"


def test_a_sound_profile_of_another_server_is_refused(tmp_path: Path) -> None:
    documents = ONE.documents() | {"profile": OTHER.documents()["profile"]}
    ONE.save(tmp_path, documents)
    save_manifest(
        tmp_path,
        {ONE.name("license"): documents["license"], ONE.name("profile"): documents["profile"]},
    )
    found = checks(tmp_path)
    assert found[ONE.name("license")].check is FileCheck.GOOD
    assert code_of(found[ONE.name("profile")]) == "wrong-instance"


def test_a_listed_profile_has_to_be_one(tmp_path: Path) -> None:
    save_manifest(tmp_path, {"server-1-profile.xml": b"<!DOCTYPE list><list/>"})
    (tmp_path / "server-1-profile.xml").write_bytes(b"<!DOCTYPE list><list/>")
    assert code_of(checks(tmp_path)["server-1-profile.xml"]) == "profile-invalid"


def test_a_lab_does_not_vouch_for_the_file_of_a_real_cloud(tmp_path: Path) -> None:
    key = TrustedKey(
        KEYS["stranger"].public_key,
        (LICENSE_TYPE, MANIFEST_TYPE),
        0,
        None,
        SigningKeyStatus.ACTIVE,
    )
    lab = build_trust_document("lab", 1, 0, [key], [KEYS["lab-root"]])
    add_root(lab, "lab-root", is_lab=True)
    documents = ONE.documents()
    ONE.save(tmp_path, documents)
    save_manifest(tmp_path, {ONE.name("license"): documents["license"]}, key="stranger")
    assert code_of(checks(tmp_path)[ONE.name("license")]) == "digest-mismatch"
    assert offline_service().verify_folder(tmp_path).is_lab


def test_a_manifest_without_its_license_file_is_not_good(tmp_path: Path) -> None:
    ONE.save(tmp_path, ONE.documents())
    (tmp_path / ONE.name("license")).unlink()
    missing = checks(tmp_path)[ONE.name("license")]
    assert (missing.check, missing.is_wrong) == (FileCheck.MISSING, True)


def test_a_renamed_license_file_is_found_under_both_names(tmp_path: Path) -> None:
    ONE.save(tmp_path, ONE.documents())
    (tmp_path / ONE.name("license")).rename(tmp_path / "mine.bin")
    found = checks(tmp_path)
    assert found["mine.bin"].check is FileCheck.GOOD
    assert found[ONE.name("license")].is_wrong


def test_what_no_manifest_lists_is_told(tmp_path: Path) -> None:
    documents = ONE.documents()
    ONE.save(tmp_path, {"license": documents["license"]})
    OTHER.save(tmp_path, {kind: documents[kind] for kind in ("profile", "certificate")})
    (tmp_path / "SHA256SUMS").touch()
    found = checks(tmp_path)
    assert len(found) == 3
    for kind in ("profile", "certificate"):
        file = found[OTHER.name(kind)]
        assert (file.kind, file.check, code_of(file)) == (kind, FileCheck.UNLISTED, "not-listed")


def test_an_unlisted_certificate_with_a_false_code_is_refused(tmp_path: Path) -> None:
    ONE.save(tmp_path, ONE.documents())
    for name, code in (("good", certificate()), ("false", certificate()[:-86] + b"A" * 86)):
        (tmp_path / f"{name}.pdf").write_bytes(b"%PDF-1.4\n/Keywords (" + code + b")\n%%EOF")
    found = checks(tmp_path)
    assert found["good.pdf"].check is FileCheck.UNLISTED
    assert (found["false.pdf"].check, code_of(found["false.pdf"])) == (
        FileCheck.REFUSED,
        "bad-signature",
    )


def test_links_pipes_folders_and_endless_files_are_refused(tmp_path: Path) -> None:
    ONE.save(tmp_path, ONE.documents())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for kind in ("license", "manifest"):
        (tmp_path / ONE.name(kind)).rename(elsewhere / ONE.name(kind))
        (tmp_path / ONE.name(kind)).symlink_to(elsewhere / ONE.name(kind))
    os.mkfifo(tmp_path / OTHER.name("manifest"))
    (tmp_path / OTHER.name("license")).mkdir()
    with (tmp_path / "huge.bin").open("wb") as huge:
        huge.truncate(1 << 40)
    found = checks(tmp_path)
    assert {name: code_of(file) for name, file in found.items() if file.is_wrong} == {
        ONE.name("license"): "file-unreadable",
        ONE.name("manifest"): "file-unreadable",
        OTHER.name("manifest"): "file-unreadable",
        OTHER.name("license"): "file-unreadable",
        "huge.bin": "too-large",
    }


def test_an_older_license_file_in_a_folder_is_refused_unless_that_is_wanted(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    ONE.save(tmp_path, ONE.documents(serial=8))
    ONE.save(old, ONE.documents(serial=7))
    assert offline_service().verify_folder(tmp_path).is_good
    assert code_of(checks(old)[ONE.name("license")]) == "rollback"
    assert offline_service().verify_folder(old, allow_rollback=True).is_good


def test_a_lone_license_file_of_a_later_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "later.bin").write_bytes(sign(license_payload(), ["later"]))
    assert code_of(checks(tmp_path)["later.bin"]) == "signing-key-unknown"
