"""How far away an instant is, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

_UNITS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


def relative_text(instant: datetime, now: datetime) -> str:
    """Return how long ago an instant was, or in how long it will be, in its largest unit."""
    distance = abs(instant - now)
    for length, unit in _UNITS:
        count = distance // length
        if count:
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"{words} ago" if instant < now else f"in {words}"
    return "just now" if instant <= now else "in a moment"
