"""Signing keys: rotated, retired, revoked; a root that is rotated or kept off the host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cloud.lab import Lab
from tui_licenses.cloud.administration import (
    check,
    export_root,
    initialise,
    retire_signing_key,
    revoke_signing_key,
    rotate_root,
    rotate_signing_key,
    signing_keys,
)
from tui_licenses.cloud.key_files import KeyFiles
from tui_licenses.documents import signing
from tui_licenses.documents.license_file import inspect_license_file, verify_license_file
from tui_licenses.documents.signing import SigningKey
from tui_licenses.documents.trust import SigningKeyStatus, Trust, TrustStore
from tui_licenses.documents.trust_document import advance_trust, establish_trust
from tui_licenses.errors import (
    DocumentError,
    FileError,
    NotFoundError,
    StateError,
    TuiLicensesError,
    UseError,
)
from tui_licenses.files import write_private


async def _license_file(lab: Lab) -> tuple[bytes, list[str], int]:
    """Return the license file of a server, who signed it, and its serial."""
    instance = await lab.licensed()
    answer = await lab.get(f"/licensing/instances/{instance['id']}/license-file")
    assert answer.status_code == 200
    inspected = inspect_license_file(answer.content)
    return answer.content, list(inspected.keyids), inspected.payload.serial


async def _follow(lab: Lab, trust: Trust | None) -> Trust:
    """Return the trust of a reader after it has asked the cloud, as a client follows it."""
    answer = (await lab.get("/licensing/trust")).json()
    documents = [document.encode() for document in (*answer["earlier"], answer["document"])]
    if trust is None:
        trust = establish_trust(documents[0], lab.store.signing.root, is_lab=True)
    for document in documents[trust.revision - 1 :]:
        trust = advance_trust(trust, document)
    return trust


def _verify(lab: Lab, content: bytes, trust: Trust) -> None:
    verify_license_file(content, TrustStore((trust,)), now=lab.clock())


def _code(refused: pytest.ExceptionInfo[TuiLicensesError]) -> str:
    return refused.value.code


async def test_old_and_new_sign_together_after_a_rotation(lab: Lab) -> None:
    before = await _follow(lab, None)
    old_file, (old,), serial = await _license_file(lab)
    listed = rotate_signing_key(lab.database)
    new = listed.keys[-1].keyid
    assert (listed.revision, listed.here) == (2, frozenset({old, new}))
    file, signed_by, next_serial = await _license_file(lab)
    assert (signed_by, next_serial) == ([old, new], serial + 1)
    trust = await _follow(lab, before)
    for content in (old_file, file):
        _verify(lab, content, trust)
    assert check(lab.database) == ()


async def test_a_retired_key_signs_no_more_and_what_it_signed_stays_valid(lab: Lab) -> None:
    trust = await _follow(lab, None)
    old_file, (old,), _ = await _license_file(lab)
    with pytest.raises(StateError) as refused:
        retire_signing_key(lab.database, old)
    assert _code(refused) == "last-signing-key"
    new = rotate_signing_key(lab.database).keys[-1].keyid
    retire_signing_key(lab.database, old)
    file, signed_by, _ = await _license_file(lab)
    assert signed_by == [new]
    trust = await _follow(lab, trust)
    assert trust.revision == 3
    for content in (old_file, file):
        _verify(lab, content, trust)
    with pytest.raises(StateError):
        retire_signing_key(lab.database, old)


async def test_what_a_revoked_key_signed_is_refused_and_issued_anew(lab: Lab) -> None:
    trust = await _follow(lab, None)
    old_file, (old,), serial = await _license_file(lab)
    listed = revoke_signing_key(lab.database, old)
    assert [key.status for key in listed.keys] == ["revoked", "active"]
    assert listed.revision == 2
    assert not lab.store.path.with_name("cloud-signing.key").exists()
    trust = await _follow(lab, trust)
    with pytest.raises(DocumentError) as refused:
        _verify(lab, old_file, trust)
    assert _code(refused) == "signing-key-revoked"
    assert "Download the license file again" in refused.value.next_step
    file, signed_by, next_serial = await _license_file(lab)
    assert (signed_by, next_serial) == ([listed.keys[-1].keyid], serial + 1)
    _verify(lab, file, trust)
    assert check(lab.database) == ()


async def test_one_of_two_keys_is_revoked_without_another_new_one(lab: Lab) -> None:
    old, new = rotate_signing_key(lab.database).keys
    listed = revoke_signing_key(lab.database, old.keyid)
    assert [key.keyid for key in listed.keys] == [old.keyid, new.keyid]
    assert (await _license_file(lab))[1] == [new.keyid]
    with pytest.raises(NotFoundError):
        revoke_signing_key(lab.database, "0" * 16)


def test_no_more_keys_are_active_than_a_document_has_signatures(sqlite_database: Path) -> None:
    for _ in range(3):
        rotate_signing_key(sqlite_database)
    with pytest.raises(StateError) as refused:
        rotate_signing_key(sqlite_database)
    assert _code(refused) == "too-many-signing-keys"
    active = [
        key for key in signing_keys(sqlite_database).keys if key.status is SigningKeyStatus.ACTIVE
    ]
    assert len(active) == 4


async def test_a_reader_of_the_old_root_follows_to_the_new_one(lab: Lab) -> None:
    trust = await _follow(lab, None)
    old_root = lab.store.signing.root
    listed = rotate_root(lab.database)
    assert listed.root != old_root
    assert listed.has_root
    rotate_signing_key(lab.database)
    trust = await _follow(lab, trust)
    assert (trust.anchor, trust.roots, trust.revision) == (old_root, (listed.root,), 4)
    newcomer = establish_trust(trust.document, listed.root, is_lab=True)
    file, _, _ = await _license_file(lab)
    for reader in (trust, newcomer):
        _verify(lab, file, reader)
    assert check(lab.database) == ()


async def test_a_root_that_is_kept_off_the_host_is_asked_for(lab: Lab, tmp_path: Path) -> None:
    database, kept = lab.database, tmp_path / "carried-away.key"
    assert not export_root(database, kept).has_root
    assert not lab.store.path.with_name("cloud-root.key").exists()
    assert kept.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UseError) as refused:
        rotate_signing_key(database)
    assert _code(refused) == "root-key-missing"
    assert "--root-key" in refused.value.next_step
    SigningKey.generate().save(tmp_path / "other.key")
    with pytest.raises(UseError) as refused:
        rotate_signing_key(database, tmp_path / "other.key")
    assert _code(refused) == "root-key-wrong"
    assert rotate_signing_key(database, kept).revision == 2
    new_root = tmp_path / "new.key"
    listed = rotate_root(database, kept, new_root)
    assert (listed.root, listed.has_root) == (SigningKey.load(new_root).public_key, False)
    assert len((await _license_file(lab))[1]) == 2
    assert check(database) == ()


def test_a_root_key_is_not_left_where_it_cannot_be_private(
    sqlite_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "root.key"

    def write_to_fat(path: Path, data: bytes, *, replace: bool) -> bool:
        is_new = write_private(path, data, replace=replace)
        # What such a file system shows, whatever it was told.
        path.chmod(0o755)
        return is_new

    monkeypatch.setattr(signing, "write_private", write_to_fat)
    with pytest.raises(FileError) as refused:
        export_root(sqlite_database, target)
    assert _code(refused) == "file-not-private"
    assert "FAT" in refused.value.next_step
    assert not target.exists()
    assert signing_keys(sqlite_database).has_root


def _as_credentials(database: Path, folder: Path, mode: int) -> None:
    folder.mkdir()
    for name in ("root", "signing", "pepper"):
        path = database.with_name(f"cloud-{name}.key").rename(folder / name)
        path.chmod(mode)


async def test_systemd_hands_over_the_secrets(
    sqlite_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _as_credentials(sqlite_database, tmp_path / "credentials", 0o440)
    with pytest.raises(FileError) as refused:
        signing_keys(sqlite_database)
    assert _code(refused) == "secret-missing"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    listed = signing_keys(sqlite_database)
    assert listed.has_root
    assert listed.here == {listed.keys[0].keyid}
    assert check(sqlite_database) == ()


@pytest.mark.parametrize("mode", [0o444, 0o460])
def test_a_credential_that_others_could_read_or_change_is_refused(
    sqlite_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    _as_credentials(sqlite_database, tmp_path / "credentials", mode)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    with pytest.raises(FileError) as refused:
        signing_keys(sqlite_database)
    assert _code(refused) == "file-not-private"
    assert "LoadCredentialEncrypted=" in refused.value.next_step


def test_two_clouds_in_one_folder_leave_each_others_keys_alone(tmp_path: Path) -> None:
    for name in ("cloud-test", "cloud"):
        initialise(tmp_path / f"{name}.db")
    first, second = (signing_keys(tmp_path / f"{name}.db") for name in ("cloud", "cloud-test"))
    assert (len(first.here), len(second.here)) == (1, 1)
    assert first.here.isdisjoint(second.here)
    assert len(KeyFiles(tmp_path / "cloud.db").names()) == 3


def test_the_keys_of_a_cloud_that_was_lost_are_not_written_over(tmp_path: Path) -> None:
    initialise(tmp_path / "cloud.db")
    (tmp_path / "cloud.db").unlink()
    with pytest.raises(FileError) as refused:
        initialise(tmp_path / "cloud.db")
    assert _code(refused) == "secret-exists"
    assert not (tmp_path / "cloud.db").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_file_of_another_user_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "cloud.db"
    initialise(database)
    key = tmp_path / "cloud-signing.key"
    os.chown(key, 12345, -1)
    with pytest.raises(FileError) as refused:
        signing_keys(database)
    assert _code(refused) == "file-not-private"
    assert f"chown 0 {key}" in refused.value.next_step
