"""The rows of an inventory in their default order, as columns: nothing is made before it is seen.

A row has a place. What is asked of every row (its kind, its status, its last update) is answered
as one byte or number for each place, so that 100,000 rows are asked at the speed of memory.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, cached_property
from itertools import accumulate, compress

from tui_licenses.domain.instance import Instance, InstanceState
from tui_licenses.domain.inventory import Inventory, group_places
from tui_licenses.domain.license_key import KeyKind, KeyState, LicenseKey
from tui_licenses.domain.packed import NO_INSTANT, microseconds
from tui_licenses.domain.status import KeyStatus, is_blocking, key_status, status_of
from tui_licenses.state.app_state import View
from tui_licenses.state.columns import STATUSES

NOT_ASSIGNED_ID = "not-assigned"

# What stands at a place; one byte each.
INSTANCE, MASTER, ADD_ON, HEADING = range(4)
NO_STATUS = len(STATUSES)

_INSTANCE = bytes((INSTANCE,))
_BYTES = array("i").itemsize

# The bits of what decides a status: the state below them.
_EXPIRED, _PENDING, _EXPIRING, _BLOCKED = (1 << bit for bit in range(3, 7))
_STATES = tuple(KeyState)


class RowKind(StrEnum):
    """What a row stands for; a heading names the last group and is neither."""

    INSTANCE = "instance"
    KEY = "key"
    HEADING = "heading"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: an instance, one of its keys, or the heading of the last group.

    `instance` is set on key rows too, `key` on those only. `add_on_count` is how many add-ons
    belong to the instance, on its own row and on that of its current master; `depth` is how far
    to indent.
    """

    id: str
    kind: RowKind
    instance: Instance | None
    key: LicenseKey | None
    status: KeyStatus | InstanceState | None
    add_on_count: int
    depth: int


def _number(number: int) -> bytes:
    return number.to_bytes(_BYTES, sys.byteorder, signed=True)


# In place of a key or an instance.
_NOTHING = _number(-1)


class Estate:
    """An inventory in the order of its rows.

    For each place: `kinds`, `instance_places` and `key_places` (places in the tables of the
    inventory, -1 for none). For each group (an instance with its keys, or the keys of nobody):
    where it starts; `group_starts` ends with the number of places. `heading` is the place of the
    heading of those that are not assigned.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.kinds = bytearray()
        self.instance_places = array("i")
        self.key_places = array("i")
        self.group_starts = array("i")
        self.heading: int | None = None
        self._arrange()

    def __len__(self) -> int:
        return len(self.kinds)

    def _arrange(self) -> None:
        instances, keys = self.inventory.instances, self.inventory.keys
        groups = group_places(instances, keys)
        kinds, order = _kinds_of_keys(self.inventory), array("i", range(len(groups)))
        # Pages that arrive may bring a key before its instance.
        if groups != sorted(groups):
            order = array("i", sorted(order, key=groups.__getitem__))
            kinds = bytes(map(kinds.__getitem__, order))
        counts = Counter(groups)
        sizes = [counts[place] for place in range(len(instances))]
        starts = [0, *accumulate(sizes)]
        is_hidden = instances.columns.states.are(InstanceState.RETIRED)
        is_unlicensed = instances.columns.masters.are_absent()
        # Retired instances are hidden with their keys.
        shown = [place for place in range(len(instances)) if not is_hidden[place]]
        spans = [(starts[place], starts[place + 1]) for place in shown]
        unassigned = next((n for n, place in enumerate(shown) if is_unlicensed[place]), None)
        # Block by block, as bytes: to add rows one by one takes three times as long.
        order_bytes = order.tobytes()
        kind_blocks = [_INSTANCE + kinds[start:end] for start, end in spans]
        key_blocks = [_NOTHING + order_bytes[_BYTES * start : _BYTES * end] for start, end in spans]
        instance_blocks = [_number(place) * (sizes[place] + 1) for place in shown]
        loose = counts[len(instances)]
        if loose:
            start, end = starts[-1], starts[-1] + loose
            kind_blocks.append(kinds[start:end])
            key_blocks.append(order_bytes[_BYTES * start : _BYTES * end])
            instance_blocks.append(_NOTHING * loose)
            if unassigned is None:
                unassigned = len(shown)
        self.group_starts.extend((0, *accumulate(map(len, kind_blocks))))
        if unassigned is not None:
            self.heading = self.group_starts[unassigned]
            later = self.group_starts[unassigned:]
            self.group_starts[unassigned:] = array("i", [start + 1 for start in later])
            for blocks, head in (
                (kind_blocks, bytes((HEADING,))),
                (key_blocks, _NOTHING),
                (instance_blocks, _NOTHING),
            ):
                blocks.insert(unassigned, head)
        self.kinds += b"".join(kind_blocks)
        self.key_places.frombytes(b"".join(key_blocks))
        self.instance_places.frombytes(b"".join(instance_blocks))

    def groups(self) -> Iterator[tuple[int, int]]:
        """Give the first place of each group and the one after its last."""
        return map(self._group, range(len(self.group_starts) - 1))

    def group_of(self, place: int) -> tuple[int, int]:
        """Return the first place of a row's group and the one after its last."""
        return self._group(bisect_right(self.group_starts, place) - 1)

    def _group(self, number: int) -> tuple[int, int]:
        start, following = self.group_starts[number], self.group_starts[number + 1]
        # The heading stands between two groups and belongs to none.
        return start, following - 1 if following - 1 == self.heading else following

    def place_of(self, row_id: str) -> int | None:
        """Return the place of a row in the default order."""
        if row_id == NOT_ASSIGNED_ID:
            return self.heading
        for table, places in (
            (self.inventory.instances, self.instance_places),
            (self.inventory.keys, self.key_places),
        ):
            found = table.place_of(row_id)
            if found is not None:
                try:
                    # The first row of a group is its instance.
                    return places.index(found)
                except ValueError:
                    return None
        return None

    def row_id(self, place: int) -> str:
        """Return the id of a row."""
        kind = self.kinds[place]
        if kind == HEADING:
            return NOT_ASSIGNED_ID
        if kind == INSTANCE:
            return self.inventory.instances.columns.ids[self.instance_places[place]]
        return self.inventory.keys.columns.ids[self.key_places[place]]

    def row(self, place: int, view: View, now: datetime) -> Row:
        """Make the row of a place."""
        kind = self.kinds[place]
        if kind == HEADING:
            return Row(NOT_ASSIGNED_ID, RowKind.HEADING, None, None, None, 0, 0)
        instance_place = self.instance_places[place]
        instance = None if instance_place < 0 else self.inventory.instances[instance_place]
        if kind == INSTANCE:
            assert instance is not None
            count = self._add_on_count(place)
            return Row(instance.id, RowKind.INSTANCE, instance, None, instance.state, count, 0)
        key = self.inventory.keys[self.key_places[place]]
        master_state = None if instance is None else self._master_state(place, instance)
        status = key_status(key, now, view.expiring_days, master_state)
        is_current = instance is not None and key.id == instance.master_key_id
        count = self._add_on_count(place) if is_current else 0
        depth = 1 if key.is_master or instance is None else 2
        return Row(key.id, RowKind.KEY, instance, key, status, count, depth)

    def _add_on_count(self, place: int) -> int:
        start, end = self.group_of(place)
        return self.kinds.count(ADD_ON, start, end)

    def _master_state(self, place: int, instance: Instance) -> KeyState | None:
        start, end = self.group_of(place)
        columns = self.inventory.keys.columns
        for other in range(start + 1, end):
            if self.kinds[other] != MASTER:
                break
            key_place = self.key_places[other]
            if columns.ids[key_place] == instance.master_key_id:
                return columns.states[key_place]
        return None

    @cached_property
    def updated(self) -> array[int]:
        """Return the last update of each row in microseconds since 1970."""
        instances = self.inventory.instances.columns.updated.numbers
        keys = self.inventory.keys.columns.updated.numbers
        return array(
            "q",
            [
                (0 if instance < 0 else instances[instance]) if key < 0 else keys[key]
                for instance, key in zip(self.instance_places, self.key_places, strict=True)
            ],
        )

    def statuses(self, view: View, now: datetime) -> bytes:
        """Return the status of each row as a place in `STATUSES`, `NO_STATUS` for a heading."""
        flags = _clock_flags(self.inventory, view, now)
        # Places of -1 take the last byte; their status is set below.
        by_row = bytearray(map((flags + b"\0").__getitem__, self.key_places))
        for start, end in self._blocked_groups():
            for place in range(start, end):
                if self.kinds[place] == ADD_ON:
                    by_row[place] |= _BLOCKED
        found = by_row.translate(_status_table())
        states = self.inventory.instances.columns.states
        for start, _ in self.groups():
            if self.kinds[start] == INSTANCE:
                state = states[self.instance_places[start]]
                found[start] = len(KeyStatus) + states.numbers[self.instance_places[start]]
                assert STATUSES[found[start]] is state
        if self.heading is not None:
            found[self.heading] = NO_STATUS
        return bytes(found)

    def _blocked_groups(self) -> Iterator[tuple[int, int]]:
        columns = self.inventory.keys.columns
        blocking = bytes(is_blocking(state) for state in _STATES).ljust(256, b"\0")
        states = bytes(columns.states.numbers[: len(self.inventory.keys)]).translate(blocking)
        for key_place in compress(range(len(states)), states):
            if columns.products[key_place].kind is not KeyKind.MASTER:
                continue
            try:
                place = self.key_places.index(key_place)
            except ValueError:
                continue
            instance_place = self.instance_places[place]
            if instance_place < 0:
                continue
            current = self.inventory.instances.columns.masters[instance_place]
            if columns.ids[key_place] == current:
                yield self.group_of(place)


def _kinds_of_keys(inventory: Inventory) -> bytes:
    products = inventory.keys.columns.products
    kinds = [
        MASTER if products.value(number).kind is KeyKind.MASTER else ADD_ON
        for number in range(products.pool_size)
    ]
    return bytes(map(kinds.__getitem__, products.numbers[: len(inventory.keys)]))


def _clock_flags(inventory: Inventory, view: View, now: datetime) -> bytes:
    """Return state and flags of each key, as `_status_table` reads them."""
    columns, count = inventory.keys.columns, len(inventory.keys)
    instant = microseconds(now)
    soon = microseconds(now + timedelta(days=view.expiring_days))
    expires, starts = columns.expires.numbers[:count], columns.starts.numbers[:count]

    def flag(bit: int, answers: bytes) -> int:
        return int.from_bytes(answers, "little") * bit

    ends = int.from_bytes(bytes(map(NO_INSTANT.__lt__, expires)), "little")
    # One byte for each key, so that no bit of one reaches another.
    flags = int.from_bytes(columns.states.numbers[:count], "little")
    flags |= ends * _EXPIRED & flag(_EXPIRED, bytes(map(instant.__ge__, expires)))
    flags |= ends * _EXPIRING & flag(_EXPIRING, bytes(map(soon.__ge__, expires)))
    flags |= flag(_PENDING, bytes(map(instant.__lt__, starts)))
    return flags.to_bytes(count, "little")


@cache
def _status_table() -> bytes:
    """Return the place in `STATUSES` for each byte of state and flags."""
    table = bytearray()
    for code in range(256):
        state = _STATES[min(code % _EXPIRED, len(_STATES) - 1)]
        status = status_of(
            state,
            is_blocked=bool(code & _BLOCKED),
            is_expired=bool(code & _EXPIRED),
            is_pending=bool(code & _PENDING),
            is_expiring=bool(code & _EXPIRING),
        )
        table.append(STATUSES.index(status))
    return bytes(table)
