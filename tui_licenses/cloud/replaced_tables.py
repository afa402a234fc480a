"""Tables on a PostgreSQL server that take the place of others, in one transaction.

Those before are moved into a schema of their own and kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from tui_licenses.cloud import tables
from tui_licenses.cloud.database import Database
from tui_licenses.cloud.postgresql import explain, lock_opening
from tui_licenses.cloud.replacement import Fill, HeldDatabase, in_use
from tui_licenses.cloud.store import Engines

# What the migrations make beside the tables.
_FUNCTION = "refuse_event_change()"
_HAS_FUNCTION = text("SELECT to_regprocedure(:name) IS NOT NULL")
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


@contextmanager
def held_tables(database: Database) -> Iterator[HeldDatabase]:
    """Hold the tables of a database until new ones have taken their place, or nothing was done.

    Raises `StateError` (`database-in-use`), and what `postgresql.explain` returns.
    """
    engines = Engines.of(database)
    try:
        with engines.writing.connect() as connection, connection.begin():
            lock_opening(connection)
            if _has_others(connection):
                raise in_use(database)
            ours = _lock_tables(connection)

            def replace(now: datetime, fill: Fill) -> str | None:
                aside = _move_aside(connection, ours, f"before_restore_{now:%Y%m%dt%H%M%S%f}")
                fill(engines, connection)
                return aside

            yield HeldDatabase(connection, replace)
    except DBAPIError as error:
        raise explain(error, database.url) from error
    finally:
        engines.dispose()


def _has_others(connection: Connection) -> bool:
    return bool(connection.execute(_OTHERS).scalar())


def _lock_tables(connection: Connection) -> list[str]:
    """Lock the tables of a cloud against everybody, and return their names."""
    names = inspect(connection).get_table_names()
    ours = [name for name in names if name in {*tables.metadata.tables, "alembic_version"}]
    if ours:
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(ours)} IN ACCESS EXCLUSIVE MODE")
    return ours


def _move_aside(connection: Connection, ours: list[str], schema: str) -> str | None:
    if not ours:
        return None
    connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    for name in ours:
        connection.exec_driver_sql(f"ALTER TABLE {name} SET SCHEMA {schema}")
    # A database with which somebody meddled must not be the one that cannot be replaced.
    if connection.execute(_HAS_FUNCTION, {"name": _FUNCTION}).scalar():
        connection.exec_driver_sql(f"ALTER FUNCTION {_FUNCTION} SET SCHEMA {schema}")
    return schema
