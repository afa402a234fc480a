"""Releasing keys: an active key becomes free for another instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import WireReleaseRequest
from tui_licenses.cloud.http.call import check_text, invalid
from tui_licenses.cloud.operations.audit import Author, record
from tui_licenses.cloud.operations.change_set import ChangeSet
from tui_licenses.cloud.operations.license_files import refresh_license_file
from tui_licenses.cloud.rows import AnyRow, current_instance, find_key_row, instance_keys
from tui_licenses.domain.instance import InstanceState
from tui_licenses.domain.license_key import KeyKind, KeyState, mask_key

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store

_REFUSED = {
    KeyState.REVOKED: ("key-revoked", "This key is revoked and cannot be released."),
    KeyState.SUSPENDED: ("key-suspended", "This key is suspended and cannot be released."),
    KeyState.SUPERSEDED: ("key-superseded", "This key was replaced and cannot be released."),
}


def release_key(
    store: Store,
    connection: Connection,
    author: Author,
    row: AnyRow,
    request: WireReleaseRequest,
) -> AnyRow:
    """Release a key of the account and return its row; a free key stays as it is.

    A master takes its add-ons with it where `cascade` says so. Raises `Problem`.
    """
    reason = check_text("/reason", request.reason)
    if reason is None:
        raise invalid("/reason", "A reason must be given.")
    state = KeyState(row.state)
    if state in _REFUSED:
        raise Problem(*_REFUSED[state])
    if state is KeyState.UNASSIGNED:
        return row
    instance = current_instance(connection, row.instance_id)
    released = [row, *_dependants(connection, row, cascade=request.cascade)]
    changes = ChangeSet(author.now)
    for key in released:
        detach(changes, key)
    values: dict[str, object] = {}
    if row.kind == KeyKind.MASTER:
        values = {"master_key_id": None, "state": InstanceState.UNLICENSED}
    changes.change_instance(instance, **values)
    changes.apply(connection)
    changed = current_instance(connection, instance.id)
    file = refresh_license_file(store, connection, changed, author.now)
    record(
        connection,
        author,
        "key.released",
        ("key", row.id),
        before={"instanceId": instance.id, "keys": [mask_key(key.key) for key in released]},
        after={"reason": reason, "licenseFileSerial": None if file is None else file.serial},
    )
    return find_key_row(connection, row.id) or row


def detach(changes: ChangeSet, key: AnyRow) -> None:
    """Free a key of its instance; a suspended one stays suspended."""
    state = KeyState.UNASSIGNED if key.state == KeyState.ACTIVE else key.state
    changes.change_key(key, state=state, instance_id=None, activation_id=None, activated_at=None)


def _dependants(connection: Connection, row: AnyRow, *, cascade: bool) -> list[AnyRow]:
    """Return the add-ons that a released master takes with it; raises `Problem`."""
    if row.kind != KeyKind.MASTER:
        return []
    add_ons = [
        key
        for key in instance_keys(connection, row.instance_id)
        if key.kind == KeyKind.ADD_ON and key.state in {KeyState.ACTIVE, KeyState.SUSPENDED}
    ]
    if add_ons and not cascade:
        raise Problem(
            "release-would-orphan-addons",
            f"{len(add_ons)} add-on keys depend on this master key.",
        )
    return add_ons
