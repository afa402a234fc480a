"""Columns that hold many values in little room; tables of instances and keys are made of them.

A column only grows: who knows how many values it may look at is not disturbed by more of them.
Each column writes itself as chunks of bytes and reads itself back from as many.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import Generic, Protocol, Self, TypeVar

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Earlier than any instant that a calendar of Python can name: there is none.
NO_INSTANT = -(2**63)

_MICROSECOND = timedelta(microseconds=1)
# Never a part of UTF-8: no text, which is not the same as an empty one.
_NO_TEXT = b"\xff"

ValueT = TypeVar("ValueT")
ChoiceT = TypeVar("ChoiceT", bound=StrEnum)
Texts = tuple[str | None, ...]
Write = Callable[[bytes], None]
Read = Callable[[], bytes]


class Damaged(Exception):  # noqa: N818 - what is read is damaged, not the reader
    """Chunks that no column has written."""


class Column(Protocol[ValueT]):
    """Values in their order."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> ValueT: ...
    def append(self, value: ValueT, /) -> None:
        """Add a value at the end."""

    def put(self, index: int, value: ValueT, /) -> None:
        """Replace the value at a place."""

    def copy(self) -> Self:
        """Return a new column with the same values."""

    def pick(self, places: Sequence[int]) -> Self:
        """Return a new column with the values at these places."""

    def write(self, write: Write, count: int) -> None:
        """Hand out the first `count` values as chunks of bytes."""

    def read(self, read: Read) -> None:
        """Take all values from chunks; raises `Damaged`."""


def microseconds(moment: datetime) -> int:
    """Return an aware datetime as whole microseconds since 1970 in UTC."""
    return (moment - EPOCH) // _MICROSECOND


class NumberColumn:
    """Whole numbers of 64 bits, or of the size of a given type code of `array`."""

    def __init__(self, type_code: str = "q") -> None:
        self.numbers = array(type_code)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> int:
        return self.numbers[index]

    def append(self, value: int) -> None:
        """Add a number at the end."""
        self.numbers.append(value)

    def put(self, index: int, value: int) -> None:
        """Replace the number at a place."""
        self.numbers[index] = value

    def copy(self) -> Self:
        """Return a new column with the same numbers."""
        copied = type(self)(self.numbers.typecode)
        copied.numbers = self.numbers[:]
        return copied

    def pick(self, places: Sequence[int]) -> Self:
        """Return a new column with the numbers at these places."""
        picked = type(self)(self.numbers.typecode)
        picked.numbers.extend(map(self.numbers.__getitem__, places))
        return picked

    def write(self, write: Write, count: int) -> None:
        """Hand out the first `count` numbers, little end first."""
        first = self.numbers[:count]
        if sys.byteorder == "big":
            first.byteswap()
        write(first.tobytes())

    def read(self, read: Read) -> None:
        """Take all numbers; raises `Damaged`."""
        try:
            self.numbers.frombytes(read())
        except ValueError as error:
            raise Damaged from error
        if sys.byteorder == "big":
            self.numbers.byteswap()


def moment_of(number: int) -> datetime:
    """Return the datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=number)


def optional_moment_of(number: int) -> datetime | None:
    """Return the datetime of microseconds since 1970; None for `NO_INSTANT`."""
    return None if number == NO_INSTANT else moment_of(number)


def optional_microseconds(moment: datetime | None) -> int:
    """Return a datetime as microseconds since 1970; `NO_INSTANT` for None."""
    return NO_INSTANT if moment is None else microseconds(moment)


class ChoiceColumn(Generic[ChoiceT]):
    """Members of one enumeration, a byte each: its place among the members."""

    def __init__(self, choices: type[ChoiceT]) -> None:
        self._choices = choices
        self._members = tuple(choices)
        self._numbers = {member: number for number, member in enumerate(self._members)}
        self.numbers = bytearray()

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> ChoiceT:
        return self._members[self.numbers[index]]

    def are(self, value: ChoiceT) -> bytes:
        """Say for each place whether it holds a member: one byte, 1 or 0."""
        table = bytearray(256)
        table[self._numbers[value]] = 1
        return bytes(self.numbers.translate(table))

    def append(self, value: ChoiceT) -> None:
        """Add a member at the end."""
        self.numbers.append(self._numbers[value])

    def put(self, index: int, value: ChoiceT) -> None:
        """Replace the member at a place."""
        self.numbers[index] = self._numbers[value]

    def copy(self) -> Self:
        """Return a new column with the same members."""
        copied = type(self)(self._choices)
        copied.numbers = self.numbers[:]
        return copied

    def pick(self, places: Sequence[int]) -> Self:
        """Return a new column with the members at these places."""
        picked = type(self)(self._choices)
        picked.numbers = bytearray(map(self.numbers.__getitem__, places))
        return picked

    def write(self, write: Write, count: int) -> None:
        """Hand out the first `count` members."""
        write(bytes(self.numbers[:count]))

    def read(self, read: Read) -> None:
        """Take all members; raises `Damaged`."""
        self.numbers = bytearray(read())
        if self.numbers.translate(None, bytes(range(len(self._members)))):
            raise Damaged


class CodeColumn:
    """ASCII texts of at most `width` characters, side by side, so that one is found at once."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.codes = bytearray()

    def __len__(self) -> int:
        return len(self.codes) // self.width

    def __getitem__(self, index: int) -> str:
        start = index * self.width
        return self.codes[start : start + self.width].decode("ascii").rstrip("\0")

    def append(self, value: str) -> None:
        """Add a text at the end; raises `ValueError` where it is longer or not ASCII."""
        self.codes += self._code(value)

    def put(self, index: int, value: str) -> None:
        """Replace the text at a place; raises as `append` does."""
        start = index * self.width
        self.codes[start : start + self.width] = self._code(value)

    def copy(self) -> Self:
        """Return a new column with the same texts."""
        copied = type(self)(self.width)
        copied.codes = self.codes[:]
        return copied

    def _code(self, value: str) -> bytes:
        code = value.encode("ascii")
        if len(code) > self.width or b"\0" in code:
            raise ValueError(f"no code of at most {self.width} characters")
        return code.ljust(self.width, b"\0")

    def first(self, count: int) -> list[str]:
        """Return the first `count` texts."""
        width = self.width
        text = self.codes[: count * width].decode("ascii")
        whole = [text[start : start + width] for start in range(0, len(text), width)]
        return [code.rstrip("\0") for code in whole] if "\0" in text else whole

    def place_of(self, value: str, count: int) -> int | None:
        """Return where a text stands among the first `count`."""
        try:
            code = self._code(value)
        except ValueError:
            return None
        end = count * self.width
        start = self.codes.find(code, 0, end)
        while start >= 0 and start % self.width:
            start = self.codes.find(code, start + 1, end)
        return None if start < 0 else start // self.width

    def pick(self, places: Sequence[int]) -> Self:
        """Return a new column with the texts at these places."""
        picked = type(self)(self.width)
        width, codes = self.width, self.codes
        picked.codes = bytearray().join(
            [codes[place * width : place * width + width] for place in places]
        )
        return picked

    def write(self, write: Write, count: int) -> None:
        """Hand out the first `count` texts."""
        write(bytes(self.codes[: count * self.width]))

    def read(self, read: Read) -> None:
        """Take all texts; raises `Damaged`."""
        self.codes = bytearray(read())
        if len(self.codes) % self.width or not self.codes.isascii():
            raise Damaged


class TextColumn:
    """Texts of any length and script, or None; made only when they are looked at."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._ends = array("q")

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> str | None:
        start = self._ends[index - 1] if index else 0
        data = self._data[start : self._ends[index]]
        return None if data == _NO_TEXT else data.decode("utf-8", "surrogatepass")

    def are_absent(self) -> list[bool]:
        """Say for each place whether there is no text."""
        data, absent = self._data, _NO_TEXT[0]
        starts = (0, *self._ends[:-1])
        return [
            end - start == 1 and data[start] == absent
            for start, end in zip(starts, self._ends, strict=False)
        ]

    def append(self, value: str | None) -> None:
        """Add a text or None at the end."""
        self._data += _encoded(value)
        self._ends.append(len(self._data))

    def put(self, index: int, value: str | None) -> None:
        """Replace the text at a place."""
        start, end = self._ends[index - 1] if index else 0, self._ends[index]
        data = _encoded(value)
        if self._data[start:end] != data:
            self._data[start:end] = data
            shift = len(data) - (end - start)
            self._ends = self._ends[:index] + array(
                "q", [place + shift for place in self._ends[index:]]
            )

    def copy(self) -> Self:
        """Return a new column with the same texts."""
        copied = type(self)()
        copied._data, copied._ends = self._data[:], self._ends[:]
        return copied

    def pick(self, places: Sequence[int]) -> Self:
        """Return a new column with the texts at these places."""
        picked = type(self)()
        data, ends = self._data, self._ends
        parts = [data[ends[place - 1] if place else 0 : ends[place]] for place in places]
        picked._data = bytearray().join(parts)
        picked._ends.extend(accumulate(map(len, parts)))
        return picked

    def write(self, write: Write, count: int) -> None:
        """Hand out the first `count` texts: where they end, then all of them."""
        ends = NumberColumn()
        ends.numbers = self._ends
        ends.write(write, count)
        write(bytes(self._data[: self._ends[count - 1] if count else 0]))

    def read(self, read: Read) -> None:
        """Take all texts; raises `Damaged`."""
        ends = NumberColumn()
        ends.read(read)
        self._ends = ends.numbers
        self._data = bytearray(read())
        if (self._ends[-1] if self._ends else 0) != len(self._data):
            raise Damaged


def _encoded(value: str | None) -> bytes:
    return _NO_TEXT if value is None else value.encode("utf-8", "surrogatepass")
