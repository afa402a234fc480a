"""The status of a key follows from state, dates and the clock; the first match wins."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.values import NOW, make_instance, make_key
from tui_licenses.domain.instance import InstanceState
from tui_licenses.domain.license_key import KeyKind, KeyState
from tui_licenses.domain.status import (
    STATUS_SYMBOLS,
    KeyStatus,
    key_status,
    license_file_refusal,
)

DAY = timedelta(days=1)
MOMENTS = st.none() | st.integers(-90, 90).map(lambda days: NOW + days * DAY)


@pytest.mark.parametrize(
    ("state", "starts", "expires", "status"),
    [
        (KeyState.REVOKED, None, -1, KeyStatus.REVOKED),
        (KeyState.SUSPENDED, None, -1, KeyStatus.SUSPENDED),
        (KeyState.SUPERSEDED, None, -1, KeyStatus.SUPERSEDED),
        (KeyState.ACTIVE, None, -1, KeyStatus.EXPIRED),
        (KeyState.ACTIVE, None, 0, KeyStatus.EXPIRED),
        (KeyState.UNASSIGNED, 5, -1, KeyStatus.EXPIRED),
        (KeyState.ACTIVE, 5, 10, KeyStatus.PENDING),
        (KeyState.ACTIVE, 0, 30, KeyStatus.EXPIRING),
        (KeyState.ACTIVE, 0, 31, KeyStatus.ACTIVE),
        (KeyState.ACTIVE, None, None, KeyStatus.ACTIVE),
        (KeyState.UNASSIGNED, None, 10, KeyStatus.EXPIRING),
        (KeyState.UNASSIGNED, None, None, KeyStatus.UNASSIGNED),
    ],
)
def test_the_first_matching_status_is_shown(
    state: KeyState, starts: int | None, expires: int | None, status: KeyStatus
) -> None:
    key = make_key(
        state=state,
        starts_at=None if starts is None else NOW + starts * DAY,
        expires_at=None if expires is None else NOW + expires * DAY,
    )
    assert key_status(key, NOW) is status


def test_the_threshold_of_expiring_can_be_set() -> None:
    key = make_key(expires_at=NOW + 10 * DAY)
    assert key_status(key, NOW, expiring_days=9) is KeyStatus.ACTIVE
    assert key_status(key, NOW, expiring_days=10) is KeyStatus.EXPIRING


@pytest.mark.parametrize("master_state", [KeyState.SUSPENDED, KeyState.REVOKED])
def test_add_ons_of_a_blocked_master_are_shown_as_suspended(master_state: KeyState) -> None:
    add_on = make_key(kind=KeyKind.ADD_ON)
    assert key_status(add_on, NOW, master_state=master_state) is KeyStatus.SUSPENDED
    assert key_status(make_key(), NOW, master_state=master_state) is KeyStatus.ACTIVE
    idle = make_key(kind=KeyKind.ADD_ON, state=KeyState.UNASSIGNED)
    assert key_status(idle, NOW, master_state=master_state) is KeyStatus.UNASSIGNED
    assert key_status(add_on, NOW, master_state=KeyState.ACTIVE) is KeyStatus.ACTIVE


@given(st.sampled_from(KeyState), st.sampled_from(KeyKind), MOMENTS, MOMENTS)
def test_every_key_has_exactly_one_status_with_a_symbol(
    state: KeyState, kind: KeyKind, starts: object, expires: object
) -> None:
    status = key_status(make_key(state=state, kind=kind, starts_at=starts, expires_at=expires), NOW)
    assert status in STATUS_SYMBOLS
    symbol, plain = STATUS_SYMBOLS[status]
    assert len(symbol) == 1
    assert plain.isascii()


def test_a_license_file_is_there_or_its_absence_is_explained() -> None:
    assert license_file_refusal(make_instance(), KeyState.ACTIVE) is None
    assert "not assigned" in str(license_file_refusal(None))
    assert "retired" in str(license_file_refusal(make_instance(state=InstanceState.RETIRED)))
    assert "no master" in str(license_file_refusal(make_instance(master_key_id=None)))
    assert "suspended" in str(license_file_refusal(make_instance(), KeyState.SUSPENDED))
