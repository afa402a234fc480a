"""The search in an estate: which rows hold a typed word.

The text of a row is the texts of what it shows, and a word never spans two of them. Most of
these are shared by many rows, so each is looked at once: the instance for all of its keys, the
product for all of its keys, a status, a day, a minute of the day. An answer is one byte for each
row; answers are joined as whole numbers of as many bytes.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from tui_licenses.domain.key_table import Product
from tui_licenses.domain.license_key import KEY_LENGTH, KeyKind, group_key
from tui_licenses.domain.packed import EPOCH
from tui_licenses.state.app_state import View
from tui_licenses.state.columns import (
    NOT_ASSIGNED,
    STATUSES,
    features_text,
    location_text,
    status_text,
    version_text,
)
from tui_licenses.state.estate import HEADING, INSTANCE, NO_STATUS, Estate
from tui_licenses.text import clean, searchable

_MINUTE = 60_000_000
_DAY_MINUTES = 24 * 60
# What the date and the time of a last update are made of.
_INSTANT_WORD = re.compile(r"[0-9:z-]+")
_TEXTS_AT_ONCE = 250
_ROWS_AT_ONCE = 10_000
_ANSWERS_KEPT = 16
_NO_PRODUCT = 255
_DONE = object()


class Search:
    """Answers which rows of an estate hold a word; what it needs is made at most once.

    `view` decides how times are read, `now` what the status of a row is.
    """

    def __init__(self, estate: Estate, view: View, now: datetime) -> None:
        self._estate = estate
        self._view = view
        self._now = now
        self._instance_texts: list[str] = []
        self._product_texts: list[str] = []
        # The product of each row as one byte, where there are few enough of them.
        self._product_numbers = b""
        self._keys = bytearray()
        self._statuses = b""
        self._days = array("i")
        self._minutes = array("h")
        self._answers: dict[str, int] = {}
        self._steps = self._prepare()

    def prepare(self) -> bool:
        """Make a little of what the search needs; says whether all is made."""
        return next(self._steps, _DONE) is _DONE

    def answer(self, word: str) -> int:
        """Return one byte for each row, as one number: 1 where it holds a lower-case word."""
        known = self._answers.get(word)
        if known is None:
            while not self.prepare():
                pass
            if len(self._answers) >= _ANSWERS_KEPT:
                self._answers.clear()
            known = self._answers[word] = self._ask(word)
        return known

    def _ask(self, word: str) -> int:
        answer = _number(self._in_instances(word)) | _number(self._in_keys(word))
        answer |= _number(self._in_products(word)) | _number(self._in_statuses(word))
        if _INSTANT_WORD.fullmatch(word):
            answer |= _number(self._in_instants(word))
        return answer

    # What is prepared

    def _prepare(self) -> Iterator[None]:
        estate = self._estate
        self._statuses = estate.statuses(self._view, self._now)
        yield
        self._prepare_products()
        yield
        for first in range(0, len(estate), _ROWS_AT_ONCE):
            self._prepare_keys(first)
            yield
        starts = [start for start, _ in estate.groups()]
        for first in range(0, len(starts), _TEXTS_AT_ONCE):
            self._instance_texts += map(self._instance_text, starts[first : first + _TEXTS_AT_ONCE])
            yield
        shift_of = _Shifts(self._view.show_utc)
        for first in range(0, len(estate), _ROWS_AT_ONCE):
            for instant in estate.updated[first : first + _ROWS_AT_ONCE]:
                minute = instant // _MINUTE
                minute += shift_of(minute)
                self._days.append(minute // _DAY_MINUTES)
                self._minutes.append(minute % _DAY_MINUTES)
            yield

    def _prepare_products(self) -> None:
        products = self._estate.inventory.keys.columns.products
        self._product_texts = [
            _product_text(products.value(number)) for number in range(products.pool_size)
        ]
        if products.pool_size <= _NO_PRODUCT:
            # One more at the end, for the rows without a key: their place is -1.
            numbers = (*products.numbers[: len(self._estate.inventory.keys)], _NO_PRODUCT)
            self._product_numbers = bytes(map(numbers.__getitem__, self._estate.key_places))

    def _prepare_keys(self, first: int) -> None:
        """Put some keys side by side in the order of rows, with nothing where a row has no key."""
        estate = self._estate
        codes = estate.inventory.keys.columns.keys.codes
        nothing = bytearray(KEY_LENGTH)
        self._keys += bytearray().join(
            [
                nothing if place < 0 else codes[place * KEY_LENGTH : (place + 1) * KEY_LENGTH]
                for place in estate.key_places[first : first + _ROWS_AT_ONCE]
            ]
        )

    def _instance_text(self, start: int) -> str:
        """Return what all rows of a group hold through their instance."""
        place = self._estate.instance_places[start]
        instance = None if place < 0 else self._estate.inventory.instances[place]
        parts = [
            "" if instance is None else clean(instance.name),
            "" if instance is not None and instance.master_key_id else NOT_ASSIGNED,
            location_text(instance),
            version_text(instance),
        ]
        if instance is not None and instance.location.label:
            parts.append(clean(instance.location.label))
        return searchable("\n".join(parts))

    # What is asked

    def _in_instances(self, word: str) -> bytes:
        estate = self._estate
        found = bytearray().join(
            [
                (b"\1" if word in text else b"\0") * (following - start)
                for text, (start, following) in zip(
                    self._instance_texts, pairwise(estate.group_starts), strict=True
                )
            ]
        )
        if estate.heading is not None:
            # A heading is never found by itself: it stands where one of its rows is found. It
            # follows a group, or stands before them all.
            found = found.rjust(len(estate), b"\0")
            found[estate.heading] = 0
        return bytes(found)

    def _in_products(self, word: str) -> bytes:
        hits = bytes(word in text for text in self._product_texts)
        if not any(hits):
            return b""
        if self._product_numbers:
            return self._product_numbers.translate(hits.ljust(256, b"\0"))
        numbers = self._estate.inventory.keys.columns.products.numbers
        return bytes([place >= 0 and hits[numbers[place]] for place in self._estate.key_places])

    def _in_statuses(self, word: str) -> bytes:
        table = bytearray(256)
        for number, status in enumerate(STATUSES):
            table[number] = word in status_text(status).lower()
        table[NO_STATUS] = 0
        return self._statuses.translate(table)

    def _in_keys(self, word: str) -> bytes:
        wanted = word.replace("-", "").upper()
        if not wanted.isascii() or len(wanted) > KEY_LENGTH:
            return b""
        code = wanted.encode()
        if len(code) == 1 and code != b"\0" and "-" not in word:
            return _holding(self._keys, code[0])
        found = bytearray(len(self._estate))
        keys, width = self._keys, len(code)
        start = keys.find(code)
        while start >= 0:
            place, offset = divmod(start, KEY_LENGTH)
            if offset + width > KEY_LENGTH or not self._is_written(word, place):
                start = keys.find(code, start + 1)
            else:
                found[place] = 1
                start = keys.find(code, (place + 1) * KEY_LENGTH)
        return bytes(found)

    def _is_written(self, word: str, place: int) -> bool:
        """Say whether the key of a row, as people write it, holds a word with its hyphens."""
        if "-" not in word:
            return True
        key = self._keys[place * KEY_LENGTH : (place + 1) * KEY_LENGTH]
        return word in group_key(key.decode("ascii")).lower() and key[0] != 0

    def _in_instants(self, word: str) -> bytes:
        has_instant = bytes(kind != HEADING for kind in range(INSTANCE, HEADING + 1))
        days = {day: word in _day_text(day) for day in set(self._days)}
        zone = "z" if self._view.show_utc else ""
        minutes = bytes(
            word in f"{minute // 60:02}:{minute % 60:02}{zone}" for minute in range(_DAY_MINUTES)
        )
        return bytes(
            [
                (days[day] or minutes[minute]) and has_instant[kind]
                for day, minute, kind in zip(
                    self._days, self._minutes, self._estate.kinds, strict=True
                )
            ]
        )


class _Shifts:
    """How many minutes local time is ahead of UTC, remembered for each day where it is steady."""

    def __init__(self, is_utc: bool) -> None:
        self._is_utc = is_utc
        self._steady: dict[int, int | None] = {}

    def __call__(self, minute: int) -> int:
        """Return the shift at a minute since 1970 in UTC."""
        if self._is_utc:
            return 0
        day = minute // _DAY_MINUTES
        try:
            shift = self._steady[day]
        except KeyError:
            first = _shift_at(day * _DAY_MINUTES)
            last = _shift_at((day + 1) * _DAY_MINUTES)
            shift = self._steady[day] = first if first == last else None
        return _shift_at(minute) if shift is None else shift


def _shift_at(minute: int) -> int:
    moment = datetime.fromtimestamp(minute * 60, UTC).astimezone()
    return (moment.utcoffset() or timedelta()) // timedelta(minutes=1)


def _day_text(day: int) -> str:
    return date.fromordinal(EPOCH.toordinal() + day).isoformat()


def _number(answer: bytes | bytearray) -> int:
    return int.from_bytes(answer, "little")


def _product_text(product: Product) -> str:
    kind = "master" if product.kind is KeyKind.MASTER else "add-on"
    return searchable(f"{features_text(product.features)}\n{clean(product.name)}\n{kind}")


def _holding(keys: bytearray, character: int) -> bytes:
    """Say for each key whether it holds a character, in sixteen strides instead of many finds."""
    table = bytearray(256)
    table[character] = 1
    answer = 0
    for offset in range(KEY_LENGTH):
        answer |= _number(keys[offset::KEY_LENGTH].translate(table))
    return answer.to_bytes(len(keys) // KEY_LENGTH, "little")
