"""A database file that takes the place of another: in one step, and nothing is thrown away."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import OperationalError

from tui_licenses.cloud.backup_file import sync_folder
from tui_licenses.cloud.database import Database
from tui_licenses.cloud.locks import exclusive_lock
from tui_licenses.cloud.replacement import Fill, in_use
from tui_licenses.cloud.sqlite import connect_engine
from tui_licenses.cloud.store import Engines
from tui_licenses.errors import FileError, UnavailableError

_LOG_ENDS = ("-wal", "-shm")


def replace_file(database: Database, now: datetime, fill: Fill) -> str | None:
    """Fill a new file, give it the name of the database, and return where the one before is kept.

    Raises what `fill` does, `StateError` (`database-in-use`), `FileError`
    (`folder-not-writable`).
    """
    path = database.path
    with _building(path) as new:
        engine = connect_engine(new)
        try:
            with engine.connect() as connection:
                writing = connection.execution_options(begin_immediate=True)
                with writing.begin():
                    fill(Engines(engine, engine), writing)
        except OperationalError as error:
            raise UnavailableError(
                "database-unavailable",
                "The restored database could not be written to its end.",
                "Check the free space of its disk; then try again.",
            ) from error
        finally:
            engine.dispose()
        if not _fold(new) or not _fold(path):
            raise in_use(database)
        previous = _take_place(new, path, now)
    return None if previous is None else str(previous)


@contextmanager
def _building(database: Path) -> Iterator[Path]:
    """Give the name of a new private file beside the database; what is left of it is removed.

    So is what a restore left behind that was killed; a second restore waits for the first.
    """
    new = database.with_name(f".{database.name}.restoring")
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive_lock(database.with_name(f"{database.stem}-restore.lock")):
            _remove(new)
            new.touch(mode=0o600, exist_ok=False)
            try:
                yield new
            finally:
                _remove(new)
    except OSError as error:
        raise FileError(
            "folder-not-writable",
            f"The database cannot be put into {database.parent}: {error.strerror}.",
            "Check the folder's permissions and free space; the database before is still there.",
        ) from error


def _remove(new: Path) -> None:
    for end in ("", *_LOG_ENDS):
        Path(f"{new}{end}").unlink(missing_ok=True)


def is_file_in_use(database: Path) -> bool:
    """Say whether anything has a database open; a file that is damaged is in nobody's use."""
    return _is_refused(database, "PRAGMA locking_mode=EXCLUSIVE", "BEGIN EXCLUSIVE")


def _fold(database: Path) -> bool:
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


def _take_place(new: Path, database: Path, now: datetime) -> Path | None:
    """Give a finished database its name; return where the one before is kept; raises `OSError`."""
    aside = database.with_name(f"{database.name}.before-restore-{now:%Y%m%dT%H%M%S%fZ}")
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
    return aside if has_previous else None
