"""The database: its schema, its promises, and the files beside it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert

from tests.cloud.lab import Database, plant
from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import initialise
from tui_licenses.cloud.database import find_database
from tui_licenses.cloud.sqlite import connect_engine
from tui_licenses.cloud.store import (
    SCHEMA_VERSION,
    create_store,
    open_store,
    read_schema_version,
)
from tui_licenses.errors import DocumentError, FileError, UseError


def test_a_new_database_is_made_with_its_keys_and_is_private(tmp_path: Path) -> None:
    report = initialise(tmp_path / "new" / "cloud.db")
    assert (report.created, report.migrated, report.schema_version) == (True, True, SCHEMA_VERSION)
    folder = tmp_path / "new"
    for name in ("cloud.db", "cloud-root.key", "cloud-signing.key", "cloud-pepper.key"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_making_a_database_again_changes_nothing(tmp_path: Path) -> None:
    database = tmp_path / "cloud.db"
    initialise(database)
    root = (tmp_path / "cloud-root.key").read_bytes()
    report = initialise(f"sqlite:///{database}")
    assert (report.created, report.migrated) == (False, False)
    assert (tmp_path / "cloud-root.key").read_bytes() == root


def test_the_migrations_make_the_tables_the_program_uses(empty_database: Database) -> None:
    store, _, _ = create_store(empty_database)
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, tables.metadata) == []
    store.close()


def test_the_database_keeps_what_was_answered_and_its_references(tmp_path: Path) -> None:
    store, _, _ = create_store(tmp_path / "cloud.db")
    with store.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    store.close()
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }


def test_a_failed_transaction_leaves_no_trace(empty_database: Database) -> None:
    store, _, _ = create_store(empty_database)

    def fail() -> None:
        with store.write() as connection:
            connection.execute(insert(tables.cloud_setting).values(name="x", value="y"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.read() as connection:
        names = connection.exec_driver_sql("SELECT name FROM cloud_setting").scalars().all()
    store.close()
    assert "x" not in names


def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    plant(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(UseError) as refused:
        open_store(database)
    assert refused.value.code == "database-newer"


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "cloud.db"
    database.write_bytes(b"this is not a database, it is a text of some length" * 100)
    with pytest.raises(FileError) as refused:
        open_store(database)
    assert refused.value.code == "database-damaged"


def test_a_database_that_is_not_there_is_not_made_by_opening_it(tmp_path: Path) -> None:
    with pytest.raises(UseError) as refused:
        open_store(tmp_path / "cloud.db")
    assert refused.value.code == "database-missing"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "database",
    ["mysql://host/name", "postgresql+asyncpg://host/name", "sqlite://", "nonsense://://", "://"],
)
def test_a_database_the_cloud_cannot_use_is_refused(database: str) -> None:
    with pytest.raises(UseError) as refused:
        find_database(database)
    assert refused.value.code == "database-unsupported"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError) as refused:
        initialise(tmp_path / "file" / "cloud.db")
    assert refused.value.code == "folder-not-writable"


def test_a_database_without_its_signing_key_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "cloud.db"
    initialise(database)
    (tmp_path / "cloud-signing.key").unlink()
    with pytest.raises(FileError) as refused:
        open_store(database)
    assert refused.value.code == "secret-missing"


def test_a_key_file_others_can_read_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "cloud.db"
    initialise(database)
    (tmp_path / "cloud-root.key").chmod(0o644)
    with pytest.raises(FileError) as refused:
        open_store(database)
    assert refused.value.code == "file-not-private"


def test_a_damaged_key_file_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "cloud.db"
    initialise(database)
    (tmp_path / "cloud-root.key").write_text("not hexadecimal")
    with pytest.raises(DocumentError) as refused:
        open_store(database)
    assert refused.value.code == "bad-signing-key"


def test_an_empty_database_has_no_schema(tmp_path: Path) -> None:
    engine = connect_engine(tmp_path / "empty.db")
    assert read_schema_version(engine) is None
    engine.dispose()
