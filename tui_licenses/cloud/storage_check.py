"""Checks how a database is stored: what its engine can find out, and every reference."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, ForeignKeyConstraint, and_, func, select, text

from tui_licenses.cloud import tables
from tui_licenses.cloud.findings import Finding

# Rules that are in the schema and not kept: made with NOT VALID, or built and never finished.
_RULES_NOT_KEPT = text(
    "SELECT conname FROM pg_constraint WHERE NOT convalidated"
    " UNION ALL SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
    " WHERE NOT (indisvalid AND indisready)"
)


def check_storage(connection: Connection) -> Iterator[Finding]:
    """Find damaged pages and references to rows that are not there."""
    if connection.dialect.name == "sqlite":
        yield from _check_sqlite(connection)
    else:
        yield from _check_postgresql(connection)


def _check_sqlite(connection: Connection) -> Iterator[Finding]:
    for (message,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if message != "ok":
            yield Finding("database-damaged", "database", f"SQLite reports: {message}.")
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield _dangling(f"{row[0]} row {row[1]}", row[2])


def _check_postgresql(connection: Connection) -> Iterator[Finding]:
    from tui_licenses.cloud.postgresql import lift_limits

    # To read everything takes as long as it takes; damaged pages end it.
    lift_limits(connection)
    for (name,) in connection.execute(_RULES_NOT_KEPT):
        yield Finding("database-damaged", "database", f"PostgreSQL does not keep the rule {name}.")
    for table in tables.metadata.sorted_tables:
        connection.execute(select(func.count()).select_from(table)).one()
        for reference in table.foreign_key_constraints:
            yield from _check_reference(connection, reference)


def _check_reference(connection: Connection, reference: ForeignKeyConstraint) -> Iterator[Finding]:
    """Look for rows whose reference leads nowhere: triggers that keep it can be switched off."""
    table, referred = reference.table, reference.referred_table
    named = [column for column in reference.columns if column.name is not None]
    pairs = zip(named, (element.column for element in reference.elements), strict=True)
    there = select(referred).where(and_(*(own == other for own, other in pairs))).exists()
    given = and_(*(column.is_not(None) for column in named))
    rows = connection.execute(select(*table.primary_key.columns).where(given, ~there))
    for row in rows:
        yield _dangling(f"{table.name} {' '.join(map(str, row))}", referred.name)


def _dangling(target: str, referred: str) -> Finding:
    return Finding(
        "dangling-reference", target, f"It refers to a row of {referred} that is not there."
    )
