"""The clock of the license cloud, read from the `Date` of its answers (RFC 9110, 6.6.1)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from tui_licenses.errors import DocumentError

# Beyond these the difference is told, and dates of licenses are not judged by this host's clock.
WARN_SECONDS = 30
JUDGE_SECONDS = 300

# A `Date` has no fractions: on average it is half a second old when it is written.
_HALF_A_SECOND = timedelta(seconds=0.5)
_LENGTH_MAXIMUM = 64


def _now() -> datetime:
    return datetime.now(UTC)


def boot_seconds() -> float:
    """Return the seconds since this machine was started, those it slept included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ServerClock:
    """What time it is at the cloud; it goes on by the clock of this boot, which nobody sets.

    That one counts the time the machine slept, as the cloud's does.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = _now,
        monotonic: Callable[[], float] = boot_seconds,
    ) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._known: tuple[datetime, float] | None = None

    def observe(self, date: str | None) -> None:
        """Take the `Date` of an answer that has just arrived; anything else is passed over."""
        at = parse_http_date(date or "")
        if at is not None:
            self._known = at + _HALF_A_SECOND, self._monotonic()

    def now(self) -> datetime | None:
        """Return what time it is at the cloud; None before its first answer."""
        if self._known is None:
            return None
        at, monotonic = self._known
        return at + timedelta(seconds=self._monotonic() - monotonic)

    def difference_seconds(self) -> int | None:
        """Return how far this host is ahead of the cloud, in whole seconds; None if not known."""
        at = self.now()
        return None if at is None else round((self._clock() - at).total_seconds())

    def check(self) -> None:
        """Refuse to judge dates of licenses by a clock that is known to be wrong.

        Raises `DocumentError` (`clock-wrong`).
        """
        difference = self.difference_seconds() or 0
        if abs(difference) > JUDGE_SECONDS:
            raise DocumentError(
                "clock-wrong",
                f"{_told(difference)}: the dates of license files cannot be judged.",
                "Set the clock of this host (`timedatectl`, chrony) and try again.",
            )

    def warning(self) -> str | None:
        """Return what to tell of this host's clock, or None where it is right or not known."""
        difference = self.difference_seconds()
        if difference is None or abs(difference) <= WARN_SECONDS:
            return None
        if abs(difference) <= JUDGE_SECONDS:
            return f"{_told(difference)}."
        return f"{_told(difference)}: dates and expiry shown here may be wrong. Set the clock."


def _told(difference: int) -> str:
    way = "ahead of" if difference > 0 else "behind"
    return f"The clock of this host is {abs(difference):,} seconds {way} the license cloud's"


def parse_http_date(text: str) -> datetime | None:
    """Return the instant of an HTTP date; None for anything that is none."""
    if len(text) > _LENGTH_MAXIMUM or not text.isascii():
        return None
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # A date without a zone is UTC, as all of them must be.
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
