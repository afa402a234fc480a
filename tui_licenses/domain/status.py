"""The status a reader sees: computed from state, dates, the clock and a threshold.

A stored status would go stale by waiting; this one cannot (docs/protocol.md, States).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Protocol

from tui_licenses.domain.instance import Instance, InstanceState
from tui_licenses.domain.license_key import KeyKind, KeyState

EXPIRING_DAYS_DEFAULT = 30


class KeyStatus(StrEnum):
    """The status of a key; first match in this order wins."""

    REVOKED = "revoked"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    PENDING = "pending"
    EXPIRING = "expiring"
    ACTIVE = "active"
    UNASSIGNED = "unassigned"


# A symbol beside the word, so that no status depends on colour: (Unicode, ASCII).
STATUS_SYMBOLS: dict[str, tuple[str, str]] = {
    KeyStatus.REVOKED: ("✗", "x"),
    KeyStatus.SUSPENDED: ("‖", "="),
    KeyStatus.SUPERSEDED: ("↷", ">"),
    KeyStatus.EXPIRED: ("!", "!"),
    KeyStatus.PENDING: ("◷", "~"),
    KeyStatus.EXPIRING: ("▲", "^"),
    KeyStatus.ACTIVE: ("●", "*"),
    KeyStatus.UNASSIGNED: ("○", "o"),
    InstanceState.LICENSED: ("●", "*"),
    InstanceState.UNLICENSED: ("○", "o"),
    InstanceState.RETIRED: ("✗", "x"),
}


class DatedKey(Protocol):
    """What a status is computed from: a license key, or its JSON before the status is known."""

    @property
    def kind(self) -> KeyKind: ...
    @property
    def state(self) -> KeyState: ...
    @property
    def starts_at(self) -> datetime | None: ...
    @property
    def expires_at(self) -> datetime | None: ...


# States that are shown as they are; a key in one of the others is shown by its dates.
_FIXED = {
    KeyState.REVOKED: KeyStatus.REVOKED,
    KeyState.SUSPENDED: KeyStatus.SUSPENDED,
    KeyState.SUPERSEDED: KeyStatus.SUPERSEDED,
}
_IN_ORDER = {
    KeyState.ACTIVE: KeyStatus.ACTIVE,
    KeyState.UNASSIGNED: KeyStatus.UNASSIGNED,
}
_BLOCKING_MASTER_STATES = frozenset({KeyState.SUSPENDED, KeyState.REVOKED})


@cache
def _days(count: int) -> timedelta:
    return timedelta(days=count)


def key_status(
    key: DatedKey,
    now: datetime,
    expiring_days: int = EXPIRING_DAYS_DEFAULT,
    master_state: KeyState | None = None,
) -> KeyStatus:
    """Return the status of a key at `now`.

    `master_state` is the state of the current master of the key's instance: while that is
    suspended or revoked, active add-ons are shown as suspended.
    """
    fixed = _FIXED.get(key.state)
    if fixed is not None:
        return fixed
    if master_state in _BLOCKING_MASTER_STATES and _depends_on_master(key):
        return KeyStatus.SUSPENDED
    expires_at, starts_at = key.expires_at, key.starts_at
    if expires_at is not None and expires_at <= now:
        return KeyStatus.EXPIRED
    if starts_at is not None and starts_at > now:
        return KeyStatus.PENDING
    if expires_at is not None and expires_at - now <= _days(expiring_days):
        return KeyStatus.EXPIRING
    return _IN_ORDER[key.state]


def _depends_on_master(key: DatedKey) -> bool:
    return key.state is KeyState.ACTIVE and key.kind is KeyKind.ADD_ON


def license_file_refusal(
    instance: Instance | None, master_state: KeyState | None = None
) -> str | None:
    """Return why an instance has no license file, or None when it has one.

    `instance` is None for a key that is not assigned.
    """
    if instance is None:
        return "This key is not assigned to an instance; activate it first."
    if instance.state is InstanceState.RETIRED:
        return "This instance is retired."
    if instance.master_key_id is None:
        return "This instance has no master key; activate one first."
    if master_state in _BLOCKING_MASTER_STATES:
        return f"The master key of this instance is {master_state}; there is no license file."
    return None
