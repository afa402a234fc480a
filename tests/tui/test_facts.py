"""What is told about keys and instances, as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.values import NOW, make_instance, make_key
from tui_licenses.domain.instance import Location
from tui_licenses.domain.license_key import Feature, KeyKind, KeyState
from tui_licenses.state.ages import relative_text
from tui_licenses.tui.facts import (
    contents_text,
    features_text,
    fingerprint_text,
    instance_keys,
    instant_text,
    location_text,
    validity_text,
)


@pytest.mark.parametrize(
    ("distance", "text"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=-59), "just now"),
        (timedelta(seconds=59), "in a moment"),
        (timedelta(minutes=-1), "1 minute ago"),
        (timedelta(hours=5), "in 5 hours"),
        (timedelta(days=-29), "29 days ago"),
        (timedelta(days=45), "in 1 month"),
        (timedelta(days=-800), "2 years ago"),
    ],
)
def test_a_distance_in_time_is_told_in_its_largest_unit(distance: timedelta, text: str) -> None:
    assert relative_text(NOW + distance, NOW) == text


def test_an_instant_is_rfc_3339_with_its_distance() -> None:
    instant = datetime(2026, 6, 1, 11, tzinfo=UTC)
    assert instant_text(instant, NOW, show_utc=True) == "2026-06-01T11:00:00Z (1 hour ago)"
    assert instant_text(None, NOW, show_utc=True) == "unknown"


def test_validity_tells_start_end_and_when_it_stops() -> None:
    ends = NOW + timedelta(days=10)
    key = make_key(starts_at=NOW, expires_at=ends, terminates_at=ends + timedelta(days=30))
    assert validity_text(key, NOW, show_utc=True) == (
        "from 2026-06-01 until 2026-06-11 (in 10 days), stops 2026-07-11"
    )
    assert validity_text(make_key(), NOW, show_utc=True) == "perpetual"


def test_features_are_told_with_their_quantities_and_cleaned() -> None:
    features = (Feature("cal", "User CALs", 25), Feature("x", "A\x1b[1m", None))
    assert features_text(features) == "User CALs ×25, A‹U+001B›[1m"
    assert features_text(()) == "none"


def test_a_location_is_country_code_and_place() -> None:
    assert location_text(Location("DE", None)) == "Germany (DE)"
    assert location_text(Location("DE", "Rack\n4")) == "Germany (DE), Rack 4"


def test_a_missing_fingerprint_says_whether_there_is_a_profile() -> None:
    without = make_instance(fingerprint=None)
    assert fingerprint_text(without) == "none: the server profile has no identity"
    assert fingerprint_text(make_instance(fingerprint=None, profile_revision=0)) == "unknown"
    assert fingerprint_text(make_instance()) == "abababababababab…"


def test_a_license_file_counts_active_add_ons_only() -> None:
    add_on = make_key(kind=KeyKind.ADD_ON)
    suspended = make_key(kind=KeyKind.ADD_ON, state=KeyState.SUSPENDED)
    assert contents_text((make_key(), add_on, suspended)) == "contains 1 master + 1 add-on"
    assert contents_text((make_key(), add_on, add_on)) == "contains 1 master + 2 add-ons"


def test_the_keys_of_an_instance_begin_with_its_current_master() -> None:
    old = make_key(id="old", state=KeyState.SUPERSEDED)
    add_on = make_key(id="add-on", kind=KeyKind.ADD_ON)
    current = make_key(id="current")
    elsewhere = make_key(id="elsewhere", instance_id="other")
    found = instance_keys((add_on, old, elsewhere, current), make_instance().id)
    assert [key.id for key in found] == ["current", "old", "add-on"]
