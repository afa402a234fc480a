"""A column of which many values are equal: products, holders, locations, versions."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Sequence
from enum import Enum
from typing import Generic, Literal, Self, TypeVar

from tui_licenses.domain.packed import Damaged, NumberColumn, Read, TextColumn, Texts, Write

PooledT = TypeVar("PooledT", bound=Hashable)


class _Unread(Enum):
    UNREAD = "unread"


class PooledColumn(Generic[PooledT]):
    """Values of which many are equal: each is kept once, and a number says which.

    `to_texts` and `from_texts` say how a value is written as texts.
    """

    def __init__(
        self, to_texts: Callable[[PooledT], Texts], from_texts: Callable[[Texts], PooledT]
    ) -> None:
        self._to_texts = to_texts
        self._from_texts = from_texts
        self.numbers = array("i")
        self._pool: list[PooledT | Literal[_Unread.UNREAD]] = []
        # Where values that nobody has looked at yet are read from, by number.
        self._texts = TextColumn()
        self._text_ends = array("q")
        self._known: dict[PooledT, int] | None = {}

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> PooledT:
        return self.value(self.numbers[index])

    @property
    def pool_size(self) -> int:
        """Return how many different values there are."""
        return len(self._pool)

    def value(self, number: int) -> PooledT:
        """Return the value with a number."""
        value = self._pool[number]
        if value is _Unread.UNREAD:
            value = self._pool[number] = self._read_value(number)
        return value

    def first_texts(self) -> list[str | None]:
        """Return the first text of every value, without making the values."""
        unread = _Unread.UNREAD
        starts = (0, *self._text_ends)
        return [
            self._texts[starts[number]] if value is unread else self._to_texts(value)[0]
            for number, value in enumerate(self._pool)
        ]

    def _read_value(self, number: int) -> PooledT:
        start = self._text_ends[number - 1] if number else 0
        places = range(start, self._text_ends[number])
        return self._from_texts(tuple(map(self._texts.__getitem__, places)))

    def append(self, value: PooledT) -> None:
        """Add a value at the end."""
        self.numbers.append(self._number_of(value))

    def put(self, index: int, value: PooledT) -> None:
        """Replace the value at a place."""
        self.numbers[index] = self._number_of(value)

    def replace(self, number: int, value: PooledT) -> None:
        """Replace a value wherever it stands."""
        self._pool[number] = value
        self._known = None

    def _number_of(self, value: PooledT) -> int:
        known = self._known
        if known is None:
            known = {self.value(number): number for number in range(len(self._pool))}
            self._known = known
        number = known.setdefault(value, len(self._pool))
        if number == len(self._pool):
            self._pool.append(value)
        return number

    def copy(self) -> Self:
        """Return a new column with the same values."""
        copied = type(self)(self._to_texts, self._from_texts)
        copied.numbers, copied._pool, copied._known = self.numbers[:], self._pool[:], None
        copied._texts, copied._text_ends = self._texts, self._text_ends
        return copied

    def pick(self, places: Sequence[int]) -> Self:
        """Return a new column with the values at these places, and no other in its pool."""
        picked = type(self)(self._to_texts, self._from_texts)
        renumbered: dict[int, int] = {}
        numbers = [self.numbers[place] for place in places]
        picked.numbers.extend(renumbered.setdefault(number, len(renumbered)) for number in numbers)
        picked._pool = [self.value(number) for number in renumbered]
        picked._known = None
        return picked

    def write(self, write: Write, count: int) -> None:
        """Hand out the first `count` numbers, then the values they name."""
        first = self if count == len(self) else self.pick(range(count))
        numbers, ends, texts = NumberColumn("i"), NumberColumn(), TextColumn()
        numbers.numbers = first.numbers
        for number, known in enumerate(first._pool):
            # Not kept: what is only written need not stay in memory.
            value = first._read_value(number) if known is _Unread.UNREAD else known
            for text in self._to_texts(value):
                texts.append(text)
            ends.append(len(texts))
        numbers.write(write, count)
        ends.write(write, len(ends))
        texts.write(write, len(texts))

    def read(self, read: Read) -> None:
        """Take all numbers and the pool; raises `Damaged`."""
        numbers, ends = NumberColumn("i"), NumberColumn()
        numbers.read(read)
        ends.read(read)
        self._texts.read(read)
        self.numbers, self._text_ends, self._known = numbers.numbers, ends.numbers, None
        self._pool = [_Unread.UNREAD] * len(ends)
        # That each number names a value is left to the checksum of who keeps the chunks: to look
        # at all of them takes as long as to read them.
        if (ends[len(ends) - 1] if len(ends) else 0) != len(self._texts):
            raise Damaged


def pooled_texts() -> PooledColumn[str | None]:
    """Return a column of texts or None, of which many are equal."""
    return PooledColumn(lambda text: (text,), lambda texts: texts[0])
