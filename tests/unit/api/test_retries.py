"""Pauses between tries grow, are random, and stop before they become a nuisance."""

from __future__ import annotations

import pytest

from tui_licenses.api.retries import Persistence, Tries, retry_after_seconds

DATE = "Wed, 01 Jul 2026 12:00:00 GMT"


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_four_tries_have_three_pauses_each_up_to_twice_the_last() -> None:
    seen: list[list[float]] = [[], [], []]
    for _ in range(500):
        tries = Tries(Persistence())
        for pauses in seen:
            pause = tries.pause()
            assert pause is not None
            pauses.append(pause)
        assert tries.pause() is None
    for pauses, most in zip(seen, (0.5, 1.0, 2.0), strict=True):
        assert 0 <= min(pauses) < most / 10
        assert most * 0.9 < max(pauses) <= most


def test_no_pause_is_longer_than_eight_seconds() -> None:
    tries = Tries(Persistence(tries=20, whole=10_000))
    pauses = [tries.pause() or 0.0 for _ in range(19)]
    assert max(pauses) <= 8


def test_tries_end_after_45_seconds_in_all() -> None:
    time = Time()
    tries = Tries(Persistence(), time)
    time.seconds += 44.9999
    assert tries.seconds_left() == pytest.approx(0.0001)
    assert tries.pause() is None


def test_a_pause_that_is_asked_for_is_kept_on_top_of_that_up_to_a_minute() -> None:
    time = Time()
    tries = Tries(Persistence(), time)
    assert tries.pause({"retry-after": "50"}) == 50
    time.seconds += 50
    assert tries.seconds_left() == 45
    assert tries.pause({"retry-after": "11"}) is None
    assert tries.pause({"retry-after": "10"}) == 10
    assert Tries(Persistence()).pause({"retry-after": "61"}) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("Wed, 01 Jul 2026 12:02:00 GMT", 120),
        ("Wed, 01 Jul 2026 11:00:00 GMT", 0),
        ("Fri, 01 Jan 9999 00:00:00 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("９", None),
        ("9" * 20, None),
        ("", None),
    ],
)
def test_a_pause_is_read_in_seconds_and_as_a_date_by_the_clouds_own_clock(
    value: str, seconds: int | None
) -> None:
    assert retry_after_seconds({"retry-after": value, "date": DATE}) == seconds
