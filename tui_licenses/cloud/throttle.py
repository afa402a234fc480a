"""Limits on how often one caller may guess: token buckets, bounded in memory."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict

from tui_licenses.api.problems import Problem
from tui_licenses.cloud.instants import MICROSECONDS_PER_SECOND

# More callers than that at once: the one longest unseen starts afresh.
_CALLERS_MAXIMUM = 10_000


class Throttle:
    """A bucket per caller: `burst` at once, then one every `seconds_each`."""

    def __init__(self, burst: int, seconds_each: float) -> None:
        self._burst = burst
        self._microseconds_each = seconds_each * MICROSECONDS_PER_SECOND
        self._lock = threading.Lock()
        # Caller -> (tokens left, instant of that count).
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def check(self, caller: str, now: int) -> None:
        """Raise `Problem` (`rate-limited`) where the caller's bucket is empty; takes nothing."""
        with self._lock:
            left = self._left(caller, now)
        if left < 1:
            seconds = math.ceil((1 - left) * self._microseconds_each / MICROSECONDS_PER_SECOND)
            raise Problem(
                "rate-limited",
                f"Too many requests of this kind; the next is allowed in {seconds} s.",
                headers={"Retry-After": str(seconds)},
            )

    def take(self, caller: str, now: int) -> None:
        """Take one from the caller's bucket."""
        with self._lock:
            self._buckets[caller] = (max(0.0, self._left(caller, now) - 1), now)
            self._buckets.move_to_end(caller)
            if len(self._buckets) > _CALLERS_MAXIMUM:
                self._buckets.popitem(last=False)

    def check_and_take(self, caller: str, now: int) -> None:
        """Take one from the caller's bucket, or raise `Problem` (`rate-limited`)."""
        self.check(caller, now)
        self.take(caller, now)

    def _left(self, caller: str, now: int) -> float:
        left, since = self._buckets.get(caller, (float(self._burst), now))
        grown = max(0, now - since) / self._microseconds_each
        return min(float(self._burst), left + grown)
