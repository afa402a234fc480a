"""From an inventory to the rows of the list: grouped, filtered, sorted and counted.

Nothing is built for a row before somebody looks at it: a selection holds places in the default
order, and makes a `Row` of a place when it is asked for one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import itemgetter
from typing import overload

from tui_licenses.domain.instance import Instance, InstanceState
from tui_licenses.domain.license_key import KeyState, LicenseKey, group_key
from tui_licenses.domain.status import KeyStatus, key_status
from tui_licenses.service.inventory import Inventory
from tui_licenses.state.app_state import View
from tui_licenses.state.columns import (
    NOT_ASSIGNED,
    features_text,
    find_column,
    instant_text,
    location_text,
    status_text,
    version_text,
)
from tui_licenses.text import clean

NOT_ASSIGNED_ID = "not-assigned"

# What a place is, where it is not the number of a key in its group.
_HEADING, _INSTANCE = -2, -1


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


@dataclass(frozen=True, slots=True)
class Group:
    """One instance with its keys, master first; without an instance, the keys of nobody."""

    instance: Instance | None
    keys: tuple[LicenseKey, ...]
    add_on_count: int
    master_state: KeyState | None


class Estate:
    """An inventory in its default order, with one lower-cased text for each row to search in."""

    def __init__(self, inventory: Inventory) -> None:
        self.groups = _group(inventory)
        self.group_numbers = array("l")
        self.key_numbers = array("l")
        self.is_add_on = bytearray()
        self._places: dict[str, int] = {}
        self._texts: list[str] = []
        is_heading_due = True
        for number, group in enumerate(self.groups):
            if is_heading_due and not _is_assigned(group):
                self._add(number, _HEADING, False, NOT_ASSIGNED_ID)
                is_heading_due = False
            if group.instance is not None:
                self._add(number, _INSTANCE, False, group.instance.id)
            for key_number, key in enumerate(group.keys):
                self._add(number, key_number, not key.is_master, key.id)

    def __len__(self) -> int:
        return len(self.group_numbers)

    def _add(self, group_number: int, key_number: int, is_add_on: bool, row_id: str) -> None:
        self._places[row_id] = len(self.group_numbers)
        self.group_numbers.append(group_number)
        self.key_numbers.append(key_number)
        self.is_add_on.append(is_add_on)

    def place_of(self, row_id: str) -> int | None:
        """Return the place of a row in the default order."""
        return self._places.get(row_id)

    def row(self, place: int, view: View, now: datetime) -> Row:
        """Make the row of a place."""
        group = self.groups[self.group_numbers[place]]
        number = self.key_numbers[place]
        if number == _HEADING:
            return Row(NOT_ASSIGNED_ID, RowKind.HEADING, None, None, None, 0, 0)
        instance = group.instance
        if number == _INSTANCE:
            assert instance is not None
            return Row(
                instance.id,
                RowKind.INSTANCE,
                instance,
                None,
                instance.state,
                group.add_on_count,
                0,
            )
        key = group.keys[number]
        status = key_status(key, now, view.expiring_days, group.master_state)
        is_current = instance is not None and key.id == instance.master_key_id
        count = group.add_on_count if is_current else 0
        depth = 1 if key.is_master or instance is None else 2
        return Row(key.id, RowKind.KEY, instance, key, status, count, depth)

    def prepare(self, count: int, view: View, now: datetime) -> bool:
        """Make the search texts of the next `count` rows; says whether all are made."""
        start = len(self._texts)
        for place in range(start, min(len(self), start + count)):
            self._texts.append(self._text(place, view, now))
        return len(self._texts) == len(self)

    def texts(self, view: View, now: datetime) -> list[str]:
        """Return the search text of every row, in the default order."""
        self.prepare(len(self), view, now)
        return self._texts

    def _text(self, place: int, view: View, now: datetime) -> str:
        row = self.row(place, view, now)
        if row.kind is RowKind.HEADING:
            # Never found by itself: it stands where one of its rows is found.
            return ""
        instance, key = row.instance, row.key
        parts = [
            "" if instance is None else clean(instance.name),
            "" if instance is not None and instance.master_key_id else NOT_ASSIGNED,
            location_text(instance),
            version_text(instance),
            status_text(row.status),
        ]
        if instance is not None and instance.location.label:
            parts.append(clean(instance.location.label))
        if key is not None:
            parts += [group_key(key.key), key.key, features_text(key), clean(key.product_name)]
            parts.append("master" if key.is_master else "add-on")
            parts.append(instant_text(key.updated_at, view))
        elif instance is not None:
            parts.append(instant_text(instance.updated_at, view))
        return "\n".join(parts).lower()


class Rows(Sequence[Row]):
    """Rows that are made when they are looked at."""

    def __init__(self, estate: Estate, places: Sequence[int], view: View, now: datetime) -> None:
        self._estate = estate
        self._places = places
        self._view = view
        self._now = now

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> Row | Rows:
        if isinstance(index, slice):
            return Rows(self._estate, self._places[index], self._view, self._now)
        return self._estate.row(self._places[index], self._view, self._now)

    def __iter__(self) -> Iterator[Row]:
        for place in self._places:
            yield self._estate.row(place, self._view, self._now)

    def index_of(self, row_id: str) -> int | None:
        """Return where the row with an id stands among these rows."""
        place = self._estate.place_of(row_id)
        if place is None:
            return None
        try:
            return self._places.index(place)
        except ValueError:
            return None

    def ids(self) -> frozenset[str]:
        """Return the ids of these rows but the heading, without making a row."""
        ids = tuple(self._estate._places)
        return frozenset(map(ids.__getitem__, self._places)) - {NOT_ASSIGNED_ID}


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows to show, and how many instances, keys and hidden add-ons there are.

    The counts are of what matches the filter; `total_count` is what there would be without one.
    """

    rows: Rows
    instance_count: int
    key_count: int
    hidden_add_on_count: int
    total_count: int


class Selector:
    """Selects rows again and again from one inventory, remembering what does not change."""

    def __init__(self) -> None:
        self._inventory: Inventory | None = None
        self._estate: Estate | None = None
        self._last_hits: tuple[str, Sequence[int]] | None = None
        self._view = View()

    def estate(self, inventory: Inventory, view: View) -> Estate:
        """Return the inventory in its default order; built anew only if rows have changed."""
        known = self._inventory
        is_same = known is not None and (
            known.keys is inventory.keys and known.instances is inventory.instances
        )
        # Times are part of the search texts.
        if self._estate is None or not is_same or view.show_utc != self._view.show_utc:
            self._estate = Estate(inventory)
            self._last_hits = None
        self._inventory = inventory
        self._view = view
        return self._estate

    def select(self, inventory: Inventory, view: View, now: datetime) -> Selection:
        """Return the rows of an inventory as a view asks for them."""
        estate = self.estate(inventory, view)
        places = self._filtered(estate, view, now)
        is_add_on, key_numbers = estate.is_add_on, estate.key_numbers
        hidden = 0
        if not view.show_add_ons:
            shown = [place for place in places if not is_add_on[place]]
            hidden = len(places) - len(shown)
            places = shown
        instances = keys = 0
        for place in places:
            number = key_numbers[place]
            keys += number >= 0
            instances += number == _INSTANCE
        if view.sort.column_id is not None:
            places = _sorted(estate, places, view, now)
        rows = Rows(estate, places, view, now)
        return Selection(rows, instances, keys, hidden, len(estate))

    def _filtered(self, estate: Estate, view: View, now: datetime) -> Sequence[int]:
        text = view.filter_text.strip().lower()
        if not text:
            self._last_hits = None
            return range(len(estate))
        texts = estate.texts(view, now)
        last = self._last_hits
        # A longer query can only match fewer rows: look among the hits of the shorter one.
        candidates = last[1] if last is not None and text.startswith(last[0]) else range(len(texts))
        first, *others = text.split()
        hits = [place for place in candidates if first in texts[place]]
        for term in others:
            hits = [place for place in hits if term in texts[place]]
        self._last_hits = (text, hits)
        return _with_headers(estate, hits)


def select_rows(inventory: Inventory, view: View, now: datetime) -> Selection:
    """Return the rows of an inventory as a view asks for them: filtered, sorted, grouped.

    The last group, "Not assigned", has a heading and holds instances without a master and keys
    without an instance.
    """
    return Selector().select(inventory, view, now)


def _with_headers(estate: Estate, hits: Sequence[int]) -> list[int]:
    """Put the row of its instance above every key that was found, and the heading of its group."""
    group_numbers, key_numbers = estate.group_numbers, estate.key_numbers
    places: list[int] = []
    heading = estate.place_of(NOT_ASSIGNED_ID)
    headed = -1
    for place in hits:
        number = group_numbers[place]
        if number != headed:
            headed = number
            if heading is not None and place > heading and (not places or places[-1] < heading):
                places.append(heading)
            start = place
            while start and group_numbers[start - 1] == number and key_numbers[start] != _INSTANCE:
                start -= 1
            if start != place and key_numbers[start] == _INSTANCE:
                places.append(start)
        places.append(place)
    return places


def _sorted(estate: Estate, places: Sequence[int], view: View, now: datetime) -> list[int]:
    """Sort the keys within each instance, and the instances by the first of theirs."""
    assert view.sort.column_id is not None
    sort_key = find_column(view.sort.column_id).sort_key
    descending = view.sort.is_descending
    blocks: list[tuple[object, list[int]]] = []
    last: list[tuple[object, list[int]]] = []
    heading: list[int] = []
    by_group: dict[int, list[int]] = {}
    for place in places:
        if estate.key_numbers[place] == _HEADING:
            heading = [place]
        else:
            by_group.setdefault(estate.group_numbers[place], []).append(place)
    for number, block in by_group.items():
        heads = [place for place in block if estate.key_numbers[place] == _INSTANCE]
        valued = [
            (sort_key(estate.row(place, view, now)), place)
            for place in block
            if estate.key_numbers[place] >= 0
        ]
        valued.sort(key=itemgetter(0), reverse=descending)
        value = valued[0][0] if valued else sort_key(estate.row(heads[0], view, now))
        ordered = heads + [place for _, place in valued]
        target = blocks if _is_assigned(estate.groups[number]) else last
        target.append((value, ordered))
    for found in (blocks, last):
        found.sort(key=itemgetter(0), reverse=descending)
    return [
        *(place for _, block in blocks for place in block),
        *heading,
        *(place for _, block in last for place in block),
    ]


def _is_assigned(group: Group) -> bool:
    return group.instance is not None and group.instance.master_key_id is not None


def _group(inventory: Inventory) -> list[Group]:
    """Group the keys by instance, in the default order (docs/protocol.md, Conventions)."""
    by_instance: dict[str | None, list[LicenseKey]] = {}
    known = {instance.id for instance in inventory.instances}
    for key in inventory.keys:
        # While pages arrive a key can be there before its instance: it waits for it.
        if key.instance_id is None or key.instance_id in known:
            by_instance.setdefault(key.instance_id, []).append(key)
    shown = [
        instance for instance in inventory.instances if instance.state is not InstanceState.RETIRED
    ]
    shown.sort(
        key=lambda instance: (
            instance.master_key_id is None,
            instance.name.casefold(),
            instance.name,
            instance.id,
        )
    )
    groups = [_group_of(instance, by_instance.get(instance.id, ())) for instance in shown]
    loose = by_instance.get(None)
    if loose:
        groups.append(Group(None, tuple(sorted(loose, key=_loose_order)), 0, None))
    return groups


def _group_of(instance: Instance, keys: Sequence[LicenseKey]) -> Group:
    ordered = (
        keys
        if len(keys) < 2
        else sorted(
            keys,
            key=lambda key: (
                not key.is_master,
                key.id != instance.master_key_id,
                key.activated_at or key.issued_at,
                key.id,
            ),
        )
    )
    master_state = next((key.state for key in ordered if key.id == instance.master_key_id), None)
    add_ons = sum(not key.is_master for key in ordered)
    return Group(instance, tuple(ordered), add_ons, master_state)


def _loose_order(key: LicenseKey) -> tuple[bool, str, str]:
    return not key.is_master, key.product_name.casefold(), key.id
