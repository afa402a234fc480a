"""Limits on how often one caller may guess: bounded in memory, and never in the owner's way."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from dataclasses import dataclass

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
            raise _too_many((1 - left) * self._microseconds_each)

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


def _too_many(microseconds: float) -> Problem:
    seconds = math.ceil(microseconds / MICROSECONDS_PER_SECOND)
    return Problem(
        "rate-limited",
        f"Too many requests of this kind; the next is allowed in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )


_MINUTE = 60 * MICROSECONDS_PER_SECOND
# 12 s after the fifth failure: five a minute. Each failure after that doubles the wait.
_FIRST_WAIT = 12 * MICROSECONDS_PER_SECOND
_LONGEST_WAIT = 15 * _MINUTE
_DOUBLINGS_MAXIMUM = 10


@dataclass(slots=True)
class _Failures:
    """The failures of one caller: how many, when they began, until when further ones wait."""

    count: int
    since: int
    until: int


class FailureLimit:
    """Failed sign-ins of each caller: `free` in a minute, then ever longer waits.

    It is asked after a sign-in has failed, never before: whoever has the right token signs in,
    however many others failed in the same name or from the same place.
    """

    def __init__(self, free: int = 5) -> None:
        self._free = free
        self._lock = threading.Lock()
        self._callers: OrderedDict[bytes, _Failures] = OrderedDict()

    def count(self, caller: str, now: int) -> None:
        """Count a failure, or raise `Problem` (`rate-limited`) for one during a wait."""
        # What a caller says of itself can be long; a digest is not.
        key = hashlib.sha256(caller.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            known = self._callers.get(key)
            if known is None or self._is_forgotten(known, now):
                known = self._callers[key] = _Failures(0, now, now)
            self._callers.move_to_end(key)
            if len(self._callers) > _CALLERS_MAXIMUM:
                self._callers.popitem(last=False)
            if now < known.until:
                raise _too_many(known.until - now)
            known.count += 1
            over = min(known.count - self._free, _DOUBLINGS_MAXIMUM)
            if over >= 0:
                known.until = now + min(_FIRST_WAIT * 2**over, _LONGEST_WAIT)

    def _is_forgotten(self, known: _Failures, now: int) -> bool:
        if known.count < self._free:
            return now - known.since >= _MINUTE
        return now - known.until >= _LONGEST_WAIT


class RefusedSignIns:
    """The failed sign-ins of one running cloud, counted by subject and by address."""

    def __init__(self, free: int = 5) -> None:
        self._by_subject = FailureLimit(free)
        self._by_address = FailureLimit(free)

    def count(self, subject_id: str, address: str, now: int) -> None:
        """Count a failure for both; raises `Problem` (`rate-limited`)."""
        self._by_subject.count(subject_id, now)
        # Without an address it came from within this process.
        if address:
            self._by_address.count(address, now)
