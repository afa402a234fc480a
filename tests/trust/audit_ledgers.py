"""Databases whose audit trail is changed behind the program's back, again and again."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.exc import DataError, IntegrityError

from tests.cloud.lab import Database
from tests.cloud.older_schemas import unguard
from tests.trust.cloud_databases import empty_databases
from tui_licenses.cloud.administration import seed
from tui_licenses.cloud.audit_chain import LINKED
from tui_licenses.cloud.database import find_database
from tui_licenses.cloud.sealed_trail import mark_path
from tui_licenses.cloud.store import Engines

COLUMNS = (*LINKED, "link")
# Some of the names are words of SQL.
QUOTED = ", ".join(f'"{name}"' for name in COLUMNS)
ANCHORS = ("event_count", "event_head", "event_seal")

_EVENTS = f"SELECT {QUOTED} FROM event ORDER BY account_id, sequence"
_ACCOUNTS = f"SELECT id, {', '.join(ANCHORS)} FROM account ORDER BY id"

Rows = list[tuple[Any, ...]]
# Statements, with a question mark for each of their values.
Changes = Sequence[tuple[str, Sequence[Any]]]


class RefusedError(Exception):
    """The database itself refused a change, guards or no."""


class Ledger(Protocol):
    """A cloud without guards. Texts are read and written as their bytes."""

    @property
    def kind(self) -> str:
        """Return the name of the kind of its database."""

    @property
    def database(self) -> Database:
        """Return the database to look at."""

    def rows(self) -> tuple[Rows, Rows]:
        """Return what a sound database says of events and of their anchors."""

    def change(self, changes: Changes) -> None:
        """Make a sound database, and change it; raises `RefusedError`."""


def ledgers(folder: Path) -> Iterator[Ledger]:
    """Give a ledger of each kind of database."""
    for kind, database in empty_databases(folder):
        seed(database, instances=8, keys=40, random_seed=9, now=datetime(2026, 6, 1, tzinfo=UTC))
        unguard(database)
        found = find_database(database)
        if found.is_file:
            yield FileLedger(kind, found.path, folder / "copy")
        else:
            with closing(ServerLedger(kind, database)) as server:
                yield server


class FileLedger:
    """A file, of which a copy is changed."""

    def __init__(self, kind: str, template: Path, folder: Path) -> None:
        self.kind = kind
        self.template = template
        folder.mkdir()
        self.database: Path = folder / template.name
        for file in (*template.parent.glob("*.key"), mark_path(template)):
            shutil.copy2(file, folder)
        self._sound = self.read(template)

    def read(self, database: Path) -> tuple[Rows, Rows]:
        """Return what a database says; raises `sqlite3.DatabaseError`."""
        with closing(sqlite3.connect(database)) as connection:
            connection.text_factory = bytes
            events = connection.execute(_EVENTS).fetchall()
            return events, connection.execute(_ACCOUNTS).fetchall()

    def rows(self) -> tuple[Rows, Rows]:
        """Return what the sound database says."""
        return self._sound

    def change(self, changes: Changes) -> None:
        """Copy the sound database, and change the copy."""
        for end in ("-wal", "-shm"):
            Path(f"{self.database}{end}").unlink(missing_ok=True)
        shutil.copyfile(self.template, self.database)
        with closing(sqlite3.connect(self.database)) as connection:
            try:
                for statement, values in changes:
                    connection.execute(statement, values)
            except sqlite3.IntegrityError as error:
                raise RefusedError from error
            connection.commit()


# What the sound tables are copied to, and how they come back.
_KEEP = (
    "CREATE SCHEMA sound",
    "CREATE TABLE sound.event AS TABLE event",
    "CREATE TABLE sound.account AS TABLE account",
)
_BRING_BACK = (
    "TRUNCATE event",
    "INSERT INTO event TABLE sound.event",
    (
        "UPDATE account SET event_count = kept.event_count, event_head = kept.event_head,"
        " event_seal = kept.event_seal FROM sound.account AS kept WHERE kept.id = account.id"
    ),
)


class ServerLedger:
    """A database on a server, whose trail is brought back before each change."""

    def __init__(self, kind: str, database: Database) -> None:
        self.kind = kind
        self.database = database
        self._engines = Engines.of(find_database(database))
        with self._engines.writing.begin() as connection:
            for statement in _KEEP:
                connection.exec_driver_sql(statement)
            found = [
                [tuple(map(_stored, row)) for row in connection.exec_driver_sql(statement)]
                for statement in (_EVENTS, _ACCOUNTS)
            ]
        self._sound = found[0], found[1]

    def rows(self) -> tuple[Rows, Rows]:
        """Return what the sound database says."""
        return self._sound

    def change(self, changes: Changes) -> None:
        """Bring the sound trail back, and change it."""
        try:
            with self._engines.writing.begin() as connection:
                for statement in _BRING_BACK:
                    connection.exec_driver_sql(statement)
                for statement, values in changes:
                    parameters = tuple(map(_plain, values))
                    connection.exec_driver_sql(statement.replace("?", "%s"), parameters)
        except (DataError, IntegrityError, UnicodeDecodeError) as error:
            raise RefusedError from error

    def close(self) -> None:
        """Close every connection."""
        self._engines.dispose()


def _stored(value: object) -> object:
    return value.encode() if isinstance(value, str) else value


def _plain(value: object) -> object:
    """Return a value as a server takes it: text of Unicode, and nothing else."""
    return value.decode() if isinstance(value, bytes) else value
