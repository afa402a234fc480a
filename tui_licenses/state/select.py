"""From an inventory to the rows of the list: filtered, sorted and counted.

Nothing is built for a row before somebody looks at it: a selection holds places in the default
order, and makes a `Row` of a place when it is asked for one.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import compress, pairwise
from typing import TYPE_CHECKING, overload

from tui_licenses.domain.inventory import Inventory
from tui_licenses.state.app_state import View
from tui_licenses.state.estate import ADD_ON, HEADING, INSTANCE, Estate, Row

if TYPE_CHECKING:
    from tui_licenses.state.search import Search

# How long a status may be searched and shown after the instant it ended.
STATUS_STANDS = timedelta(minutes=10)


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
        kinds, row_id = self._estate.kinds, self._estate.row_id
        return frozenset(row_id(place) for place in self._places if kinds[place] != HEADING)


class _Ascending(Sequence[int]):
    """Places in the default order, four bytes each, found by halving."""

    def __init__(self, places: array[int]) -> None:
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        return self._places[index]

    def __iter__(self) -> Iterator[int]:
        return iter(self._places)

    def index(self, value: int, start: int = 0, stop: int | None = None) -> int:
        """Return where a place stands; raises `ValueError` where it does not."""
        found = bisect_left(self._places, value, start, len(self) if stop is None else stop)
        if found == len(self) or self._places[found] != value:
            raise ValueError(value)
        return found


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
        self._estate: Estate | None = None
        self._search: tuple[Search, View, datetime] | None = None

    def estate(self, inventory: Inventory) -> Estate:
        """Return the rows of an inventory; arranged anew only if rows have changed."""
        known = self._estate
        if (
            known is None
            or known.inventory.keys is not inventory.keys
            or known.inventory.instances is not inventory.instances
        ):
            known = self._estate = Estate(inventory)
            self._search = None
        return known

    def prepare(self, inventory: Inventory, view: View, now: datetime) -> bool:
        """Make a little of what a search needs, in idle time; says whether all is made."""
        return self._searcher(self.estate(inventory), view, now).prepare()

    def select(self, inventory: Inventory, view: View, now: datetime) -> Selection:
        """Return the rows of an inventory as a view asks for them."""
        estate = self.estate(inventory)
        shown = bytes(estate.kinds.translate(_table(1, 1, 1, 1)))
        words = view.filter_text.lower().split()
        if words:
            search = self._searcher(estate, view, now)
            answer = int.from_bytes(shown, "little")
            for word in words:
                answer &= search.answer(word)
            shown = _with_headers(estate, answer.to_bytes(len(shown), "little"))
        matched = _kinds_shown(estate, shown)
        hidden = 0
        if not view.show_add_ons:
            hidden = matched.count(ADD_ON)
            matched = matched.replace(bytes((ADD_ON,)), bytes((_NOT_SHOWN,)))
        instances = matched.count(INSTANCE)
        keys = len(matched) - instances - matched.count(HEADING) - matched.count(_NOT_SHOWN)
        places: Sequence[int] = range(len(estate))
        if matched.count(_NOT_SHOWN):
            is_shown = matched.translate(_table(1, 1, 1, 1, 0))
            places = _Ascending(array("i", compress(places, is_shown)))
        if view.sort.column_id is not None:
            from tui_licenses.state.sorting import sorted_places

            places = sorted_places(estate, places, view, now)
        rows = Rows(estate, places, view, now)
        return Selection(rows, instances, keys, hidden, len(estate))

    def _searcher(self, estate: Estate, view: View, now: datetime) -> Search:
        known = self._search
        if known is not None:
            search, seen, since = known
            is_same = (seen.show_utc, seen.expiring_days) == (view.show_utc, view.expiring_days)
            if is_same and abs(now - since) < STATUS_STANDS:
                return search
        from tui_licenses.state.search import Search

        search = Search(estate, view, now)
        self._search = (search, view, now)
        return search


_NOT_SHOWN = HEADING + 1


def _table(*bytes_of_kinds: int) -> bytes:
    return bytes(bytes_of_kinds).ljust(256, b"\0")


def _kinds_shown(estate: Estate, shown: bytes) -> bytes:
    """Return the kind of each row that is shown, `_NOT_SHOWN` for the others."""
    hidden = int.from_bytes(shown.translate(_table(1, 0)), "little") * 0xFF
    kinds = int.from_bytes(estate.kinds, "little") | hidden
    codes = kinds.to_bytes(len(shown), "little")
    return codes.replace(b"\xff", bytes((_NOT_SHOWN,)))


def _with_headers(estate: Estate, hits: bytes) -> bytes:
    """Add the row of its instance above every key that was found, and the heading of its group."""
    shown = bytearray(hits)
    for start, following in pairwise(estate.group_starts):
        if hits.find(1, start, following) >= 0:
            shown[start] = 1
    if estate.kinds and estate.kinds[estate.group_starts[-2]] != INSTANCE:
        # The keys of nobody have no instance above them.
        shown[estate.group_starts[-2]] = hits[estate.group_starts[-2]]
    if estate.heading is not None:
        shown[estate.heading] = hits.find(1, estate.heading) >= 0
    return bytes(shown)


def select_rows(inventory: Inventory, view: View, now: datetime) -> Selection:
    """Return the rows of an inventory as a view asks for them: filtered, sorted, grouped.

    The last group, "Not assigned", has a heading and holds instances without a master and keys
    without an instance.
    """
    return Selector().select(inventory, view, now)
