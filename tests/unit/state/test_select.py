"""Rows of the list: grouped, filtered, sorted and counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.support.values import NOW, make_instance, make_key, make_user
from tui_licenses.domain.instance import Instance, InstanceState, Location
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.key_table import KeyTable
from tui_licenses.domain.license_key import Feature, KeyKind, KeyState, LicenseKey
from tui_licenses.domain.status import KeyStatus
from tui_licenses.state.app_state import Sort, View
from tui_licenses.state.estate import NOT_ASSIGNED_ID, RowKind
from tui_licenses.state.select import Selector, select_rows

ALL = View(show_add_ons=True)


def _instance(name: str, **changes: object) -> Instance:
    return make_instance(id=f"instance-{name}", name=name, master_key_id=f"m-{name}", **changes)


def _key(key_id: str, instance: str | None, **changes: object) -> LicenseKey:
    number = sum(ord(character) for character in key_id)
    members: dict[str, object] = {
        "id": key_id,
        "key": f"ABCDEFGH{number:08d}",
        "instance_id": None if instance is None else f"instance-{instance}",
        "instance_name": instance,
        "state": KeyState.UNASSIGNED if instance is None else KeyState.ACTIVE,
    }
    return make_key(**{**members, **changes})


def _inventory(*values: Instance | LicenseKey) -> Inventory:
    return Inventory.of(
        make_user(),
        tuple(value for value in values if isinstance(value, Instance)),
        tuple(value for value in values if isinstance(value, LicenseKey)),
        NOW,
        "0",
    )


ESTATE = _inventory(
    _instance("oslo", location=Location("NO", "Harbour"), core_version="6.10"),
    _instance("Bern", location=Location("CH", None), core_version="6.9"),
    replace(_instance("adrift"), master_key_id=None, state=InstanceState.UNLICENSED),
    _instance("gone", state=InstanceState.RETIRED),
    _key("a2-bern", "Bern", kind=KeyKind.ADD_ON, activated_at=NOW + timedelta(days=2)),
    _key("a1-bern", "Bern", kind=KeyKind.ADD_ON, activated_at=NOW + timedelta(days=1)),
    _key("old-bern", "Bern", state=KeyState.SUPERSEDED, activated_at=NOW - timedelta(days=9)),
    _key("m-Bern", "Bern"),
    _key("m-oslo", "oslo", features=(Feature("wall", "Video wall", 8),)),
    _key("loose", None),
    _key("stray", "never arrived"),
)


def _ids(inventory: Inventory, view: View) -> list[str]:
    return [row.id for row in select_rows(inventory, view, NOW).rows]


def test_keys_stand_below_their_instance_with_its_current_master_first() -> None:
    assert _ids(ESTATE, ALL) == [
        "instance-Bern",
        "m-Bern",
        "old-bern",
        "a1-bern",
        "a2-bern",
        "instance-oslo",
        "m-oslo",
        NOT_ASSIGNED_ID,
        "instance-adrift",
        "loose",
    ]


def test_add_ons_are_hidden_and_counted_until_they_are_wanted() -> None:
    hidden = select_rows(ESTATE, View(), NOW)
    assert (hidden.instance_count, hidden.key_count, hidden.hidden_add_on_count) == (3, 4, 2)
    shown = select_rows(ESTATE, ALL, NOW)
    assert (shown.instance_count, shown.key_count, shown.hidden_add_on_count) == (3, 6, 0)
    counts = {row.id: row.add_on_count for row in hidden.rows}
    assert counts["m-Bern"] == counts["instance-Bern"] == 2
    assert counts["old-bern"] == counts["m-oslo"] == 0


def test_rows_tell_kind_depth_and_status() -> None:
    rows = {row.id: row for row in select_rows(ESTATE, ALL, NOW).rows}
    assert rows["instance-Bern"].kind is RowKind.INSTANCE
    assert rows["instance-Bern"].status is InstanceState.LICENSED
    assert (rows["m-Bern"].depth, rows["a1-bern"].depth, rows["loose"].depth) == (1, 2, 1)
    assert rows["m-Bern"].instance == rows["instance-Bern"].instance
    assert rows["m-Bern"].status is KeyStatus.ACTIVE
    heading = rows[NOT_ASSIGNED_ID]
    assert (heading.kind, heading.instance, heading.key) == (RowKind.HEADING, None, None)


def test_add_ons_of_a_suspended_master_are_shown_as_suspended() -> None:
    keys = tuple(
        replace(key, state=KeyState.SUSPENDED) if key.id == "m-Bern" else key for key in ESTATE.keys
    )
    rows = {
        row.id: row for row in select_rows(replace(ESTATE, keys=KeyTable.of(keys)), ALL, NOW).rows
    }
    assert rows["a1-bern"].status is KeyStatus.SUSPENDED


def test_a_filter_finds_everything_that_is_shown_and_keeps_the_instance_above() -> None:
    for text in ("oslo", "norway", "6.10", "HARBOUR", "video", "oslo active", "wall ×8"):
        assert _ids(ESTATE, View(filter_text=f" {text} "))[-2:] in (
            ["instance-oslo", "m-oslo"],
            ["m-oslo", "loose"],
        ), text
    assert _ids(ESTATE, View(filter_text="superseded")) == ["instance-Bern", "old-bern"]
    assert _ids(ESTATE, View(filter_text="unassigned")) == [NOT_ASSIGNED_ID, "loose"]
    assert _ids(ESTATE, View(filter_text="not assigned")) == [
        NOT_ASSIGNED_ID,
        "instance-adrift",
        "loose",
    ]


def test_a_key_is_found_in_groups_and_without() -> None:
    key = next(key for key in ESTATE.keys if key.id == "m-oslo")
    for text in (key.key, key.key.lower(), f"{key.key[8:12]}-{key.key[12:]}"):
        assert _ids(ESTATE, View(filter_text=text)) == ["instance-oslo", "m-oslo"]


def test_hits_among_hidden_add_ons_are_counted() -> None:
    found = select_rows(ESTATE, View(filter_text="add-on"), NOW)
    assert [row.id for row in found.rows] == ["instance-Bern"]
    assert found.hidden_add_on_count == 2


def test_a_growing_filter_finds_what_a_fresh_one_finds() -> None:
    selector = Selector()
    for length in range(1, len("bern superseded") + 1):
        view = View(filter_text="bern superseded"[:length])
        grown = [row.id for row in selector.select(ESTATE, view, NOW).rows]
        assert grown == _ids(ESTATE, view)
    assert len(selector.select(ESTATE, View(), NOW).rows) == len(_ids(ESTATE, View()))


def test_what_did_not_change_is_not_built_again() -> None:
    selector = Selector()
    first = selector.estate(ESTATE)
    later = replace(ESTATE, fetched_at=NOW + timedelta(minutes=1))
    assert selector.estate(later) is first
    assert selector.estate(replace(ESTATE, keys=KeyTable.of())) is not first


def test_what_a_search_needs_is_made_little_by_little_and_kept_while_a_status_stands() -> None:
    selector = Selector()
    steps = 0
    while not selector.prepare(ESTATE, ALL, NOW):
        steps += 1
    assert steps > 3
    assert selector.prepare(ESTATE, replace(ALL, filter_text="x"), NOW + timedelta(minutes=1))
    assert not selector.prepare(ESTATE, ALL, NOW + timedelta(hours=1))
    assert not selector.prepare(ESTATE, replace(ALL, show_utc=True), NOW + timedelta(hours=1))


def test_a_sort_orders_instances_and_the_keys_within_them() -> None:
    def sorted_by(column_id: str, is_descending: bool = False) -> list[str]:
        return _ids(ESTATE, View(show_add_ons=True, sort=Sort(column_id, is_descending)))

    assert sorted_by("version")[0] == "instance-Bern"
    assert sorted_by("version", True)[0] == "instance-oslo"
    assert sorted_by("location")[0] == "instance-oslo"
    assert sorted_by("instance", True)[:2] == ["instance-oslo", "m-oslo"]
    assert sorted_by("status")[:2] == ["instance-Bern", "old-bern"]
    for column_id in ("instance", "key", "features", "location", "version", "status", "updated"):
        assert sorted_by(column_id)[-3] == NOT_ASSIGNED_ID
        assert sorted(sorted_by(column_id)) == sorted(_ids(ESTATE, ALL))


def test_rows_know_where_a_row_stands() -> None:
    rows = select_rows(ESTATE, View(), NOW).rows
    for index, row in enumerate(rows):
        assert rows.index_of(row.id) == index
        assert rows[index] == row
    assert rows.index_of("a1-bern") is None
    assert rows.index_of("nothing") is None
    assert [row.id for row in rows[1:3]] == ["m-Bern", "old-bern"]


def test_an_empty_inventory_has_no_rows() -> None:
    nothing = select_rows(_inventory(), View(), NOW)
    assert (len(nothing.rows), nothing.total_count) == (0, 0)


@given(st.text(max_size=30))
def test_any_filter_text_gives_a_part_of_all_rows(text: str) -> None:
    found = _ids(ESTATE, View(show_add_ons=True, filter_text=text))
    assert len(found) == len(set(found))
    assert set(found) <= set(_ids(ESTATE, ALL))


@given(
    st.sampled_from(["", "bern", "o", "add-on", "nothing"]),
    st.booleans(),
    st.sampled_from([None, "instance", "status"]),
)
def test_the_ids_of_the_shown_rows_are_theirs_without_the_heading(
    text: str, show_add_ons: bool, column_id: str | None
) -> None:
    view = View(show_add_ons=show_add_ons, filter_text=text, sort=Sort(column_id))
    rows = select_rows(ESTATE, view, NOW).rows
    assert rows.ids() == {row.id for row in rows if row.kind is not RowKind.HEADING}
    assert rows[1:3].ids() == {row.id for row in list(rows)[1:3]} - {NOT_ASSIGNED_ID}
