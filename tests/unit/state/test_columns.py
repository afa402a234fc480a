"""The texts of the columns, and what they are sorted by."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.values import NOW, make_instance, make_key
from tui_licenses.domain.instance import InstanceState, Location
from tui_licenses.domain.license_key import Feature
from tui_licenses.domain.status import KeyStatus
from tui_licenses.state.app_state import View
from tui_licenses.state.columns import (
    COLUMNS,
    features_text,
    find_column,
    instant_text,
    shorten_features,
    shorten_location,
    status_text,
    version_order,
)
from tui_licenses.state.estate import Row, RowKind

KEY_ROW = Row("k", RowKind.KEY, make_instance(), make_key(), KeyStatus.ACTIVE, 0, 1)
INSTANCE_ROW = Row("i", RowKind.INSTANCE, make_instance(), None, InstanceState.LICENSED, 0, 0)
HEADING = Row("n", RowKind.HEADING, None, None, None, 0, 0)
UTC_VIEW = View(show_utc=True)


def _cells(row: Row, view: View = UTC_VIEW) -> list[str]:
    return [column.cell(row, view, NOW) for column in COLUMNS]


def test_a_key_row_tells_all_the_tab_tells() -> None:
    assert _cells(KEY_ROW) == [
        "Berlin",
        "ABCD-EFGH-1234-5678",
        "Core",
        "Germany",
        "4.2.0",
        "● Active",
        "2026-06-01 12:00Z",
    ]


def test_an_instance_row_has_no_key_and_a_heading_only_its_name() -> None:
    assert _cells(INSTANCE_ROW) == [
        "Berlin",
        "",
        "",
        "Germany",
        "4.2.0",
        "● Licensed",
        "2026-06-01 12:00Z",
    ]
    assert _cells(HEADING) == ["Not assigned", "", "", "", "", "", ""]


def test_a_key_of_an_instance_that_is_not_there_still_names_it() -> None:
    row = Row("k", RowKind.KEY, None, make_key(instance_name="Oslo"), KeyStatus.ACTIVE, 0, 1)
    assert _cells(row)[0] == "Oslo"


def test_masking_leaves_the_last_four() -> None:
    assert _cells(KEY_ROW, View(mask_keys=True))[1] == "••••-••••-••••-5678"


def test_a_version_that_was_never_reported_is_unknown() -> None:
    row = Row("i", RowKind.INSTANCE, make_instance(core_version=None), None, None, 0, 0)
    assert _cells(row)[4] == "unknown"


def test_hostile_names_are_cleaned_in_every_cell() -> None:
    instance = make_instance(
        name="\x1b[31mx", core_version="6\x07", location=Location("\x1b", None)
    )
    key = make_key(features=(Feature("a", "\u202ea", None),))
    row = Row("k", RowKind.KEY, instance, key, KeyStatus.ACTIVE, 0, 1)
    for cell in _cells(row):
        assert "\x1b" not in cell
        assert "\u202e" not in cell
        assert "\x07" not in cell


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (40, "Core server, Signage ×25, Video wall"),
        (30, "Core server, Signage ×25 +1"),
        (20, "Core server +2"),
        (10, "Core s… +2"),
    ],
)
def test_features_that_do_not_fit_are_counted(width: int, shown: str) -> None:
    key = make_key(
        features=(
            Feature("c", "Core server", None),
            Feature("s", "Signage", 25),
            Feature("v", "Video wall", None),
        )
    )
    assert shorten_features(features_text(key.features), width) == shown


def test_a_single_long_feature_is_cut_without_a_count() -> None:
    assert shorten_features("Playback analytics", 10) == "Playback …"


def test_a_country_that_does_not_fit_is_told_by_its_code() -> None:
    assert shorten_location("United Kingdom", 14) == "United Kingdom"
    assert shorten_location("United Kingdom", 8) == "GB"
    assert shorten_location("Nowhere at all", 8) == "Nowhere…"


def test_a_status_is_a_symbol_and_a_word() -> None:
    assert status_text(KeyStatus.EXPIRING) == "▲ Expiring"
    assert status_text(InstanceState.PENDING) == "◷ Pending"
    assert status_text(None) == ""


def test_instants_are_local_or_utc() -> None:
    instant = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    assert instant_text(instant, UTC_VIEW) == "2026-01-02 03:04Z"
    assert instant_text(instant, View()) == instant.astimezone().strftime("%Y-%m-%d %H:%M")
    assert instant_text(None, View()) == ""


def test_versions_are_ordered_by_their_numbers() -> None:
    versions = ["6.10", "6.9", None, "6.10-beta", "6", "10.0"]
    ordered = sorted(versions, key=version_order)
    assert ordered == [None, "6", "6.9", "6.10", "6.10-beta", "10.0"]


def test_every_column_can_sort_every_kind_of_row() -> None:
    for column in COLUMNS:
        values = [column.sort_key(row) for row in (KEY_ROW, INSTANCE_ROW, HEADING)]
        assert sorted(values) is not None
        assert find_column(column.id) is column
        assert column.minimum <= column.width
