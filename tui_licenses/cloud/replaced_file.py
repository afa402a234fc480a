"""A database file that takes the place of another: in one step, and nothing is thrown away."""

from __future__ import annotations

import os
import sqlite3
from datetime import datetime
from pathlib import Path

from tui_licenses.cloud.backup_file import sync_folder
from tui_licenses.errors import FileError

_LOG_ENDS = ("-wal", "-shm")


def is_in_use(database: Path) -> bool:
    """Say whether anything has a database open; a file that is damaged is in nobody's use."""
    return _is_refused(database, "PRAGMA locking_mode=EXCLUSIVE", "BEGIN EXCLUSIVE")


def fold(database: Path) -> bool:
    """Bring all of a database into its one file; say whether nothing else had it open."""
    return not _is_refused(database, "PRAGMA journal_mode=DELETE")


def _is_refused(database: Path, *statements: str) -> bool:
    """Say whether SQLite refuses what only who is alone with a database may do."""
    if not database.exists():
        return False
    connection = sqlite3.connect(database, timeout=0, isolation_level=None)
    try:
        for statement in statements:
            connection.execute(statement).fetchall()
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()
    return False


def take_place(new: Path, database: Path, now: datetime) -> Path | None:
    """Give a finished database its name, and return where the one before is kept, if there was one.

    Raises `FileError` (`folder-not-writable`).
    """
    aside = database.with_name(f"{database.name}.before-restore-{now:%Y%m%dT%H%M%S%fZ}")
    try:
        descriptor = os.open(new, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        has_previous = database.exists()
        if has_previous:
            os.link(database, aside)
        for end in _LOG_ENDS:
            log = Path(f"{database}{end}")
            if log.exists():
                # Of a damaged database: it must not be taken for the log of the new one.
                log.rename(f"{aside}{end}")
        new.rename(database)
        sync_folder(database.parent)
    except OSError as error:
        raise FileError(
            "folder-not-writable",
            f"The restored database cannot be put into {database.parent}: {error.strerror}.",
            "Check the folder's permissions; the database before is still there.",
        ) from error
    return aside if has_previous else None
