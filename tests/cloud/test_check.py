"""Damage that is planted is found; a sound database has no findings."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from tests.cloud.lab import Database, Lab, on_postgresql, plant
from tui_licenses.cloud.administration import check
from tui_licenses.cloud.check import FINDINGS_MAXIMUM
from tui_licenses.cloud.check_host import check_settings
from tui_licenses.cloud.database import find_database
from tui_licenses.cloud.key_files import secret_path
from tui_licenses.cloud.store import Engines
from tui_licenses.documents.signing import SigningKey
from tui_licenses.errors import FileError

_LICENSED = "(SELECT id FROM instance WHERE state = 'licensed' ORDER BY id LIMIT 1)"

DAMAGE = {
    "UPDATE account SET key_count = key_count + 1": "counter-wrong",
    "UPDATE account SET event_count = 0": "counter-wrong",
    "UPDATE license_key SET shown_state = 'revoked' WHERE state = 'active'": "counter-wrong",
    "UPDATE key_tally SET key_count = key_count + 1": "counter-wrong",
    "DELETE FROM key_tally": "counter-wrong",
    "UPDATE account SET sequence = 1": "sequence-wrong",
    "UPDATE account SET event_head = ''": "audit-wrong",
    f"UPDATE instance SET key_count = 99 WHERE id = {_LICENSED}": "counter-wrong",
    f"UPDATE instance SET name_order = 'x' WHERE id = {_LICENSED}": "order-wrong",
    f"UPDATE instance SET master_key_id = NULL WHERE id = {_LICENSED}": "master-wrong",
    f"UPDATE instance SET master_key_id = 'gone' WHERE id = {_LICENSED}": "master-wrong",
    f"UPDATE instance SET state = 'unlicensed' WHERE id = {_LICENSED}": "master-wrong",
    f"UPDATE instance SET fingerprint = NULL WHERE id = {_LICENSED}": "profile-wrong",
    "UPDATE license_key SET last_four = '0000'": "key-wrong",
    "UPDATE license_key SET key = lower(key)": "key-wrong",
    "UPDATE license_key SET position = id": "order-wrong",
    "UPDATE license_key SET expiry_order = 1": "order-wrong",
    "DELETE FROM instance_word": "words-wrong",
    "UPDATE profile SET sha256 = 'other'": "profile-wrong",
    "DELETE FROM profile": "profile-wrong",
    "UPDATE license_key SET product_code = 'gone'": "dangling-reference",
    "UPDATE license_file SET sha256 = 'other'": "license-file-wrong",
}


@pytest.mark.parametrize(("statement", "code"), DAMAGE.items(), ids=DAMAGE)
async def test_planted_damage_is_found(lab: Lab, statement: str, code: str) -> None:
    for instance in await lab.instances("licensed"):
        await lab.get(f"/licensing/instances/{instance['id']}/license-file")
    assert check(lab.database) == ()
    plant(lab.database, statement)
    findings = check(lab.database)
    assert code in {finding.code for finding in findings}
    keys = {entry["key"] for entry in await lab.keys()} if code == "key-wrong" else set()
    assert not [key for key in keys if key in str(findings)]


@on_postgresql
@pytest.mark.parametrize(("setting", "is_found"), [("off", True), ("local", False), ("on", False)])
def test_a_commit_that_does_not_wait_for_the_disk_is_found(
    lab: Lab, setting: str, is_found: bool
) -> None:
    engines = Engines.of(find_database(lab.database))
    with engines.reading.connect() as connection:
        connection.exec_driver_sql(f"SET synchronous_commit = {setting}")
        found = {finding.target for finding in check_settings(connection)}
    engines.dispose()
    assert ("synchronous_commit" in found) == is_found


def test_settings_that_lose_changes_or_trust_a_file_too_far_are_found(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'lax.db'}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
        connection.exec_driver_sql("CREATE TABLE event (at INTEGER)")
        found = {finding.target for finding in check_settings(connection)}
    engine.dispose()
    assert found == {
        "journal_mode",
        "synchronous",
        "foreign_keys",
        "trusted_schema",
        "cell_size_check",
        "table event",
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_files_that_others_can_read_or_own_are_found(sqlite_database: Path) -> None:
    sqlite_database.chmod(0o660)
    os.chown(sqlite_database, 12345, -1)
    findings = check(sqlite_database)
    assert [finding.code for finding in findings] == ["file-not-private"] * 2
    assert f"chmod 600 {sqlite_database}" in findings[0].message
    assert f"chown 0 {sqlite_database}" in findings[1].message


def test_a_second_active_master_is_found(database: Database) -> None:
    plant(
        database,
        "DROP INDEX license_key_current_master",
        f"UPDATE license_key SET state = 'active', activated_at = 1, instance_id = {_LICENSED}"
        " WHERE id = (SELECT id FROM license_key WHERE state = 'unassigned'"
        " AND kind = 'master' LIMIT 1)",
    )
    assert "master-wrong" in {finding.code for finding in check(database)}


def test_pages_that_were_overwritten_are_found(sqlite_database: Path) -> None:
    database = sqlite_database
    connection = sqlite3.connect(database)
    (page,) = connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'license_key'"
    ).fetchone()
    connection.close()
    content = bytearray(database.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    database.write_bytes(content)
    assert {finding.code for finding in check(database)} == {"database-damaged"}


def test_a_database_damaged_from_its_start_cannot_be_opened(sqlite_database: Path) -> None:
    database = sqlite_database
    content = bytearray(database.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    database.write_bytes(content)
    with pytest.raises(FileError) as refused:
        check(database)
    assert refused.value.code == "database-damaged"


def test_a_database_without_readable_settings_cannot_be_opened(sqlite_database: Path) -> None:
    database = sqlite_database
    connection = sqlite3.connect(database)
    (page,) = connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'cloud_setting'"
    ).fetchone()
    connection.close()
    content = bytearray(database.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    database.write_bytes(content)
    with pytest.raises(FileError) as refused:
        check(database)
    assert refused.value.code == "database-damaged"


def test_a_signing_key_that_nobody_vouches_for_is_found(database: Database) -> None:
    path = secret_path(find_database(database).path, "signing")
    path.write_text(SigningKey.generate().seed.hex())
    assert [finding.code for finding in check(database)] == ["trust-wrong"]


async def test_license_files_of_a_foreign_signing_key_are_issued_anew_but_not_trusted(
    lab: Lab,
) -> None:
    path = f"/licensing/instances/{(await lab.licensed())['id']}/license-file"
    assert (await lab.get(path)).status_code == 200
    key = secret_path(lab.store.path, "signing")
    key.write_text(SigningKey.generate().seed.hex())
    assert [finding.code for finding in check(lab.database)] == ["trust-wrong"]


def test_a_trust_document_of_another_root_is_found(database: Database) -> None:
    path = secret_path(find_database(database).path, "root")
    path.write_text(SigningKey.generate().seed.hex())
    assert "trust-wrong" in {finding.code for finding in check(database)}


def test_a_database_that_is_damaged_all_over_does_not_flood(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_licenses.cloud.check.FINDINGS_MAXIMUM", 5)
    plant(database, "UPDATE license_key SET position = id")
    assert len(check(database)) == 5 < FINDINGS_MAXIMUM
