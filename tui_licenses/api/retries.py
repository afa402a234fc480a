"""When a request is sent again, and how long is waited before: one table for all of them.

| what came back | sent again |
|---|---|
| no connection, or it was cut before an answer | yes |
| status 408, 425, 429, 502, 503, 504 | yes |
| any other status, a damaged answer, a certificate nobody trusts, silence | no |

Only what does no more when it comes twice is sent twice: a question, or a change with its
Idempotency-Key. What never reached the cloud may be sent again whatever it is.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tui_licenses.api.clock import parse_http_date

RETRIED_STATUSES = frozenset({408, 425, 429, 502, 503, 504})
# With these a cloud says that it has not even begun.
NOT_BEGUN_STATUSES = frozenset({401, 425, 429})

_DIGITS_MAXIMUM = 9


@dataclass(frozen=True, slots=True)
class Persistence:
    """How long a request is insisted on; all but `tries` in seconds.

    The pause before try n is anything up to `base` doubled n - 2 times, but at most `cap`.
    `whole` bounds tries and pauses together. A pause that the cloud asks for is kept instead, and
    not counted there, while all of them add up to no more than `asked`.
    """

    tries: int = 4
    base: float = 0.5
    cap: float = 8.0
    whole: float = 45.0
    asked: float = 60.0


class Tries:
    """The tries of one request."""

    def __init__(
        self, persistence: Persistence, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._persistence = persistence
        self._clock = clock
        self._started = clock()
        self._count = 1
        self._asked = 0.0

    def seconds_left(self) -> float:
        """Return how long tries and pauses of our own may still take."""
        return self._persistence.whole + self._asked - (self._clock() - self._started)

    def pause(self, headers: Mapping[str, str] | None = None) -> float | None:
        """Return how long to wait before the next try, or None where there is none.

        `headers` are those of the answer, which may ask for a pause.
        """
        limits = self._persistence
        if self._count >= limits.tries:
            return None
        asked = None if headers is None else retry_after_seconds(headers)
        if asked is not None and self._asked + asked > limits.asked:
            return None
        doubled = min(limits.cap, limits.base * 2 ** (self._count - 1))
        # Full jitter: many clients that lost the same cloud must not come back together.
        pause = random.uniform(0, doubled) if asked is None else asked  # noqa: S311
        if self.seconds_left() <= (pause if asked is None else 0):
            return None
        self._count += 1
        self._asked += asked or 0
        return pause


def retry_after_seconds(headers: Mapping[str, str]) -> int | None:
    """Return how long a cloud asks to wait (RFC 9110, 10.2.3); None where it does not say.

    A date is measured against the `Date` of the same answer: the clock here may be wrong.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return int(value) if len(value) <= _DIGITS_MAXIMUM else None
    wanted = parse_http_date(value)
    if wanted is None:
        return None
    now = parse_http_date(headers.get("date", "")) or datetime.now(UTC)
    seconds = math.ceil((wanted - now).total_seconds())
    return max(0, seconds) if seconds < 10**_DIGITS_MAXIMUM else None
