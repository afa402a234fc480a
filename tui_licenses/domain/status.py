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
    expires_at = key.expires_at
    return status_of(
        key.state,
        is_blocked=key.kind is KeyKind.ADD_ON and is_blocking(master_state),
        is_expired=expires_at is not None and expires_at <= now,
        is_pending=key.starts_at is not None and key.starts_at > now,
        is_expiring=expires_at is not None and expires_at - now <= _days(expiring_days),
    )


def is_blocking(master_state: KeyState | None) -> bool:
    """Say whether a master in this state holds back the add-ons of its instance."""
    return master_state in _BLOCKING_MASTER_STATES


def status_of(
    state: KeyState, *, is_blocked: bool, is_expired: bool, is_pending: bool, is_expiring: bool
) -> KeyStatus:
    """Return the status that follows from a state and from what the clock says; first match wins.

    `is_blocked`: an add-on of an instance whose current master is blocking.
    """
    fixed = _FIXED.get(state)
    if fixed is not None:
        return fixed
    if is_blocked and state is KeyState.ACTIVE:
        return KeyStatus.SUSPENDED
    if is_expired:
        return KeyStatus.EXPIRED
    if is_pending:
        return KeyStatus.PENDING
    if is_expiring:
        return KeyStatus.EXPIRING
    return KeyStatus.ACTIVE if state is KeyState.ACTIVE else KeyStatus.UNASSIGNED


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
    if is_blocking(master_state):
        return f"The master key of this instance is {master_state}; there is no license file."
    return None
