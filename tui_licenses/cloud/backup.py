"""Backing up a cloud while it serves: one moment of all its tables, in one signed file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from tui_licenses.cloud import tables
from tui_licenses.cloud.backup_file import (
    FORMAT,
    VERSION,
    BackupWriter,
    Header,
    WrittenBackup,
)
from tui_licenses.cloud.key_box import check_passphrase, seal_keys
from tui_licenses.cloud.signing_keys import CloudSigning, current_signing
from tui_licenses.documents.payload import epoch_seconds
from tui_licenses.errors import UseError
from tui_licenses.files import read_private
from tui_licenses.files.streaming import new_private_file
from tui_licenses.secret import Secret

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store

# Access tokens last for an hour: whoever is signed in gets a new one.
_LEFT_OUT = frozenset({tables.access_token.name})
# Rows in the order of their references to each other.
BACKED_UP = tuple(table for table in tables.metadata.sorted_tables if table.name not in _LEFT_OUT)
_CHUNK_ROWS = 1_000


def backed_up_columns() -> dict[str, list[str]]:
    """Return the names of the columns of each table that is in a backup."""
    return {str(table.name): list(map(str, table.c.keys())) for table in BACKED_UP}


def back_up(store: Store, target: Path, passphrase: Secret | None) -> WrittenBackup:
    """Write a backup into a new private file; with a passphrase it holds the keys, sealed.

    Raises `FileError` (`file-exists` and those of `write_private`) and `UseError`
    (`passphrase-too-short`, `keys-not-here`).
    """
    keys = None
    if passphrase is not None:
        keys = seal_keys(_secrets(store.signing), check_passphrase(passphrase))
    with new_private_file(target) as file, store.read() as connection:
        signing = current_signing(store, connection)
        header = Header(
            format=FORMAT,
            version=VERSION,
            schema=store.schema_version(),
            created=epoch_seconds(store.clock()),
            trust=[*signing.earlier_documents, signing.trust_document],
            tables=backed_up_columns(),
        )
        writer = BackupWriter(file, header)
        if keys is not None:
            writer.add_keys(keys)
        _write_rows(connection, writer)
        writer.sign(signing.signers)
    return WrittenBackup(target, file.size, file.sha256, writer.row_count)


def _write_rows(connection: Connection, writer: BackupWriter) -> None:
    for table in BACKED_UP:
        rows = connection.execute(select(table).execution_options(yield_per=_CHUNK_ROWS))
        for row in rows:
            writer.add_row(str(table.name), list(row))


def _secrets(signing: CloudSigning) -> dict[str, bytes]:
    """Return the private files by the ends of their names, such as `-signing.key`.

    Raises `UseError` (`keys-not-here`) where systemd keeps them.
    """
    stem = signing.files.database.stem
    found = {path.name.removeprefix(stem): read_private(path) for path in signing.files.names()}
    if not found:
        raise UseError(
            "keys-not-here",
            "The keys of this cloud are systemd credentials, not files beside the database.",
            "Leave the keys out, and keep copies of the encrypted credentials.",
        )
    return found
