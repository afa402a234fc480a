"""The database of the license cloud: opened, migrated, read in snapshots, written by one.

SQLite runs in WAL mode with `synchronous=FULL`: what was answered survives a power cut. Writers
take the lock when they begin (`BEGIN IMMEDIATE`), so that none fails half-way. It is never
analysed: statements and indexes alone decide how it is read, the same way at every size.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError

from tui_licenses.cloud.audit_chain import SEAL_KEY, seal_key
from tui_licenses.cloud.instants import to_instant
from tui_licenses.cloud.locks import exclusive_lock
from tui_licenses.errors import FileError, UseError

if TYPE_CHECKING:
    from tui_licenses.cloud.signing_keys import CloudSigning

# The newest revision in `migrations/versions`; a test keeps the two equal.
SCHEMA_VERSION = "0003"

# 10 s: a writer holds the lock for milliseconds; whoever waits this long meets a fault.
_BUSY_TIMEOUT_MS = 10_000

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}",
)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time of day; the default clock of a store."""
    return datetime.now(UTC)


class Store:
    """An open database with the keys that sign for it and the clock that dates its changes."""

    def __init__(
        self, engine: Engine, path: Path, signing: CloudSigning, clock: Clock = utc_now
    ) -> None:
        self.engine = engine
        self.path = path
        self.signing = signing
        self.clock = clock
        self._writer = threading.Lock()

    def now(self) -> int:
        """Return the current instant as the database keeps it."""
        return to_instant(self.clock())

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a snapshot: everything read through it belongs to one moment."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that commits at the end, or leaves no trace after an exception."""
        with self._writer, self.engine.connect() as connection:
            options = {"begin_immediate": True, SEAL_KEY: seal_key(self.signing.pepper)}
            writing = connection.execution_options(**options)
            with writing.begin():
                yield writing

    def schema_version(self) -> str:
        """Return the revision of the schema in the database."""
        return read_schema_version(self.engine) or ""

    def close(self) -> None:
        """Close every connection; the files stay."""
        self.engine.dispose()


def database_path(database: str | Path) -> Path:
    """Return the file of a database given as a path or as a `sqlite:///` URL.

    Raises `UseError` (`database-unsupported`).
    """
    if isinstance(database, Path) or "://" not in database:
        return Path(database)
    try:
        url = make_url(database)
    except (ArgumentError, ValueError) as error:
        raise UseError(
            "database-unsupported",
            "This is no database URL.",
            "Give a file, or a URL such as sqlite:////var/lib/licenses/cloud.db.",
        ) from error
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        raise UseError(
            "database-unsupported",
            f"The license cloud cannot keep its data in {url.get_backend_name()} databases.",
            "Give a file, or a URL such as sqlite:////var/lib/licenses/cloud.db.",
        )
    return Path(url.database)


def connect_engine(path: Path) -> Engine:
    """Return an engine whose connections keep the promises of this module."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        # Statements carry full keys: their parameters must not reach a log or an error.
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
        # The driver would begin deferred transactions by itself; `begin` below decides instead.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("begin_immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def read_schema_version(engine: Engine) -> str | None:
    """Return the revision of the schema, or None for a database without one.

    Raises `FileError` (`database-damaged`) for a file that is no database.
    """
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            return None if found is None else str(found)
    except DatabaseError as error:
        raise _damaged() from error


def _damaged() -> FileError:
    return FileError(
        "database-damaged",
        "The database of the license cloud cannot be read.",
        "Check the path; restore the file from a backup if it is damaged.",
    )


def open_store(database: str | Path, clock: Clock = utc_now) -> Store:
    """Open a database that exists, migrating it where it is older than this program.

    Raises `UseError` (`database-missing`, `database-unsupported`, `database-newer`) and
    `FileError` (`database-damaged`).
    """
    path = database_path(database)
    if not path.exists():
        raise UseError(
            "database-missing",
            f"There is no license cloud at {path}.",
            "Make one with `tui-licenses cloud init` or `tui-licenses cloud seed`.",
        )
    store, _, _ = create_store(path, clock=clock)
    return store


def create_store(
    database: str | Path, *, lab: bool = False, clock: Clock = utc_now
) -> tuple[Store, bool, bool]:
    """Open a database, creating or migrating it where needed: (store, created, migrated).

    `lab` labels a database that is created here, and all that it signs, as a lab's.
    """
    from tui_licenses.cloud.signing_keys import load_signing

    path = database_path(database)
    created = not path.exists()
    if created:
        _create_folder(path)
    engine = connect_engine(path)
    try:
        migrated = False
        if read_schema_version(engine) != SCHEMA_VERSION:
            from tui_licenses.cloud.migrations import migrate

            with exclusive_lock(path.with_name(f"{path.stem}-migration.lock")):
                migrated = migrate(engine)
        signing = load_signing(engine, path, clock, lab=lab)
    except DatabaseError as error:
        engine.dispose()
        raise _damaged() from error
    except BaseException:
        engine.dispose()
        raise
    store = Store(engine, path, signing, clock)
    if migrated:
        from tui_licenses.cloud.operations.audit import seal_heads

        with store.write() as connection:
            seal_heads(connection)
    return store, created, migrated


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
