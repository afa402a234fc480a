"""Tables in columns give back the very values that were put in, however they are changed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.values import NOW, make_key
from tui_licenses.domain.instance import Instance, InstanceState, Location
from tui_licenses.domain.instance_table import InstanceTable
from tui_licenses.domain.key_table import KeyTable
from tui_licenses.domain.license_key import Feature, KeyKind, KeyState, LicenseKey
from tui_licenses.domain.packed import Damaged

_optional_text = st.none() | st.text(max_size=20)
_instants = st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC))
_ids = st.text("abcdef0123456789-", min_size=1, max_size=36)
_keys = st.builds(
    LicenseKey,
    id=_ids,
    key=st.text("ABCXYZ0189", min_size=16, max_size=16),
    kind=st.sampled_from(KeyKind),
    product_code=st.text(max_size=8),
    product_name=st.text(max_size=8),
    features=st.lists(
        st.builds(
            Feature, st.text(max_size=4), st.text(max_size=4), st.none() | st.integers(0, 99)
        ),
        max_size=3,
    ).map(tuple),
    state=st.sampled_from(KeyState),
    instance_id=st.none() | _ids,
    instance_name=_optional_text,
    master_key_id=st.none() | _ids,
    order_reference=_optional_text,
    issued_at=_instants,
    starts_at=st.none() | _instants,
    activated_at=st.none() | _instants,
    expires_at=st.none() | _instants,
    terminates_at=st.none() | _instants,
    updated_at=_instants,
    revision=st.integers(0, 2**40),
)
_instances = st.builds(
    Instance,
    id=_ids,
    name=st.text(max_size=20),
    location=st.builds(Location, st.text(max_size=3), _optional_text),
    core_version=_optional_text,
    state=st.sampled_from(InstanceState),
    hostname=_optional_text,
    fingerprint=_optional_text,
    profile_revision=st.integers(0, 9),
    master_key_id=st.none() | _ids,
    key_count=st.integers(0, 9),
    add_on_count=st.integers(0, 9),
    activated_at=st.none() | _instants,
    created_at=_instants,
    updated_at=_instants,
    revision=st.integers(0, 2**40),
)


def _unique(values: list[LicenseKey]) -> list[LicenseKey]:
    return list({value.id: value for value in values}.values())


def _written(table: KeyTable | InstanceTable) -> list[bytes]:
    chunks: list[bytes] = []
    table.write(chunks.append)
    return chunks


@given(st.lists(_keys, max_size=12))
def test_keys_come_back_as_they_were_also_when_written_and_read(keys: list[LicenseKey]) -> None:
    table = KeyTable.of(keys)
    assert table == keys
    chunks = iter(_written(table))
    assert KeyTable.read(lambda: next(chunks)) == keys


@given(st.lists(_instances, max_size=12))
def test_instances_come_back_as_they_were(instances: list[Instance]) -> None:
    table = InstanceTable.of(instances)
    chunks = iter(_written(table))
    assert table == instances
    assert InstanceTable.read(lambda: next(chunks)) == instances
    assert table[:2] == tuple(instances[:2])


@given(st.lists(_keys, max_size=10).map(_unique), st.lists(_keys, max_size=6), st.randoms())
def test_changes_replace_remove_and_add_by_id(
    keys: list[LicenseKey], others: list[LicenseKey], draw: random.Random
) -> None:
    changes: dict[str, LicenseKey | None] = {}
    for key in keys:
        if draw.random() < 0.5:
            changes[key.id] = draw.choice((None, replace(key, revision=key.revision + 1)))
    changes |= {key.id: key for key in others}
    before = KeyTable.of(keys)
    after = before.changed(changes)
    model = {key.id: key for key in keys}
    for key_id, changed in changes.items():
        if changed is None:
            model.pop(key_id, None)
        else:
            model[key_id] = changed
    assert after == list(model.values())
    assert before == keys, "the table that was changed is as it was"
    for key_id in (*model, "nobody"):
        assert after.find(key_id) == model.get(key_id)
    chunks = iter(_written(after))
    assert KeyTable.read(lambda: next(chunks)) == after


@given(st.lists(_instances, max_size=12))
def test_all_instances_are_asked_at_once_what_each_is(instances: list[Instance]) -> None:
    columns = InstanceTable.of(instances).columns
    assert columns.masters.are_absent() == [item.master_key_id is None for item in instances]
    assert columns.hostnames.are_absent() == [item.hostname is None for item in instances]
    retired = columns.states.are(InstanceState.RETIRED)
    assert list(retired) == [item.state is InstanceState.RETIRED for item in instances]


def test_a_table_that_grows_leaves_the_ones_before_it_as_they_are() -> None:
    keys = [make_key(id=f"key-{number}", order_reference=str(number)) for number in range(9)]
    first = KeyTable.of(keys[:3])
    second = first.extended(keys[3:6])
    fork = first.extended(keys[6:])
    assert (first, second) == (tuple(keys[:3]), tuple(keys[:6]))
    assert fork == [*keys[:3], *keys[6:]]
    chunks = iter(_written(first))
    assert KeyTable.read(lambda: next(chunks)) == first


def test_the_keys_of_an_instance_are_found() -> None:
    keys = [
        make_key(id=f"key-{number}", instance_id=f"instance-{number % 3}") for number in range(9)
    ]
    assert KeyTable.of(keys).of_instance("instance-1") == (keys[1], keys[4], keys[7])
    assert KeyTable.of(keys).of_instance("nobody") == ()


@pytest.mark.parametrize(
    "changes",
    [{"id": "x" * 37}, {"id": "ключ"}, {"id": "a\0"}, {"key": "A" * 17}, {"revision": 2**63}],
)
def test_a_value_without_room_is_refused_and_the_table_still_grows(
    changes: dict[str, object],
) -> None:
    table = KeyTable.of([make_key()])
    with pytest.raises(ValueError, match=r"."):
        table.extended([make_key(**changes)])
    assert table == (make_key(),)
    assert table.extended([make_key(id="next")])[-1].id == "next"


def _damages(chunks: list[bytes]) -> Iterator[list[bytes]]:
    for place, chunk in enumerate(chunks):
        yield [*chunks[:place], chunk + b"\xfe", *chunks[place + 1 :]]
        if chunk:
            yield [*chunks[:place], chunk[:-1], *chunks[place + 1 :]]


def test_chunks_that_were_cut_or_grew_are_never_taken_for_a_table() -> None:
    keys = [
        make_key(id=f"key-{number}", activated_at=NOW + timedelta(number)) for number in range(3)
    ]
    for damaged in _damages(_written(KeyTable.of(keys))):
        chunks = iter(damaged)
        with pytest.raises((Damaged, ValueError)):
            list(KeyTable.read(lambda: next(chunks)))  # noqa: B023 - read at once
