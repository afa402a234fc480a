"""The cloud's clock is read from its answers, and a difference is told in plain words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tui_licenses.api.clock import ServerClock, parse_http_date

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
DATE = "Wed, 01 Jul 2026 12:00:00 GMT"


def clock_that_is(ahead: timedelta) -> ServerClock:
    clock = ServerClock(lambda: NOON + ahead, lambda: 0.0)
    clock.observe(DATE)
    return clock


def test_before_the_first_answer_nothing_is_known() -> None:
    clock = ServerClock()
    clock.observe(None)
    clock.observe("tomorrow")
    assert (clock.now(), clock.difference_seconds(), clock.warning()) == (None, None, None)


def test_time_goes_on_by_a_clock_that_nobody_sets() -> None:
    passed = [100.0]
    clock = ServerClock(lambda: NOON, lambda: passed[0])
    clock.observe(DATE)
    passed[0] += 3600
    assert clock.now() == NOON + timedelta(hours=1, seconds=0.5)


@pytest.mark.parametrize("seconds", [0, 30, -30])
def test_a_small_difference_is_nobodys_business(seconds: int) -> None:
    assert clock_that_is(timedelta(seconds=seconds)).warning() is None


@pytest.mark.parametrize(("seconds", "way"), [(90, "ahead of"), (-90, "behind")])
def test_a_difference_is_told_with_its_direction(seconds: int, way: str) -> None:
    warning = clock_that_is(timedelta(seconds=seconds)).warning()
    assert warning == f"The clock of this host is 90 seconds {way} the license cloud's."


def test_a_large_difference_takes_the_dates_with_it() -> None:
    warning = clock_that_is(timedelta(days=1)).warning()
    assert warning is not None
    assert "86,400 seconds ahead of" in warning
    assert "dates and expiry may be wrong" in warning


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 100,
        "Wed, 99 Jul 2026 12:00:00 GMT",
        "０1 Jul 2026",
        "\0",
        DATE[:-4] + " +99999999",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_http_date(text) is None


def test_a_date_in_another_zone_is_the_same_instant() -> None:
    assert parse_http_date("Wed, 01 Jul 2026 14:00:00 +0200") == NOON
    assert parse_http_date(DATE) == NOON
