"""The search by columns finds what a look at the text of every single row finds."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from tests.support.values import NOW, make_instance, make_key, make_user
from tui_licenses.domain.instance import Instance, InstanceState, Location
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import Feature, KeyKind, KeyState, LicenseKey, group_key
from tui_licenses.state.app_state import Sort, View
from tui_licenses.state.columns import (
    COLUMNS,
    NOT_ASSIGNED,
    Column,
    features_text,
    find_column,
    instant_text,
    location_text,
    status_text,
    version_text,
)
from tui_licenses.state.estate import Estate, Row, RowKind
from tui_licenses.state.search import Search
from tui_licenses.state.select import select_rows
from tui_licenses.text import clean, searchable

NAMES = (
    "Berlin",
    "Zürich [West]",
    "東京 タワー",
    "القاهرة",
    "İstanbul",
    "a\x1b[31mb",
    "-",
    "12:05",
)
FEATURES = (Feature("users", "User CALs", 25), Feature("wall", "Vidéo wall", None))


def _random_inventory(seed: int) -> Inventory:
    draw = random.Random(seed)
    instances: list[Instance] = []
    keys: list[LicenseKey] = []
    for number in range(draw.randint(0, 12)):
        instance = make_instance(
            id=f"instance-{number}",
            name=draw.choice(NAMES),
            location=Location(draw.choice(("DE", "NO", "??")), draw.choice((None, "Rack 7"))),
            core_version=draw.choice((None, "6.10", "6.9")),
            state=draw.choice(tuple(InstanceState)),
            master_key_id=draw.choice((None, f"key-{number}-0", "elsewhere")),
            updated_at=_instant(draw),
        )
        instances.append(instance)
    for number in range(-1, 13):
        keys += [_random_key(draw, number, place) for place in range(draw.randint(0, 4))]
    draw.shuffle(keys)
    return Inventory.of(make_user(), instances, keys, NOW, "0")


def _instant(draw: random.Random) -> datetime:
    return NOW + timedelta(minutes=draw.randint(-400_000, 400_000))


def _random_key(draw: random.Random, number: int, place: int) -> LicenseKey:
    return make_key(
        id=f"key-{number}-{place}",
        key="".join(draw.choices("ABZ019", k=16)),
        kind=draw.choice(tuple(KeyKind)),
        product_name=draw.choice(("Core", "Wall [x]")),
        features=tuple(draw.sample(FEATURES, draw.randint(0, 2))),
        state=draw.choice(tuple(KeyState)),
        instance_id=None if number < 0 else f"instance-{number}",
        instance_name=None,
        starts_at=draw.choice((None, _instant(draw))),
        expires_at=draw.choice((None, _instant(draw), NOW + timedelta(days=20))),
        updated_at=_instant(draw),
    )


def _text(row: Row, view: View) -> str:
    """Return all that a row shows, one line for each part."""
    if row.kind is RowKind.HEADING:
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
        parts += [group_key(key.key), key.key, features_text(key.features), clean(key.product_name)]
        parts.append("master" if key.is_master else "add-on")
        parts.append(instant_text(key.updated_at, view))
    elif instance is not None:
        parts.append(instant_text(instance.updated_at, view))
    return searchable("\n".join(parts))


@pytest.fixture(params=["UTC", "Europe/Berlin", "Asia/Kolkata"])
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def _words(draw: random.Random, texts: list[str]) -> Iterator[str]:
    yield from ("a", "z", "-", ":", "0", "05", "add-on", "●", "expir", "ss", "b-0", "zzzzz")
    for text in texts:
        for part in text.split():
            start = draw.randrange(len(part))
            yield part[start : start + draw.randint(1, 6)]


@pytest.mark.usefixtures("_zone")
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("show_utc", [True, False])
def test_a_word_is_found_in_exactly_the_rows_that_show_it(seed: int, show_utc: bool) -> None:
    inventory, view = _random_inventory(seed), View(show_add_ons=True, show_utc=show_utc)
    estate = Estate(inventory)
    texts = [_text(estate.row(place, view, NOW), view) for place in range(len(estate))]
    search = Search(estate, view, NOW)
    for word in _words(random.Random(seed), texts):
        answer = search.answer(word).to_bytes(len(estate), "little")
        assert list(answer) == [word in text for text in texts], word


def test_a_search_of_many_rows_is_made_in_little_memory() -> None:
    count = 25_000
    keys = [
        make_key(id=f"key-{number}", key=f"{number:016}", instance_id=None)
        for number in range(count)
    ]
    search = Search(Estate(Inventory.of(make_user(), (), keys, NOW, "0")), View(), NOW)
    tracemalloc.start()
    while not search.prepare():
        pass
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - kept < 2 * 1024 * 1024
    for number in (0, 9_999, 10_000, count - 1):
        assert search.answer(f"{number:016}").bit_count() == 1


@pytest.mark.parametrize("seed", range(12))
def test_the_status_of_all_rows_at_once_is_that_of_each_row(seed: int) -> None:
    estate, view = Estate(_random_inventory(seed)), View()
    search = Search(estate, view, NOW)
    for status in ("revoked", "suspended", "superseded", "expired", "pending", "expiring"):
        answer = search.answer(status).to_bytes(len(estate), "little")
        rows = [estate.row(place, view, NOW) for place in range(len(estate))]
        assert list(answer) == [row.status == status for row in rows]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("is_descending", [False, True])
@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.id)
def test_a_sort_by_columns_is_that_of_the_values_of_single_rows(
    seed: int, is_descending: bool, column: Column
) -> None:
    view = View(show_add_ons=True, sort=Sort(column.id, is_descending))
    rows = list(select_rows(_random_inventory(seed), view, NOW).rows)
    sort_key = find_column(column.id).sort_key
    for before, after in pairwise(rows):
        if before.kind is after.kind is RowKind.KEY and before.instance == after.instance:
            first, second = sort_key(before), sort_key(after)
            assert first >= second if is_descending else first <= second
    default = select_rows(_random_inventory(seed), replace(view, sort=Sort()), NOW).rows
    assert sorted(row.id for row in rows) == sorted(row.id for row in default)
