"""Tables of domain values in columns: 100,000 of them cost what their bytes cost.

A table is a frozen sequence; a value is made when it is looked at. Tables that grow out of each
other share their columns (`extended`), so that pages that arrive are never copied.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, Self, TypeVar, overload

from tui_licenses.domain.packed import CodeColumn, Column, Damaged, Read, Write

ID_LENGTH_MAXIMUM = 36


class Identified(Protocol):
    """A value with an id of at most 36 ASCII characters."""

    @property
    def id(self) -> str:
        """Return the id."""


ItemT = TypeVar("ItemT", bound=Identified)


class Columns(ABC, Generic[ItemT]):
    """The columns of one kind of values, as attributes; a subclass makes them.

    `members` gives what a value puts into each column, in the order of the attributes; `item`
    makes a value again.
    """

    ids: CodeColumn

    @abstractmethod
    def members(self, item: ItemT, /) -> tuple[object, ...]:
        """Return what a value has for each column."""

    @abstractmethod
    def item(self, index: int, /) -> ItemT:
        """Make the value at a place."""

    def all(self) -> tuple[Column[Any], ...]:
        """Return every column, in the order in which they are written."""
        return tuple(vars(self).values())

    def append(self, item: ItemT) -> None:
        """Add a value at the end; raises `ValueError` for one that has no room."""
        try:
            for column, member in zip(self.all(), self.members(item), strict=True):
                column.append(member)
        except OverflowError as error:
            raise ValueError(str(error)) from error

    def put(self, index: int, item: ItemT) -> None:
        """Replace the value at a place; raises as `append` does."""
        for column, member in zip(self.all(), self.members(item), strict=True):
            column.put(index, member)

    def copy(self) -> Self:
        """Return new columns with the same values."""
        copied = type(self)()
        for name, column in vars(self).items():
            setattr(copied, name, column.copy())
        return copied

    def pick(self, places: Sequence[int]) -> Self:
        """Return new columns with the values at these places."""
        picked = type(self)()
        for name, column in vars(self).items():
            setattr(picked, name, column.pick(places))
        return picked


ColumnsT = TypeVar("ColumnsT", bound=Columns[Any])


class Table(Sequence[ItemT], Generic[ItemT, ColumnsT]):
    """The first `count` values of its columns."""

    __slots__ = ("_count", "columns")

    def __init__(self, columns: ColumnsT, count: int) -> None:
        self.columns = columns
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> ItemT: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[ItemT, ...]: ...
    def __getitem__(self, index: int | slice) -> ItemT | tuple[ItemT, ...]:
        if isinstance(index, slice):
            return tuple(map(self.columns.item, range(*index.indices(self._count))))
        if not -self._count <= index < self._count:
            raise IndexError(index)
        item: ItemT = self.columns.item(index % self._count)
        return item

    def __iter__(self) -> Iterator[ItemT]:
        return map(self.columns.item, range(self._count))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment] # equal to any sequence of equal values

    def ids(self) -> Iterator[str]:
        """Give the ids of all values, without making them."""
        return iter(self.columns.ids.first(self._count))

    def place_of(self, item_id: str) -> int | None:
        """Return where the value with an id stands."""
        return self.columns.ids.place_of(item_id, self._count)

    def find(self, item_id: str | None) -> ItemT | None:
        """Return the value with an id."""
        place = None if item_id is None else self.place_of(item_id)
        return None if place is None else self.columns.item(place)

    def places_of(self, ids: Iterable[str]) -> dict[str, int]:
        """Return where the values with these ids stand; those that are not here are left out."""
        wanted = {item_id.encode("ascii", "replace"): item_id for item_id in ids}
        width, codes = self.columns.ids.width, bytes(self.columns.ids.codes)
        found = {}
        for place in range(self._count):
            item_id = wanted.get(codes[place * width : place * width + width].rstrip(b"\0"))
            if item_id is not None:
                found[item_id] = place
        return found

    def extended(self, items: Iterable[ItemT]) -> Self:
        """Return a table with more values at its end.

        The columns are shared where nobody else has extended this table before. Raises
        `ValueError` for an impossible id.
        """
        shared = len(self.columns.ids) == self._count
        columns = self.columns if shared else self.columns.pick(range(self._count))
        for item in items:
            columns.append(item)
        return type(self)(columns, len(columns.ids))

    def picked(self, places: Sequence[int]) -> Self:
        """Return a table of the values at these places."""
        return type(self)(self.columns.pick(places), len(places))

    def changed(self, changes: Mapping[str, ItemT | None]) -> Self:
        """Return a table with changed values in their places and new ones at the end.

        None stands for a value that is gone. Raises `ValueError` for one that has no room.
        """
        known = self.places_of(changes)
        gone = {place for item_id, place in known.items() if changes[item_id] is None}
        columns = self.columns.copy()
        for item_id, place in known.items():
            item = changes[item_id]
            if item is not None:
                columns.put(place, item)
        table = type(self)(columns, self._count)
        if gone or len(columns.ids) != self._count:
            table = table.picked([place for place in range(self._count) if place not in gone])
        return table.extended(
            item for item_id, item in changes.items() if item is not None and item_id not in known
        )

    def write(self, write: Write) -> None:
        """Hand out all values as chunks of bytes."""
        for column in self.columns.all():
            column.write(write, self._count)

    @classmethod
    def read_into(cls, columns: ColumnsT, read: Read) -> Self:
        """Return a table of what was written; `columns` are empty ones. Raises `Damaged`."""
        for column in columns.all():
            column.read(read)
        count = len(columns.ids)
        if any(len(column) != count for column in columns.all()):
            raise Damaged
        return cls(columns, count)
