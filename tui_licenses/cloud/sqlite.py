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
