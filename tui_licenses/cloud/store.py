"""The database of the license cloud: opened, migrated, read in snapshots, changed in transactions.

What differs between SQLite and PostgreSQL is in the modules of their names; every statement but
theirs is the same on both.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionLeftError

from tui_licenses.cloud.audit_chain import SEAL_KEY, seal_key
from tui_licenses.cloud.database import Database, find_database
from tui_licenses.cloud.instants import to_instant
from tui_licenses.cloud.key_files import KeyFiles
from tui_licenses.cloud.locks import exclusive_lock
from tui_licenses.cloud.sealed_trail import mark_sealed, refuse_stripped, seal_migrated
from tui_licenses.errors import FileError, TuiLicensesError, UnavailableError, UseError
from tui_licenses.paths import private_folder

if TYPE_CHECKING:
    from tui_licenses.cloud.signing_keys import CloudSigning

# The newest revision in `migrations/versions`; a test keeps the two equal.
SCHEMA_VERSION = "0003"

# What a database raises that is away, full or busy: nothing is wrong with the request.
NOT_USABLE = (OperationalError, InterfaceError, InternalError, NoConnectionLeftError)

_READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time of day; the default clock of a store."""
    return datetime.now(UTC)


class Store:
    """An open database with the keys that sign for it and the clock that dates its changes.

    `path` is the file beside which its secrets lie: the database itself where that is a file.
    """

    def __init__(
        self, engines: Engines, database: Database, signing: CloudSigning, clock: Clock = utc_now
    ) -> None:
        self.engine = engines.reading
        self.database = database
        self.path = database.path
        self.signing = signing
        self.clock = clock
        self._engines = engines
        # A writer of SQLite would wait in steps for one of this process; PostgreSQL wakes it.
        self._alone: AbstractContextManager[object] = (
            threading.Lock() if database.is_file else nullcontext()
        )

    def now(self) -> int:
        """Return the current instant as the database keeps it."""
        return to_instant(self.clock())

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a snapshot: everything read through it belongs to one moment."""
        with self.engine.connect() as connection:
            reading = connection
            if not self.database.is_file:
                reading = connection.execution_options(**_READING)
            with reading.begin():
                yield reading

    @contextmanager
    def write(self, accounts: Collection[str] | None = None) -> Iterator[Connection]:
        """Open a transaction that commits at the end, or leaves no trace after an exception.

        Other changes of `accounts` wait until it has ended, so that what it reads of them stays
        true; without the argument the changes of all accounts do. SQLite has one writer anyway.
        """
        with self._alone, self._engines.writing.connect() as connection:
            options = {"begin_immediate": True, SEAL_KEY: seal_key(self.signing.pepper)}
            writing = connection.execution_options(**options)
            with writing.begin():
                if not self.database.is_file:
                    from tui_licenses.cloud.postgresql import lock_accounts

                    lock_accounts(writing, accounts)
                yield writing

    def schema_version(self) -> str:
        """Return the revision of the schema in the database."""
        return read_schema_version(self.engine) or ""

    def close(self) -> None:
        """Close every connection; the files stay."""
        self._engines.dispose()


@dataclass(frozen=True, slots=True)
class Engines:
    """The engines of one database; on SQLite both are the same."""

    reading: Engine
    writing: Engine

    @classmethod
    def of(cls, database: Database) -> Engines:
        if database.is_file:
            from tui_licenses.cloud.sqlite import connect_engine

            engine = connect_engine(database.path)
            return cls(engine, engine)
        from tui_licenses.cloud.postgresql import connect_engines

        return cls(*connect_engines(database.url))

    def dispose(self) -> None:
        for engine in (self.reading, self.writing):
            engine.dispose()


def read_schema_version(engine: Engine) -> str | None:
    """Return the revision of the schema, or None for a database without one.

    Raises `FileError` (`database-damaged`) for a file that is no database, and for a server what
    `postgresql.explain` returns.
    """
    try:
        with engine.connect() as connection:
            return schema_of(connection)
    except DatabaseError as error:
        raise _unreadable(engine, error) from error


def schema_of(connection: Connection) -> str | None:
    """Return the revision of the schema as `read_schema_version` does; raises `DatabaseError`."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def _unreadable(engine: Engine, error: DBAPIError) -> TuiLicensesError:
    """Return what a database that cannot be opened means."""
    if engine.dialect.name == "postgresql":
        from tui_licenses.cloud.postgresql import explain

        return explain(error, engine.url)
    return FileError(
        "database-damaged",
        "The database of the license cloud cannot be read.",
        "Check the path; restore the file from a backup if it is damaged.",
    )


@contextmanager
def explaining(store: Store) -> Iterator[None]:
    """Turn a database that fails while a command works into an error with a next step.

    Raises `UnavailableError` (`database-unavailable`), and for a server what
    `postgresql.explain` returns.
    """
    try:
        yield
    except (*NOT_USABLE, ProgrammingError) as error:
        if not store.database.is_file and isinstance(error, DBAPIError):
            raise _unreadable(store.engine, error) from error
        if isinstance(error, ProgrammingError):
            raise
        raise UnavailableError(
            "database-unavailable",
            "The database of the license cloud cannot be used at the moment.",
            "Check the free space of its disk and what else uses it; then try again.",
        ) from error


def open_store(database: str | Path, clock: Clock = utc_now) -> Store:
    """Open a database that exists, migrating it where it is older than this program.

    Raises what `create_store` does, and `UseError` (`database-missing`).
    """
    found = find_database(database)
    if found.is_file and not found.path.exists():
        raise _missing(found)
    store, _, _ = _open(found, clock, lab=False, must_exist=not found.is_file)
    return store


def open_unchanged(database: str | Path, clock: Clock = utc_now) -> Store:
    """Open a database that exists and is of this program's schema; nothing is made or migrated.

    Raises what `open_store` does, and `UseError` (`database-not-current`).
    """
    from tui_licenses.cloud.signing_keys import read_signing

    found = find_database(database)
    if found.is_file and not found.path.exists():
        raise _missing(found)
    with _engines_of(found) as engines:
        _check_current(found, read_schema_version(engines.reading))
        with engines.reading.connect() as connection, connection.begin():
            signing = read_signing(connection, KeyFiles(found.path))
        if signing is None:
            raise _missing(found)
    return Store(engines, found, signing, clock)


def _check_current(database: Database, schema: str | None) -> None:
    from tui_licenses.cloud.migrations import newer

    if schema is None:
        raise _missing(database)
    refuse_stripped(database.path, schema)
    if schema > SCHEMA_VERSION:
        raise newer()
    if schema != SCHEMA_VERSION:
        raise UseError(
            "database-not-current",
            f"The database has schema {schema}, which is older than this program.",
            "Bring it up to date with `tui-licenses cloud init`.",
        )


def _missing(database: Database) -> UseError:
    return UseError(
        "database-missing",
        f"There is no license cloud at {database.shown}."
        if database.is_file
        else f"There is no license cloud in the database {database.shown}.",
        "Make one with `tui-licenses cloud init` or `tui-licenses cloud seed`.",
    )


def create_store(
    database: str | Path, *, lab: bool = False, clock: Clock = utc_now
) -> tuple[Store, bool, bool]:
    """Open a database, creating or migrating it where needed: (store, created, migrated).

    `lab` labels a database that is created here, and all that it signs, as a lab's. Raises
    `UseError` (`database-unsupported`, `database-newer`, `database-driver-missing`), `FileError`
    (`database-damaged`, `audit-stripped`, `secret-missing`, `secret-exists`), and for a server what
    `postgresql.check_server` does.
    """
    return _open(find_database(database), clock, lab=lab, must_exist=False)


def _open(
    database: Database, clock: Clock, *, lab: bool, must_exist: bool
) -> tuple[Store, bool, bool]:
    from tui_licenses.cloud.signing_keys import load_signing

    created = database.is_file and not database.path.exists()
    if created:
        _refuse_old_keys(database)
        _create_folder(database.path)
    with _engines_of(database) as engines:
        with _opening_alone(engines, database):
            found = read_schema_version(engines.reading)
            if not database.is_file:
                created = found is None
                _prepare_keys(database, is_new=created, must_exist=must_exist)
            migrated = found != SCHEMA_VERSION and _migrate(engines.writing, database)
            signing = load_signing(engines.reading, database.path, clock, lab=lab)
        # A folder of secrets that nobody can write does not keep a cloud from serving.
        with suppress(FileError):
            mark_sealed(database.path)
    return Store(engines, database, signing, clock), created, migrated


@contextmanager
def _engines_of(database: Database) -> Iterator[Engines]:
    """Connect to a database that is to be opened; close the connections where that fails."""
    engines = Engines.of(database)
    try:
        if not database.is_file:
            from tui_licenses.cloud.postgresql import check_server

            check_server(engines.reading)
        yield engines
    except DatabaseError as error:
        engines.dispose()
        raise _unreadable(engines.reading, error) from error
    except BaseException:
        engines.dispose()
        raise


@contextmanager
def _opening_alone(engines: Engines, database: Database) -> Iterator[None]:
    """Keep other programs from making the same cloud; files have locks of their own for it."""
    if database.is_file:
        yield
        return
    from tui_licenses.cloud.postgresql import lock_opening

    with engines.reading.connect() as connection, connection.begin():
        lock_opening(connection)
        yield


def _migrate(engine: Engine, database: Database) -> bool:
    from tui_licenses.cloud.migrations import migrate

    def finish(connection: Connection, before: str | None) -> None:
        seal_migrated(connection, database.path, before)

    if not database.is_file:
        return migrate(engine, finish)
    with exclusive_lock(database.path.with_name(f"{database.path.stem}-migration.lock")):
        return migrate(engine, finish)


def _prepare_keys(database: Database, *, is_new: bool, must_exist: bool) -> None:
    """Make the folder of the secrets; never let a new database replace the secrets of another."""
    if is_new and must_exist:
        raise _missing(database)
    private_folder(database.path.parent)
    if is_new:
        _refuse_old_keys(database)


def _refuse_old_keys(database: Database) -> None:
    """Refuse to make a cloud where the keys of another are: its backups need them."""
    found = KeyFiles(database.path).names()
    if found:
        raise FileError(
            "secret-exists",
            f"There is no license cloud in {database.shown}, but {found[0].name} is in"
            f" {found[0].parent}.",
            "Restore the database from its backup, or move those keys away to begin anew.",
        )


def _create_folder(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise FileError(
            "folder-not-writable",
            f"The database cannot be made in {path.parent}: {error.strerror}.",
            "Check the folder's permissions and free space.",
        ) from error
