"""Restoring a backup: verified, built beside the database, checked, and then put in its place.

Nobody who uses the cloud may see it go back. License files are issued anew under serials above
all that were given out, change numbers begin another history, and the trust document is never an
older one. Where the database before is lost, nobody knows what it gave out last: then serials
jump by `SERIAL_GAP`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path

from sqlalchemy import Connection, column, delete, insert, select, table
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError

from tui_licenses.cloud import tables
from tui_licenses.cloud.audit_chain import SEAL_KEY, seal_key
from tui_licenses.cloud.backup import BACKED_UP
from tui_licenses.cloud.backup_file import BackupReader, damaged, open_backup
from tui_licenses.cloud.check import FINDINGS_MAXIMUM, check_content
from tui_licenses.cloud.database import Database
from tui_licenses.cloud.key_box import open_keys
from tui_licenses.cloud.key_files import KeyFiles, decode_key, is_secret
from tui_licenses.cloud.migrations import upgrade
from tui_licenses.cloud.operations.audit import Author, record
from tui_licenses.cloud.replacement import HeldDatabase
from tui_licenses.cloud.restore_check import (
    BackupContent,
    PresentState,
    behind,
    check_schema,
    check_signer,
    read_content,
    read_present_state,
    refuse_behind,
)
from tui_licenses.cloud.settings import write_setting
from tui_licenses.cloud.signing_keys import read_signing, write_documents
from tui_licenses.cloud.store import (
    SCHEMA_VERSION,
    Clock,
    Engines,
    Store,
    schema_of,
    utc_now,
)
from tui_licenses.documents.signing import PublicKey
from tui_licenses.errors import Detail, DocumentError, FileError, UseError
from tui_licenses.files import read_private, write_private
from tui_licenses.paths import private_folder
from tui_licenses.secret import Secret

# Far more license files than one server gets between two backups.
SERIAL_GAP = 10_000

_CHUNK_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """How to restore: the passphrase of sealed keys, a root kept elsewhere, what may be lost."""

    passphrase: Secret | None = None
    root_key: Path | None = None
    discard_newer: bool = False


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored; `previous` is where the database before is kept."""

    created: datetime
    row_count: int
    serial_floor: int
    previous: str | None
    discarded: tuple[Detail, ...]


def restore(
    backup: Path, database: Database, options: RestoreOptions, clock: Clock = utc_now
) -> RestoreReport:
    """Put a backup in the place of a database, or leave everything as it was.

    Raises `DocumentError` (`backup-damaged`, `backup-foreign`, `not-a-backup`,
    `passphrase-wrong`, …), `StateError` (`backup-behind`, `database-in-use`), `UseError`
    (`backup-newer`, `database-not-current`), `FileError` (`secret-missing`, …), and for a server
    what `postgresql.explain` returns.
    """
    with open_backup(backup) as reader:
        check_schema(reader.header, SCHEMA_VERSION)
        sealed = _sealed_keys(reader, options.passphrase)
        files = KeyFiles(database.path)
        with _held(database) as held:
            present = None if held.connection is None else _present_state(held.connection)
            check_signer(reader, _own_keys(files, sealed, options.root_key), present)
            content = read_content(reader, present)
            lost = [] if present is None else behind(content, reader, present)
            if not options.discard_newer:
                refuse_behind(lost)
            floor = _serial_floor(content, present)
            documents = tuple(reader.header.trust)
            if present is not None:
                documents = max(documents, present.documents, key=len)
            restored = _Restored(reader, files, documents, floor, bool(lost))

            def fill(engines: Engines, connection: Connection) -> None:
                _build(engines, connection, database, clock, restored)

            with _keys_in_place(files, sealed):
                previous = held.replace(clock(), fill)
    created = datetime.fromtimestamp(reader.header.created, UTC)
    return RestoreReport(created, content.row_count, floor, previous, tuple(lost))


def _held(database: Database) -> AbstractContextManager[HeldDatabase]:
    if database.is_file:
        from tui_licenses.cloud.replaced_file import held_file

        return held_file(database)
    from tui_licenses.cloud.replaced_tables import held_tables

    return held_tables(database)


def _serial_floor(content: BackupContent, present: PresentState | None) -> int:
    if present is None:
        return content.highest_serial + SERIAL_GAP
    return max(content.highest_serial, present.highest_serial)


def _sealed_keys(reader: BackupReader, passphrase: Secret | None) -> dict[str, bytes]:
    """Return the private files in a backup by the ends of their names; empty without passphrase."""
    if passphrase is None:
        return {}
    box = reader.keys()
    if box is None:
        raise UseError(
            "keys-not-in-backup",
            "The backup was made without keys.",
            "Put the .key files beside the database instead.",
        )
    opened = open_keys(box, passphrase)
    if not all(map(is_secret, opened)):
        raise damaged("it holds keys under names that are none")
    return opened


def _own_keys(
    files: KeyFiles, sealed: Mapping[str, bytes], root_key: Path | None
) -> set[PublicKey]:
    """Return the public keys that are known to be this cloud's: those whose private half is here.

    Raises `FileError` (`secret-missing`) where there are none.
    """
    known = files.public_keys()
    known |= {
        decode_key(data, Path(name)).public_key
        for name, data in sealed.items()
        if "pepper" not in name
    }
    if root_key is not None:
        known.add(decode_key(read_private(root_key), root_key).public_key)
    if not known:
        raise FileError(
            "secret-missing",
            f"The keys of this cloud are not in {files.database.parent}.",
            "Put its .key files there; or take them from the backup with `--with-keys`, if it"
            " was made so.",
        )
    return known


def _present_state(connection: Connection) -> PresentState | None:
    """Return what the database there has given out; None where it is empty or a damaged file.

    Raises `UseError` (`database-not-current`) for one of another schema.
    """
    try:
        schema = schema_of(connection)
        if schema is None:
            return None
        if schema != SCHEMA_VERSION:
            raise UseError(
                "database-not-current",
                f"The database that would be replaced has schema {schema}.",
                "Bring it up to date with `tui-licenses cloud init`, or move it away.",
            )
        return read_present_state(connection)
    except DatabaseError:
        if connection.dialect.name == "sqlite":
            return None
        raise


@contextmanager
def _keys_in_place(files: KeyFiles, sealed: Mapping[str, bytes]) -> Iterator[None]:
    """Write the keys of the backup that are not here; take them away again after a failure."""
    written: list[Path] = []
    if sealed:
        private_folder(files.database.parent)
    try:
        for end, data in sealed.items():
            path = files.database.with_name(f"{files.database.stem}{end}")
            if not path.exists():
                write_private(path, data, replace=False)
                written.append(path)
        yield
    except BaseException:
        for path in written:
            with suppress(OSError):
                path.unlink()
        raise


@dataclass(frozen=True, slots=True)
class _Restored:
    """A backup with what is other than in it: see the head of this module."""

    reader: BackupReader
    files: KeyFiles
    documents: tuple[str, ...]
    serial_floor: int
    has_losses: bool


def _build(
    engines: Engines,
    connection: Connection,
    database: Database,
    clock: Clock,
    restored: _Restored,
) -> None:
    """Fill an empty database, check it as `cloud check` does, and let nothing in it be lower."""
    try:
        upgrade(connection, restored.reader.header.schema)
        _fill(connection, restored.reader)
        upgrade(connection)
        write_documents(connection, restored.documents)
        signing = read_signing(connection, restored.files)
        if signing is None:
            raise damaged("it does not say who issues")
        store = Store(engines, database, signing, clock)
        # Before anything is written with our own seal, which would cover up a false one.
        _check(store, connection)
        connection.execution_options(**{SEAL_KEY: seal_key(signing.pepper)})
        _adjust(connection, store.now(), restored)
    except (IntegrityError, DataError, ProgrammingError) as error:
        raise damaged("its rows contradict each other") from error


def _check(store: Store, connection: Connection) -> None:
    findings = tuple(islice(check_content(store, connection), FINDINGS_MAXIMUM))
    if findings:
        raise DocumentError(
            "backup-unsound",
            "What would be restored is not sound; nothing was changed.",
            "Restore another backup; check that the .key files belong to this one.",
            details=tuple(
                Detail(finding.target, finding.code, finding.message) for finding in findings
            ),
        )


def _fill(connection: Connection, reader: BackupReader) -> None:
    """Insert every row; tables and columns are those of the schema that the backup has."""
    known = {entry.name for entry in BACKED_UP}
    for name, rows in groupby(reader.rows(), key=lambda entry: entry[0]):
        if name not in known:
            raise damaged("it has rows of a table that is none of a cloud")
        statement = insert(table(name, *map(column, reader.header.tables[name])))
        values = (dict(row) for _, row in rows)
        while chunk := list(islice(values, _CHUNK_ROWS)):
            connection.execute(statement, chunk)


def _adjust(connection: Connection, now: int, restored: _Restored) -> None:
    """Begin another history, with serials above all that were given out, and say so."""
    connection.execute(delete(tables.license_file))
    write_setting(connection, "serial_floor", str(restored.serial_floor))
    write_setting(connection, "history", secrets.token_hex(8))
    after = {
        "backupCreated": restored.reader.header.created,
        "serialsAbove": restored.serial_floor,
        "changesDiscarded": restored.has_losses or None,
    }
    for account_id in connection.execute(select(tables.account.c.id)).scalars().all():
        author = Author.administrator(account_id, now)
        record(connection, author, "cloud.restored", ("account", account_id), after=after)
