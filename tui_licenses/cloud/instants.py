"""Instants as the database keeps them: whole microseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

MICROSECONDS_PER_SECOND = 1_000_000

# Later than any date a key can have; a list sorted by expiry ends with the perpetual keys.
NEVER = 2**62


def to_instant(moment: datetime) -> int:
    """Return the stored form of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def to_optional_instant(moment: datetime | None) -> int | None:
    """Return the stored form of a datetime that may be absent."""
    return None if moment is None else to_instant(moment)


def from_instant(instant: int) -> datetime:
    """Return the datetime of a stored instant."""
    # By position (days, seconds, microseconds): naming it doubles the time.
    return _EPOCH + timedelta(0, 0, instant)


def from_optional_instant(instant: int | None) -> datetime | None:
    """Return the datetime of a stored instant that may be absent."""
    return None if instant is None else from_instant(instant)
