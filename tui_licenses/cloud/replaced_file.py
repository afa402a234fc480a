"""A database file that takes the place of another: in one step, and nothing is thrown away."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, OperationalError

from tui_licenses.cloud.database import Database
from tui_licenses.cloud.locks import exclusive_lock
from tui_licenses.cloud.replacement import Fill, HeldDatabase, in_use
from tui_licenses.cloud.sqlite import connect_engine
from tui_licenses.cloud.store import Engines
from tui_licenses.errors import FileError, UnavailableError
from tui_licenses.files.folder import sync_folder

_LOG_ENDS = ("-wal", "-shm", "-journal")


@contextmanager
def held_file(database: Database) -> Iterator[HeldDatabase]:
    """Hold a database file until another has its name, or nothing was done.

    A file that is damaged is in nobody's use, and is not held. Raises `StateError`
    (`database-in-use`), `FileError` (`folder-not-writable`).
    """
    path = database.path
    with _building(path) as new:
        was_there = path.exists()
        engine = connect_engine(path, alone=True)
        try:
            connection = _connect_alone(engine, database) if was_there else None

            def replace(now: datetime, fill: Fill) -> str | None:
                _fill(new, fill)
                if connection is None or not _leave_log(connection):
                    # Otherwise SQLite would remove a log by its name, which is the new file's then.
                    engine.dispose()
                    if path.exists() != was_there:
                        raise in_use(database)
                previous = _take_place(new, path, now)
                return None if previous is None else str(previous)

            yield HeldDatabase(connection, replace)
        finally:
            engine.dispose()


def _connect_alone(engine: Engine, database: Database) -> Connection | None:
    """Return the only connection to a database; None for one that is damaged."""
    try:
        connection = engine.connect()
        with connection.execution_options(begin_immediate=True).begin():
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
    except DatabaseError as error:
        if _is_busy(error):
            raise in_use(database) from error
        return None
    return connection


def _is_busy(error: DatabaseError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _leave_log(connection: Connection) -> bool:
    """Bring all of a database into its one file; say whether that was possible.

    Without a journal SQLite has no second file of it to remove any more.
    """
    # What was read began a transaction, in which the journal cannot be changed.
    connection.rollback()
    try:
        driver = connection.connection.driver_connection
        assert driver is not None
        for mode in ("DELETE", "OFF"):
            driver.execute(f"PRAGMA journal_mode={mode}").fetchall()
    except sqlite3.DatabaseError:
        return False
    return True


def _fill(new: Path, fill: Fill) -> None:
    """Fill a new file, and force it to disk."""
    engine = connect_engine(new, alone=True)
    try:
        with engine.connect() as connection:
            writing = connection.execution_options(begin_immediate=True)
            with writing.begin():
                fill(Engines(engine, engine), writing)
            if not _leave_log(connection):
                raise _unwritten()
    except OperationalError as error:
        raise _unwritten() from error
    finally:
        engine.dispose()
    descriptor = os.open(new, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritten() -> UnavailableError:
    return UnavailableError(
        "database-unavailable",
        "The restored database could not be written to its end.",
        "Check the free space of its disk; then try again.",
    )


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


def _take_place(new: Path, database: Path, now: datetime) -> Path | None:
    """Give a finished database its name; return where the one before is kept; raises `OSError`."""
    aside = database.with_name(f"{database.name}.before-restore-{now:%Y%m%dT%H%M%S%fZ}")
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
