"""Checks that a database still has all that a backup of it has.

A database that was put back as a whole is in order in itself: only what is kept elsewhere tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, select

from tui_licenses.cloud import tables
from tui_licenses.cloud.backup_file import BackupReader, open_backup
from tui_licenses.cloud.findings import Finding
from tui_licenses.cloud.restore_check import check_signer, read_present_state
from tui_licenses.cloud.store import Store


def check_against(store: Store, backup: Path) -> tuple[Finding, ...]:
    """Return what the database has lost since the backup.

    Raises `DocumentError` and `FileError` for a backup that cannot be relied on.
    """
    with open_backup(backup) as reader, store.read() as connection:
        check_signer(reader, store.signing.files.public_keys(), read_present_state(connection))
        return tuple(_lost(connection, reader))


def _lost(connection: Connection, reader: BackupReader) -> Iterator[Finding]:
    present = read_present_state(connection)
    if len(present.documents) < len(reader.header.trust):
        yield Finding("history-lost", "trust document", "The backup has a later one.")
    event = tables.event
    for table, row in reader.rows():
        if table == tables.account.name and row["event_count"]:
            there = select(event.c.link).where(
                event.c.account_id == row["id"], event.c.sequence == row["event_count"]
            )
            if connection.execute(there).scalar() != row["event_head"]:
                message = f"Its event {row['event_count']} is not the one that the backup has."
                yield Finding("history-lost", f"account {row['id']}", message)
        elif table == tables.license_file.name:
            known = max(present.serials.get(row["instance_id"], 0), present.serial_floor)
            if known < row["serial"]:
                message = f"The backup has its license file {row['serial']}, here it is {known}."
                yield Finding("history-lost", f"instance {row['instance_id']}", message)
