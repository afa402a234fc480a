"""Documents are verified offline against trusted roots; old ones do not come back."""

from __future__ import annotations

import io
import logging
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pypdf
import pytest

from tests.support.signed_documents import add_root
from tests.support.values import NOW
from tests.vectors.materials import payload, sign
from tui_licenses import paths
from tui_licenses.config import Configuration
from tui_licenses.documents.license_file import build_license_file, inspect_license_file
from tui_licenses.documents.license_payload import (
    LicensedFeature,
    LicensedInstance,
    LicensedKey,
    LicensePayload,
)
from tui_licenses.documents.manifest import build_manifest, manifest_file
from tui_licenses.documents.signing import SigningKey
from tui_licenses.domain.license_key import KeyKind, KeyState
from tui_licenses.errors import DocumentError, FileError, StateError
from tui_licenses.service import serials
from tui_licenses.service.downloads import DocumentKind, SavedFile
from tui_licenses.service.folder_check import FileCheck
from tui_licenses.service.license_contents import contents_of
from tui_licenses.service.verification import DownloadedLicense
from tui_licenses.wiring import Services, open_services


async def saved_license(services: Services, folder: Path) -> SavedFile:
    instance = await services.inventory.find_instance("Zürich Flughafen")
    return await services.downloads.license_file(instance, folder)


async def newer_license(services: Services, folder: Path) -> SavedFile:
    """Change what the license file holds, and download it again."""
    instance = await services.inventory.find_instance("Zürich Flughafen")
    add_on = (await services.inventory.keys_of_instance(instance.id))[-1]
    await services.activation.release(add_on, "moved")
    return await services.downloads.license_file(instance, folder, force=True)


async def test_a_downloaded_file_is_inspected_and_verified(
    services: Services, tmp_path: Path
) -> None:
    saved = await saved_license(services, tmp_path)
    instance = await services.inventory.find_instance("Zürich Flughafen")
    verified = services.verification.verify(saved.path, fingerprint=instance.fingerprint)
    assert verified.is_lab
    assert verified.path == saved.path
    assert replace(verified.contents, is_lab=False) == services.verification.inspect(saved.path)
    contents = verified.contents
    assert (contents.instance_id, contents.fingerprint) == (instance.id, instance.fingerprint)
    assert (contents.sha256, contents.size_bytes) == (saved.sha256, saved.size_bytes)
    assert contents.keys[0].kind is KeyKind.MASTER
    assert contents.keys[0].features
    assert contents.keys[0].valid_from.tzinfo is UTC
    assert contents.summary == saved.contents == "contains 1 master + 2 add-ons (lab)"


async def test_a_file_for_another_host_is_refused(services: Services, tmp_path: Path) -> None:
    saved = await saved_license(services, tmp_path)
    with pytest.raises(DocumentError) as caught:
        services.verification.verify(saved.path, fingerprint="00" * 32)
    assert caught.value.code == "wrong-instance"


async def test_the_embedded_root_is_trusted_in_its_own_context_only(
    services: Services, tmp_path: Path
) -> None:
    saved = await saved_license(services, tmp_path)
    (root,) = services.verification.trust_list()
    assert (root.is_automatic, root.is_lab, root.added_at) == (True, True, None)
    elsewhere = open_services(Configuration(), None, {"TUI_LICENSES_URL": "https://a.example"})
    assert elsewhere.verification.trust_list() == ()
    with pytest.raises(DocumentError) as caught:
        elsewhere.verification.verify(saved.path)
    assert caught.value.code == "signing-key-unknown"
    assert elsewhere.verification.inspect(saved.path).sha256 == saved.sha256


async def test_an_older_file_than_one_seen_is_refused_unless_that_is_wanted(
    services: Services, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    saved = await saved_license(services, tmp_path)
    old = saved.path.read_bytes()
    await newer_license(services, tmp_path)
    saved.path.write_bytes(old)
    with pytest.raises(DocumentError) as caught:
        services.verification.verify(saved.path)
    assert caught.value.code == "rollback"
    with caplog.at_level(logging.WARNING):
        services.verification.verify(saved.path, allow_rollback=True)
    assert "Accepted all the same" in caplog.text
    with pytest.raises(DocumentError):
        services.verification.verify(saved.path)


def test_looking_at_a_file_opens_no_cloud_and_knows_the_labs_that_were_added(
    tmp_path: Path,
) -> None:
    services = open_services(Configuration(), None, {})
    file = tmp_path / "license.bin"
    file.write_bytes(sign(payload()))
    assert not services.verification.inspect(file).is_lab
    assert not paths.embedded_cloud_folder().exists()
    root = add_root(is_lab=True)
    assert services.verification.inspect(file).summary.endswith("(lab)")
    (paths.trust_folder() / f"{root.fingerprint}.json").write_bytes(b"damaged")
    assert not services.verification.inspect(file).is_lab


async def test_a_download_is_refused_while_the_trusted_roots_are_not_in_order(
    services: Services, tmp_path: Path
) -> None:
    root = add_root()
    revision = paths.state_folder() / "serials" / f"{root.fingerprint}-trust-revision"
    revision.write_bytes(b"damaged")
    with pytest.raises(DocumentError) as caught:
        await saved_license(services, tmp_path)
    assert caught.value.code == "serial-unreadable"
    assert str(revision) in caught.value.message
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_is_checked_file_by_file(services: Services, tmp_path: Path) -> None:
    saved = await saved_license(services, tmp_path)
    report = services.verification.verify_folder(tmp_path)
    assert {file.kind: file.check for file in report.files} == {
        "manifest": FileCheck.GOOD,
        "license": FileCheck.GOOD,
        "profile": FileCheck.MISSING,
    }
    assert report.is_good
    instance = await services.inventory.find_instance("Zürich Flughafen")
    profile = await services.downloads.profile(instance, tmp_path)
    assert {file.check for file in services.verification.verify_folder(tmp_path).files} == {
        FileCheck.GOOD
    }
    profile.path.write_bytes(profile.path.read_bytes() + b" ")
    changed = services.verification.verify_folder(tmp_path)
    assert not changed.is_good
    (wrong,) = [file for file in changed.files if file.check is FileCheck.CHANGED]
    assert wrong.name == profile.path.name
    assert wrong.error is not None
    assert wrong.error.code == "digest-mismatch"
    profile.path.unlink()
    os.mkfifo(profile.path)
    blocked = services.verification.verify_folder(tmp_path)
    assert [file.name for file in blocked.files if file.check is FileCheck.REFUSED] == [
        profile.path.name
    ]
    assert saved.path.exists()


async def test_documents_of_two_instances_do_not_pass_for_one(
    services: Services, lab_database: Path, tmp_path: Path
) -> None:
    saved = await saved_license(services, tmp_path)
    instance = await services.inventory.find_instance("Zürich Flughafen")
    signer = SigningKey.load(lab_database.with_name("cloud-signing.key"))
    listed = manifest_file("license", saved.path.name, saved.path.read_bytes())
    issued = int(datetime.now(UTC).timestamp())
    manifest = build_manifest("Example", issued, "another", 1, [listed], [signer])
    (tmp_path / "strange-manifest.json").write_bytes(manifest)
    report = services.verification.verify_folder(tmp_path)
    (refused,) = [file for file in report.files if file.check is FileCheck.REFUSED]
    assert refused.error is not None
    assert refused.error.code == "wrong-instance"
    other = build_manifest(
        "Example", issued, instance.id, 1, [manifest_file("license", "x.bin", b"")], [signer]
    )
    for stranger in (manifest, other):
        download = DownloadedLicense(instance, saved.path.read_bytes(), stranger)
        (error,) = services.verification.check_downloads([download])
        assert isinstance(error, DocumentError)
        assert error.code == "digest-mismatch"


async def test_a_damaged_manifest_and_a_stray_license_file_are_found(
    services: Services, tmp_path: Path
) -> None:
    saved = await saved_license(services, tmp_path)
    manifest = saved.path.with_name(saved.path.name.replace("-license.bin", "-manifest.json"))
    (tmp_path / "other-license.bin").write_bytes(b"forged")
    manifest.write_bytes(manifest.read_bytes().replace(b"a", b"b", 1))
    report = services.verification.verify_folder(tmp_path)
    checks = {file.name: file.check for file in report.files}
    assert checks == {
        manifest.name: FileCheck.REFUSED,
        saved.path.name: FileCheck.GOOD,
        "other-license.bin": FileCheck.REFUSED,
    }
    assert not report.is_good


async def test_a_license_file_for_another_host_is_found_in_a_folder(
    services: Services, tmp_path: Path
) -> None:
    saved = await saved_license(services, tmp_path)
    report = services.verification.verify_folder(tmp_path, fingerprint="00" * 32)
    (refused,) = [file for file in report.files if file.check is FileCheck.REFUSED]
    assert refused.name == saved.path.name


def test_a_folder_without_documents_is_told(services: Services, tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as empty:
        services.verification.verify_folder(tmp_path)
    assert empty.value.code == "manifest-missing"
    with pytest.raises(FileError) as missing:
        services.verification.verify_folder(tmp_path / "missing")
    assert missing.value.code == "file-not-found"


async def test_the_code_on_a_certificate_is_verified(services: Services, tmp_path: Path) -> None:
    key = next(
        key for key in (await services.inventory.load()).keys if key.state is KeyState.ACTIVE
    )
    saved = await services.downloads.certificate(key, tmp_path)
    pages = pypdf.PdfReader(io.BytesIO(saved.path.read_bytes())).pages
    text = "".join("".join(page.extract_text() for page in pages).split())
    code = re.search(r"TLC1\.[0-9a-f]{16}\.[\w-]+\.[\w-]{86}", text, re.ASCII)
    assert code is not None
    fields = services.verification.verify_certificate_code(code[0])
    assert fields.key_last_four == key.key[-4:]
    assert fields.is_lab
    with pytest.raises(DocumentError):
        services.verification.verify_certificate_code("nonsense")
    assert saved.kind is DocumentKind.CERTIFICATE


async def test_the_fingerprint_of_a_profile_is_the_one_in_the_cloud(
    services: Services, tmp_path: Path
) -> None:
    instance = await services.inventory.find_instance("Zürich Flughafen")
    saved = await services.downloads.profile(instance, tmp_path)
    assert services.verification.fingerprint_of_profile(saved.path) == instance.fingerprint


async def test_this_host_has_the_fingerprint_of_its_profile(
    services: Services, tmp_path: Path
) -> None:
    (tmp_path / "profile.xml").write_bytes(await services.instances.this_host_profile())
    try:
        expected = services.verification.fingerprint_of_profile(tmp_path / "profile.xml")
    except (DocumentError, StateError) as error:
        # A container may hold nothing that identifies it: then both refuse alike.
        with pytest.raises(DocumentError, match=error.message[:20]):
            await services.verification.fingerprint_of_this_host()
    else:
        assert await services.verification.fingerprint_of_this_host() == expected


def test_the_highest_serial_is_kept_per_root_and_server() -> None:
    assert serials.highest_serial("root", "server") is None
    serials.remember_serial("root", "server", 5)
    serials.remember_serial("root", "server", 3)
    assert serials.highest_serial("root", "server") == 5
    assert serials.highest_serial("other", "server") is None
    serials.remember_serial("root", "server", 6)
    assert serials.highest_serial("root", "server") == 6


def test_a_damaged_open_or_exchanged_serial_is_no_reason_to_believe_less() -> None:
    serials.remember_serial("root", "server", 5)
    serials.remember_serial("root", "other", 2)
    folder = paths.state_folder() / "serials"
    file = folder / "root-server"
    good = file.read_bytes()
    for content in (b"", b"five", b"4" + good[1:], good[:-1], (folder / "root-other").read_bytes()):
        file.write_bytes(content)
        with pytest.raises(DocumentError) as damaged:
            serials.highest_serial("root", "server")
        assert damaged.value.code == "serial-unreadable"
        assert str(file) in damaged.value.message
    file.write_bytes(good)
    file.chmod(0o644)
    with pytest.raises(DocumentError, match="other users could read"):
        serials.highest_serial("root", "server")
    file.unlink()
    assert serials.highest_serial("root", "server") is None


async def test_an_unreadable_serial_refuses_until_that_is_overridden(
    services: Services, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    saved = await saved_license(services, tmp_path)
    (file,) = (paths.state_folder() / "serials").iterdir()
    file.write_bytes(b"damaged")
    with pytest.raises(DocumentError) as caught:
        services.verification.verify(saved.path)
    assert caught.value.code == "serial-unreadable"
    with caplog.at_level(logging.WARNING):
        assert services.verification.verify(saved.path, allow_rollback=True).is_lab
    assert "Accepted all the same" in caplog.text
    assert file.read_bytes() == b"damaged"


def test_a_state_folder_that_cannot_be_written_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    paths.state_folder().parent.mkdir(parents=True)
    paths.state_folder().write_text("in the way")
    serials.remember_serial("root", "server", 5)
    assert "cannot be kept" in caplog.text


def test_programs_that_verify_at_once_keep_the_highest_serial() -> None:
    program = (
        "import sys; from tui_licenses.service.serials import remember_serial\n"
        "for serial in range(int(sys.argv[1]), 40, 2): remember_serial('root', 'server', serial)\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, start]) for start in ("0", "1")]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    assert serials.highest_serial("root", "server") == 39


def test_contents_show_instants_and_count_keys_in_words() -> None:
    far = 2**53 - 1
    keys = tuple(
        LicensedKey(
            key=f"ABCDEFGH1234567{number}",
            kind=KeyKind.ADD_ON if number else KeyKind.MASTER,
            product="core",
            features=(LicensedFeature(code="cal", quantity=5),),
            valid_from=0,
            valid_to=far if number else None,
            terminates=far if number else None,
        )
        for number in range(2)
    )
    payload = LicensePayload(
        format="tui-licenses.license",
        version=1,
        issuer="lab",
        serial=1,
        issued=int(NOW.timestamp()),
        not_before=0,
        file_expires=None,
        instance=LicensedInstance(id="i", fingerprint="ab" * 32),
        keys=keys,
        critical=(),
    )
    contents = contents_of(
        inspect_license_file(build_license_file(payload, [SigningKey.generate()])), is_lab=False
    )
    assert contents.summary == "contains 1 master + 1 add-on"
    assert contents.issued_at == NOW
    assert contents.file_expires_at is None
    assert contents.keys[1].valid_to is not None
    assert contents.keys[1].valid_to.year == datetime.max.year
