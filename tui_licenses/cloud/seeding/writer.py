"""Rows of the seed on their way into the database: numbered, counted, inserted in chunks."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Index, Table, insert, update

from tui_licenses.cloud import tables
from tui_licenses.cloud.audit_chain import LINKED, NO_HEAD, link
from tui_licenses.cloud.operations.audit import set_head
from tui_licenses.cloud.operations.tallies import fill_tallies
from tui_licenses.domain.instance import InstanceState
from tui_licenses.domain.license_key import KeyKind

Columns = dict[str, Any]

# Enough to make the cost of a statement vanish, small enough to keep a million keys in bounds.
_CHUNK_ROWS = 10_000

# In the order of their references to each other.
_TABLES: tuple[Table, ...] = (
    tables.instance,
    tables.instance_word,
    tables.profile,
    tables.activation,
    tables.license_key,
)


def _indexes() -> list[Index]:
    """Return the indexes of the tables written here, in the same order each time."""
    found = [index for table in _TABLES for index in table.indexes]
    return sorted(found, key=lambda index: str(index.name))


class SeedWriter:
    """Collects rows and writes them; the counters of the accounts follow from the rows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # Filling an index once at the end costs a third of keeping it row by row.
        for index in _indexes():
            index.drop(connection)
        self._rows: dict[str, list[Columns]] = {table.name: [] for table in _TABLES}
        self._waiting = 0
        self._sequences: dict[str, int] = defaultdict(int)
        self._events: dict[str, list[Columns]] = defaultdict(list)
        self._counts: dict[tuple[str, str], int] = defaultdict(int)
        self.instance_count = 0
        self.key_count = 0

    def add(self, table: Table, row: Columns) -> None:
        """Take a row; instances and keys get the next number of their account."""
        account_id = str(row.get("account_id", ""))
        if table is tables.instance:
            row["sequence"] = self._next(account_id)
            self.instance_count += 1
            if row["state"] != InstanceState.RETIRED:
                self._counts[account_id, "instance_count"] += 1
        elif table is tables.license_key:
            row["sequence"] = self._next(account_id)
            row["shown_state"] = row["state"]
            self.key_count += 1
            self._counts[account_id, "key_count"] += 1
            if row["kind"] == KeyKind.ADD_ON:
                self._counts[account_id, "add_on_count"] += 1
        elif table is tables.event:
            # Numbered at the end, in the order of their instants.
            self._events[account_id].append(row)
            return
        self._rows[table.name].append(row)
        self._waiting += 1

    def flush_if_full(self) -> None:
        """Write what waits, if it is a chunk; only between objects that refer to each other."""
        if self._waiting >= _CHUNK_ROWS:
            self._flush()

    def finish(self, account_ids: tuple[str, ...]) -> None:
        """Write the rest and what is counted from the rows."""
        self._flush()
        for index in _indexes():
            index.create(self._connection)
        fill_tallies(self._connection)
        for events in self._events.values():
            self._write_events(events)
        table = tables.account
        for account_id in account_ids:
            self._connection.execute(
                update(table)
                .where(table.c.id == account_id)
                .values(
                    sequence=self._sequences[account_id],
                    event_count=len(self._events[account_id]),
                    instance_count=self._counts[account_id, "instance_count"],
                    key_count=self._counts[account_id, "key_count"],
                    add_on_count=self._counts[account_id, "add_on_count"],
                )
            )

    def _write_events(self, events: list[Columns]) -> None:
        events.sort(key=lambda row: int(row["at"]))
        head = NO_HEAD
        for number, row in enumerate(events, 1):
            row["sequence"] = number
            row["link"] = head = link(head, [row.get(name) for name in LINKED])
        self._connection.execute(insert(tables.event), events)
        set_head(self._connection, str(events[0]["account_id"]), len(events), head)

    def _next(self, account_id: str) -> int:
        self._sequences[account_id] += 1
        return self._sequences[account_id]

    def _flush(self) -> None:
        for table in _TABLES:
            rows = self._rows[table.name]
            if rows:
                self._connection.execute(insert(table), rows)
                rows.clear()
        self._waiting = 0
