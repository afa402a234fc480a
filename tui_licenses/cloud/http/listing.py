"""Lists: start or cursor, a limit, a sort, and pages that cost the same wherever they are.

A cursor names the last row by its place in the order, so that rows which come or go do not
shift a page; it is bound to the filters and the sort it was made for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Table,
    and_,
    func,
    select,
    tuple_,
)

from tui_licenses.api.problems import Problem
from tui_licenses.cloud.conditions import Condition, opaque
from tui_licenses.cloud.http.call import Call, invalid, read_number
from tui_licenses.cloud.http.resource import LIMIT_MAXIMUM, START_MAXIMUM
from tui_licenses.cloud.rows import AnyRow

LIMIT_DEFAULT = 100

_INTEGER_BITS = 64
_PAGING = frozenset({"start", "limit", "cursor"})


class _Cursor(msgspec.Struct, array_like=True, frozen=True):
    """What a cursor says: the list it belongs to, the last row's place, its number."""

    of: str
    place: list[str | int]
    start: int


def encode_cursor(content: object) -> str:
    """Return anything as an opaque cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(content)).decode().rstrip("=")


def decode_cursor(text: str) -> bytes:
    """Return the JSON of an opaque cursor; raises `Problem` (`invalid-cursor`)."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid_cursor() from error


def invalid_cursor() -> Problem:
    """Return the problem of a cursor that is not ours or not of this list."""
    return Problem("invalid-cursor", "This cursor does not belong to this list.")


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Which part of which order is asked for; `place` is that of the row before it."""

    sort: str
    descending: bool
    start: int
    limit: int
    place: tuple[str | int, ...] | None
    bound_to: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the rows in order, the number of all, and where the next begins."""

    rows: tuple[AnyRow, ...]
    total: int
    start: int
    limit: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Finder:
    """A condition that an index serves and that every match meets, and how many rows meet it.

    It names all that the index begins with, the account too: nothing else is left to an index.
    """

    condition: Condition
    count: int


@dataclass(frozen=True, slots=True)
class Listed:
    """What is listed: the rows of `table` within a scope that meet the filters.

    `order` is total; an index holds the columns of `scope` and then those of `order`.
    `rows` selects whole rows of the table, with what readers see beside them. `total` is the
    number of rows that meet everything, of `at_most` in the scope.
    """

    table: Table
    order: tuple[ColumnElement[Any], ...]
    scope: Sequence[Condition]
    rows: Select[Any]
    total: int
    at_most: int
    filters: Sequence[Condition] = ()
    finder: Finder | None = None


def read_list_request(call: Call, sorts: Sequence[str], default: str) -> ListRequest:
    """Read the list parameters; raises `Problem`."""
    asked = call.parameter("sort")
    sort = default if asked is None else asked
    name = sort.removeprefix("-")
    if name not in sorts:
        raise invalid("sort", f"Lists are sorted by: {', '.join(sorts)}; a - before it reverses.")
    limit = read_number(call, "limit", LIMIT_DEFAULT, 1, LIMIT_MAXIMUM)
    bound_to = _binding(call)
    text = call.parameter("cursor")
    if text is None:
        start = read_number(call, "start", 0, 0, START_MAXIMUM)
        return ListRequest(name, sort.startswith("-"), start, limit, None, bound_to)
    if call.parameter("start") is not None:
        raise invalid("cursor", "A list takes a start or a cursor, not both.")
    try:
        cursor = msgspec.json.decode(decode_cursor(text), type=_Cursor)
    except msgspec.MsgspecError as error:
        raise invalid_cursor() from error
    # Anybody can make a cursor: its number goes into the answer as it is.
    if cursor.of != bound_to or not 0 <= cursor.start < 2**_INTEGER_BITS:
        raise invalid_cursor()
    place = tuple(cursor.place)
    return ListRequest(name, sort.startswith("-"), cursor.start, limit, place, bound_to)


def _binding(call: Call) -> str:
    """Return a digest of all that decides what a list holds and in which order."""
    content = [call.path, sorted(pair for pair in call.query if pair[0] not in _PAGING)]
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:16]


def read_page(connection: Connection, wanted: ListRequest, listed: Listed) -> Page:
    """Read one page; raises `Problem` (`invalid-cursor`)."""
    order = listed.order
    if wanted.place is not None and not _is_place(wanted.place, order):
        raise invalid_cursor()
    if listed.finder is not None and _finding_costs_less(wanted, listed, listed.finder):
        page = _part(_matches(listed, listed.finder), wanted, order).subquery("page")
        rows = listed.rows.join(page, _same_row(listed.table, page))
        rows = rows.order_by(*_ordered(order, wanted.descending))
    else:
        rows = listed.rows.where(*listed.scope, *opaque(listed.filters))
        rows = _part(rows, wanted, order)
    found = connection.execute(rows).all()
    shown = found[: wanted.limit]
    next_cursor = None
    if len(found) > wanted.limit:
        place_of_last = [getattr(shown[-1], column.key or "") for column in order]
        next_cursor = encode_cursor(
            _Cursor(wanted.bound_to, place_of_last, wanted.start + len(shown))
        )
    return Page(tuple(shown), listed.total, wanted.start, wanted.limit, next_cursor)


def _is_place(place: tuple[str | int, ...], order: Sequence[ColumnElement[Any]]) -> bool:
    """Say whether a cursor names a place that a row could have: the databases differ on others."""
    return len(place) == len(order) and all(
        type(value) is column.type.python_type and _is_storable(value)
        for value, column in zip(place, order, strict=True)
    )


def _is_storable(value: str | int) -> bool:
    return "\0" not in value if isinstance(value, str) else value.bit_length() < _INTEGER_BITS


def count_rows(connection: Connection, table: Table, conditions: Sequence[Any]) -> int:
    """Count the rows of a table that meet conditions, one by one."""
    counted = select(func.count()).select_from(table).where(*conditions)
    return int(connection.execute(counted).scalar_one())


def _finding_costs_less(wanted: ListRequest, listed: Listed, finder: Finder) -> bool:
    """Say whether finding all matches reads less than walking the order until a page is full.

    Walking passes `at_most / total` rows for each of the page.
    """
    return finder.count * listed.total <= wanted.limit * listed.at_most


def _matches(listed: Listed, finder: Finder) -> Select[Any]:
    """Select primary key and order of all matches, found before and apart from their order."""
    columns = dict.fromkeys((*listed.order, *listed.table.primary_key.columns))
    conditions = (finder.condition, *opaque([*listed.scope, *listed.filters]))
    found = select(*columns).where(*conditions).cte("matches").prefix_with("MATERIALIZED")
    return select(found)


def _part(
    rows: Select[Any], wanted: ListRequest, order: Sequence[ColumnElement[Any]]
) -> Select[Any]:
    """Return the wanted part of rows, and one more that tells whether there is a next page."""
    by_name = rows.selected_columns
    columns = [by_name[column.key or ""] for column in order]
    if wanted.place is not None:
        place = tuple_(*columns)
        rows = rows.where(place < wanted.place if wanted.descending else place > wanted.place)
    elif wanted.start:
        rows = rows.offset(wanted.start)
    return rows.order_by(*_ordered(columns, wanted.descending)).limit(wanted.limit + 1)


def _ordered(columns: Sequence[ColumnElement[Any]], descending: bool) -> list[ColumnElement[Any]]:
    return [column.desc() if descending else column.asc() for column in columns]


def _same_row(table: Table, page: Subquery) -> Condition:
    return and_(*(column == page.c[column.key] for column in table.primary_key.columns))
