"""The order of rows by one column: keys within each instance, instances by the first of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any

from tui_licenses.state.app_state import View
from tui_licenses.state.columns import find_column
from tui_licenses.state.estate import HEADING, INSTANCE, NO_STATUS, Estate

# The value of each place is asked for as by this function of a place.
ValueOf = Callable[[int], Any]


def sorted_places(
    estate: Estate, places: Iterable[int], view: View, now: datetime
) -> Sequence[int]:
    """Return places in the order that the view asks for."""
    column_id = view.sort.column_id
    assert column_id is not None
    value_of = value_function(estate, column_id, view, now)
    descending = view.sort.is_descending
    assigned: list[tuple[Any, list[int]]] = []
    others: list[tuple[Any, list[int]]] = []
    heading: list[int] = []
    for block in _blocks(estate, places):
        if estate.kinds[block[0]] == HEADING:
            heading = block
            continue
        head = block[:1] if estate.kinds[block[0]] == INSTANCE else []
        valued = sorted(
            ((value_of(place), place) for place in block[len(head) :]),
            key=itemgetter(0),
            reverse=descending,
        )
        value = valued[0][0] if valued else value_of(head[0])
        is_assigned = estate.heading is None or block[0] < estate.heading
        (assigned if is_assigned else others).append((value, head + [p for _, p in valued]))
    for blocks in (assigned, others):
        blocks.sort(key=itemgetter(0), reverse=descending)
    ordered = [place for _, block in assigned for place in block]
    return ordered + heading + [place for _, block in others for place in block]


def _blocks(estate: Estate, places: Iterable[int]) -> list[list[int]]:
    """Return places in the default order, group by group; the heading is one by itself."""
    blocks: list[list[int]] = []
    last = None
    for place in places:
        group = None if estate.kinds[place] == HEADING else estate.instance_places[place]
        if not blocks or group != last or group is None:
            blocks.append([])
        blocks[-1].append(place)
        last = group
    return blocks


def value_function(estate: Estate, column_id: str, view: View, now: datetime) -> ValueOf:
    """Return what gives the value of a row by a column.

    What a column of the program sorts by is read from the columns of the estate, or is made once
    for all rows that share it; any other column is asked row by row.
    """
    sort_key = find_column(column_id).sort_key

    def by_row(place: int) -> object:
        return sort_key(estate.row(place, view, now))

    keys, instances = estate.inventory.keys.columns, estate.inventory.instances.columns
    key_places, instance_places = estate.key_places, estate.instance_places

    match column_id:
        case "updated":
            return estate.updated.__getitem__
        case "status":
            statuses = estate.statuses(view, now)
            return lambda place: -1 if statuses[place] == NO_STATUS else statuses[place]
        case "key":
            return lambda place: "" if key_places[place] < 0 else keys.keys[key_places[place]]
        case "instance":
            return lambda place: _name(estate, place)
        case "features":
            return _shared(by_row, partial(_number, key_places, keys.products.numbers))
        case "location":
            return _shared(by_row, partial(_number, instance_places, instances.locations.numbers))
        case "version":
            return _shared(by_row, partial(_number, instance_places, instances.versions.numbers))
    return by_row


def _number(places: Sequence[int], numbers: Sequence[int], place: int) -> int:
    """Return which of the values that many share a row has, -1 for none."""
    return -1 if places[place] < 0 else numbers[places[place]]


def _name(estate: Estate, place: int) -> str:
    instance_place = estate.instance_places[place]
    if instance_place < 0:
        return ""
    return (estate.inventory.instances.columns.names[instance_place] or "").casefold()


def _shared(by_row: ValueOf, share: Callable[[int], object]) -> ValueOf:
    known: dict[object, Any] = {}

    def value_of(place: int) -> object:
        shared_by = share(place)
        if shared_by not in known:
            known[shared_by] = by_row(place)
        return known[shared_by]

    return value_of
