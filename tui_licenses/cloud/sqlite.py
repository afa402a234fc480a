"""SQLite as the database of the license cloud.

It runs in WAL mode with `synchronous=FULL`: what was answered survives a power cut. Writers take
the lock when they begin (`BEGIN IMMEDIATE`), so that none fails half-way. It is never analysed:
statements and indexes alone decide how it is read, the same way at every size.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import StaticPool

# 10 s: a writer holds the lock for milliseconds; whoever waits this long meets a fault.
_BUSY_TIMEOUT_MS = 10_000

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
)

# Before the first of `_PRAGMAS`, which would open the log for others to share.
_ALONE = ("PRAGMA locking_mode=EXCLUSIVE",)


def connect_engine(path: Path, *, alone: bool = False) -> Engine:
    """Return an engine whose connections keep the promises of this module.

    With `alone` it has one connection, which waits for nobody, and lets nobody else in from its
    first statement until the engine is disposed of.
    """
    wait_ms = 0 if alone else _BUSY_TIMEOUT_MS
    pragmas = (f"PRAGMA busy_timeout={wait_ms}", *(_ALONE if alone else ()), *_PRAGMAS)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=StaticPool if alone else None,
        # Statements carry full keys: their parameters must not reach a log or an error.
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": wait_ms / 1000},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
        # The driver would begin deferred transactions by itself; `begin` below decides instead.
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("begin_immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine
