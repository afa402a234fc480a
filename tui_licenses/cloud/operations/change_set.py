"""The rows one operation changes, written together with their revisions and change numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from tui_licenses.cloud import tables
from tui_licenses.cloud.conflicts import RowMovedError
from tui_licenses.cloud.operations.accounts import take_sequences
from tui_licenses.cloud.operations.tallies import settle_shown_states
from tui_licenses.cloud.rows import AnyRow
from tui_licenses.cloud.search import name_order, words
from tui_licenses.domain.license_key import KeyKind

# Lower than every character of a name: "Berlin" stands before "Berlin 2".
_SEPARATOR = "\x01"
# What the positions of assigned and of unassigned keys begin with.
_ASSIGNED, FIRST_UNASSIGNED = "0", "1"


_KINDS_ON_INSTANCE = (
    select(tables.license_key.c.kind, func.count())
    .where(tables.license_key.c.instance_id == bindparam("instance_id"))
    .group_by(tables.license_key.c.kind)
)


def assigned_position(
    instance_name: str, instance_id: str, kind: str, activated_at: int, key_id: str
) -> str:
    """Return the place of an assigned key: instance, then the master, then by activation."""
    rank = 0 if kind == KeyKind.MASTER else 1
    return _SEPARATOR.join(
        (
            f"{_ASSIGNED}{name_order(instance_name)}",
            instance_id,
            f"{rank}{activated_at:017d}",
            key_id,
        )
    )


def unassigned_position(kind: str, product_code: str, key_id: str) -> str:
    """Return the place of a key without an instance: after all others, masters first."""
    rank = 0 if kind == KeyKind.MASTER else 1
    return _SEPARATOR.join((f"{FIRST_UNASSIGNED}{rank}", product_code, key_id))


def write_instance_words(
    connection: Connection, account_id: str, instance_id: str, name: str
) -> None:
    """Replace the words an instance is found by."""
    table = tables.instance_word
    connection.execute(delete(table).where(table.c.instance_id == instance_id))
    rows = [
        {"account_id": account_id, "word": word, "instance_id": instance_id} for word in words(name)
    ]
    if rows:
        connection.execute(insert(table), rows)


@dataclass(slots=True)
class _KeyChange:
    row: AnyRow
    values: dict[str, object]
    counts_as_change: bool


@dataclass(slots=True)
class ChangeSet:
    """Collects changes; `apply` writes them in the order they were collected.

    Keys and instances of several accounts may be in one set: each account numbers its own.
    """

    now: int
    _keys: dict[str, _KeyChange] = field(default_factory=dict)
    _instances: dict[str, tuple[AnyRow, dict[str, object]]] = field(default_factory=dict)

    def change_key(self, row: AnyRow, **values: object) -> None:
        """Change members of a key: its revision and `updatedAt` follow."""
        self._keys[row.id] = _KeyChange(row, values, counts_as_change=True)

    def touch_key(self, row: AnyRow) -> None:
        """Announce a key whose reader sees another instance name or status, nothing stored."""
        if row.id not in self._keys:
            self._keys[row.id] = _KeyChange(row, {}, counts_as_change=False)

    def change_instance(self, row: AnyRow, **values: object) -> None:
        """Change members of an instance; its key counts are taken from its keys."""
        _, known = self._instances.get(row.id, (row, {}))
        self._instances[row.id] = (row, {**known, **values})

    def apply(self, connection: Connection) -> None:
        """Write everything; raises `RowMovedError` if a row moved meanwhile."""
        numbers = self._take_numbers(connection)
        for change in self._keys.values():
            self._write_key(connection, change, next(numbers[change.row.account_id]))
        for row, values in self._instances.values():
            self._write_instance(connection, row, values, next(numbers[row.account_id]))
        settle_shown_states(connection, self._keys, self._instances)

    def _take_numbers(self, connection: Connection) -> Mapping[str, _Numbers]:
        wanted: dict[str, int] = {}
        for account_id in (
            *(change.row.account_id for change in self._keys.values()),
            *(row.account_id for row, _ in self._instances.values()),
        ):
            wanted[account_id] = wanted.get(account_id, 0) + 1
        # In the order of ids, so that two writers on PostgreSQL never wait for each other.
        return {
            account_id: _Numbers(take_sequences(connection, account_id, wanted[account_id]))
            for account_id in sorted(wanted)
        }

    def _write_key(self, connection: Connection, change: _KeyChange, sequence: int) -> None:
        row, table = change.row, tables.license_key
        values = {**change.values, "sequence": sequence, "position": self._position(change)}
        if change.counts_as_change:
            values |= {"revision": row.revision + 1, "updated_at": self.now}
        written = connection.execute(
            update(table)
            .where(table.c.id == row.id, table.c.revision == row.revision)
            .values(**values)
        )
        _require_one(written.rowcount)

    def _position(self, change: _KeyChange) -> str:
        row, values = change.row, change.values
        instance_id = values.get("instance_id", row.instance_id)
        if not isinstance(instance_id, str):
            return unassigned_position(row.kind, row.product_code, row.id)
        activated_at = values.get("activated_at", row.activated_at)
        instance_row, instance_values = self._instances.get(instance_id, (None, {}))
        name = instance_values.get("name")
        if name is None:
            name = row.instance_name if instance_row is None else instance_row.name
        return assigned_position(
            str(name),
            instance_id,
            row.kind,
            activated_at if isinstance(activated_at, int) else 0,
            row.id,
        )

    def _write_instance(
        self, connection: Connection, row: AnyRow, values: dict[str, object], sequence: int
    ) -> None:
        table = tables.instance
        found = connection.execute(_KINDS_ON_INSTANCE, {"instance_id": row.id})
        counts: dict[str, int] = dict(found.all())
        written = connection.execute(
            update(table)
            .where(table.c.id == row.id, table.c.revision == row.revision)
            .values(
                **values,
                key_count=sum(counts.values()),
                add_on_count=counts.get(KeyKind.ADD_ON, 0),
                revision=row.revision + 1,
                updated_at=self.now,
                sequence=sequence,
            )
        )
        _require_one(written.rowcount)
        name = values.get("name")
        if isinstance(name, str):
            write_instance_words(connection, row.account_id, row.id, name)


class _Numbers:
    """The change numbers reserved for one account, given out one by one."""

    def __init__(self, first: int) -> None:
        self._next = first

    def __next__(self) -> int:
        number = self._next
        self._next += 1
        return number


def _require_one(row_count: int) -> None:
    if row_count != 1:
        raise RowMovedError
