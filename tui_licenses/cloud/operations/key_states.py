"""Suspending, reinstating and revoking keys: done by whoever runs the cloud, not by its users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, or_

from tui_licenses.cloud import tables
from tui_licenses.cloud.operations.audit import Author, record
from tui_licenses.cloud.operations.change_set import ChangeSet
from tui_licenses.cloud.operations.license_files import refresh_license_file
from tui_licenses.cloud.rows import (
    AnyRow,
    current_instance,
    find_key_row,
    instance_keys,
    key_select,
    read_key,
)
from tui_licenses.domain.instance import InstanceState
from tui_licenses.domain.license_key import KeyKind, KeyState, LicenseKey, mask_key, normalise_key
from tui_licenses.errors import NotFoundError, StateError, UseError

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store


def find_key(connection: Connection, key: str) -> AnyRow:
    """Return the row of a key by its id or its sixteen characters; raises `NotFoundError`."""
    table = tables.license_key
    try:
        canonical = normalise_key(key)
    except UseError:
        canonical = key
    row = connection.execute(
        key_select().where(or_(table.c.id == key, table.c.key == canonical))
    ).one_or_none()
    if row is None:
        raise NotFoundError(
            "key-not-found", "There is no such license key.", "Give its id or its 16 characters."
        )
    return row


def suspend(store: Store, connection: Connection, key: str, reason: str) -> LicenseKey:
    """Suspend an active key: its instance's license file loses it."""
    row = find_key(connection, key)
    if row.state != KeyState.ACTIVE:
        raise _wrong_state(row, "Only an active key can be suspended.")
    return _move(store, connection, row, KeyState.SUSPENDED, reason)


def reinstate(store: Store, connection: Connection, key: str, reason: str) -> LicenseKey:
    """Make a suspended key active again, or unassigned where its instance is gone."""
    row = find_key(connection, key)
    if row.state != KeyState.SUSPENDED:
        raise _wrong_state(row, "Only a suspended key can be reinstated.")
    state = KeyState.UNASSIGNED if row.instance_id is None else KeyState.ACTIVE
    return _move(store, connection, row, state, reason)


def revoke(store: Store, connection: Connection, key: str, reason: str) -> LicenseKey:
    """Revoke a key for good; an instance that loses its master this way is unlicensed."""
    row = find_key(connection, key)
    if row.state == KeyState.REVOKED:
        raise _wrong_state(row, "It stays so.")
    return _move(store, connection, row, KeyState.REVOKED, reason)


def _wrong_state(row: AnyRow, next_step: str) -> StateError:
    code = f"key-{row.state}"
    return StateError(code, f"This key is {row.state}.", next_step)


_ACTIONS = {
    KeyState.SUSPENDED: "key.suspended",
    KeyState.REVOKED: "key.revoked",
    KeyState.ACTIVE: "key.reinstated",
    KeyState.UNASSIGNED: "key.reinstated",
}


def _move(
    store: Store, connection: Connection, row: AnyRow, state: KeyState, reason: str
) -> LicenseKey:
    now = store.now()
    changes = ChangeSet(now)
    changes.change_key(row, state=state)
    serial: int | None = None
    if row.instance_id is not None:
        instance = current_instance(connection, row.instance_id)
        values: dict[str, object] = {}
        if row.kind == KeyKind.MASTER and instance.master_key_id == row.id:
            # The add-ons of a master are shown as it is.
            for key in instance_keys(connection, instance.id):
                changes.touch_key(key)
            if state is KeyState.REVOKED:
                values["state"] = InstanceState.UNLICENSED
        changes.change_instance(instance, **values)
    changes.apply(connection)
    if row.instance_id is not None:
        changed = current_instance(connection, row.instance_id)
        file = refresh_license_file(store, connection, changed, now)
        serial = None if file is None else file.serial
    record(
        connection,
        Author.administrator(row.account_id, now),
        _ACTIONS[state],
        ("key", row.id),
        before={"key": mask_key(row.key), "state": row.state},
        after={"state": state, "reason": reason, "licenseFileSerial": serial},
    )
    return read_key(find_key_row(connection, row.id) or row)
