"""Activations: the keys of a request checked as a set, then assigned all or none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import Connection, insert, select

from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import (
    WireActivation,
    WireActivationPreview,
    WireActivationRequest,
    WireLicenseFile,
    WireLicenseKey,
)
from tui_licenses.cloud import tables
from tui_licenses.cloud.instants import from_instant
from tui_licenses.cloud.operations.activation_check import CheckedActivation, check_activation
from tui_licenses.cloud.operations.audit import Author, record
from tui_licenses.cloud.operations.change_set import ChangeSet, write_instance_words
from tui_licenses.cloud.operations.instances import add_instance
from tui_licenses.cloud.operations.license_files import (
    license_file_summary,
    refresh_license_file,
    wire_license_file,
)
from tui_licenses.cloud.operations.profiles import store_profile
from tui_licenses.cloud.rows import (
    AnyRow,
    current_instance,
    find_key_row,
    instance_keys,
    read_key,
    wire_details,
    wire_instance,
    wire_key,
    wire_of_key,
)
from tui_licenses.domain.instance import InstanceState
from tui_licenses.domain.license_key import KeyKind, KeyState, mask_key

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store

_IN_USE = frozenset({KeyState.ACTIVE, KeyState.SUSPENDED})


@dataclass(frozen=True, slots=True)
class ActivationOutcome:
    """What an activation answers; `changed` is false where every key was active there already."""

    activation: WireActivation
    changed: bool


def preview_activation(
    connection: Connection, author: Author, request: WireActivationRequest
) -> WireActivationPreview:
    """Return the keys before and after an activation, and all its problems; writes nothing."""
    checked = check_activation(connection, author, request)
    now = from_instant(author.now)
    instance = checked.instance
    rows = [] if instance is None else instance_keys(connection, instance.id)
    visible = [row for row in rows if row.account_id == author.account_id and row.state in _IN_USE]
    before = [wire_key(row, now) for row in visible]
    return WireActivationPreview(
        instance=None if instance is None else wire_instance(instance),
        before=before,
        after=before if checked.problems else _keys_after(checked, visible, author),
        problems=wire_details(checked.problems),
    )


def _keys_after(
    checked: CheckedActivation, before: list[AnyRow], author: Author
) -> list[WireLicenseKey]:
    now = from_instant(author.now)
    master = checked.new_master
    kept = [row for row in before if master is None or row.kind != KeyKind.MASTER]
    if master is not None:
        master_id, master_state = master.id, KeyState.ACTIVE
    else:
        master_id = None if checked.instance is None else checked.instance.master_key_id
        master_state = KeyState.ACTIVE
    keys = [read_key(row) for row in kept]
    for row in checked.new_keys:
        is_master = row.kind == KeyKind.MASTER
        keys.append(
            replace(
                read_key(row),
                state=KeyState.ACTIVE,
                instance_id=None if checked.instance is None else checked.instance.id,
                instance_name=checked.instance_name,
                master_key_id=None if is_master else master_id,
                activated_at=now,
            )
        )
    # Masters first; the sort keeps the order of activation among the add-ons.
    keys.sort(key=lambda key: not key.is_master)
    return [wire_of_key(key, now, master_state) for key in keys]


def refuse(checked: CheckedActivation) -> None:
    """Raise `Problem` with the code of the first problem and the details of all."""
    if not checked.problems:
        return
    first = checked.problems[0]
    count = len(checked.problems)
    detail = first.message if count == 1 else f"{count} problems. The first: {first.message}"
    raise Problem(first.code, detail, errors=checked.problems)


def activate(
    store: Store, connection: Connection, author: Author, request: WireActivationRequest
) -> ActivationOutcome:
    """Assign keys to an instance; raises `Problem` and changes nothing unless all can be."""
    checked = check_activation(connection, author, request)
    refuse(checked)
    if not checked.changes_something and checked.instance is not None:
        return _unchanged(connection, author, checked, checked.instance)
    activation_id = str(uuid4())
    instance = checked.instance
    created = instance is None
    if instance is None:
        columns = {"id": str(uuid4()), **checked.new_instance}
        instance = add_instance(connection, author, columns)
        write_instance_words(connection, instance.account_id, instance.id, instance.name)
    table = tables.activation
    activation = connection.execute(
        insert(table)
        .values(
            id=activation_id,
            account_id=author.account_id,
            instance_id=instance.id,
            created_at=author.now,
        )
        .returning(table)
    ).one()
    superseded = _apply(connection, author, checked, instance, activation_id)
    changed = current_instance(connection, instance.id)
    file = refresh_license_file(store, connection, changed, author.now)
    record(
        connection,
        author,
        "keys.activated",
        ("instance", instance.id),
        before=None if superseded is None else {"master": mask_key(superseded.key)},
        after={
            "activationId": activation_id,
            "keys": [mask_key(row.key) for row in checked.new_keys],
            "instanceCreated": created,
            "profileRevision": changed.profile_revision,
            "licenseFileSerial": None if file is None else file.serial,
        },
    )
    answer = _wire(connection, author, checked, changed, activation, wire_license_file(file))
    return ActivationOutcome(answer, changed=True)


def _apply(
    connection: Connection,
    author: Author,
    checked: CheckedActivation,
    instance: AnyRow,
    activation_id: str,
) -> AnyRow | None:
    """Write the rows of an activation; return the master that was superseded, if any."""
    now = author.now
    changes = ChangeSet(now)
    values: dict[str, object] = {}
    if checked.profile is not None and checked.facts is not None:
        values |= store_profile(connection, instance, checked.profile, checked.facts, now)
    superseded: AnyRow | None = None
    if checked.new_master is not None:
        values |= {
            "master_key_id": checked.new_master.id,
            "state": InstanceState.LICENSED,
            "activated_at": now,
        }
        for row in instance_keys(connection, instance.id):
            if row.id == instance.master_key_id and row.state in _IN_USE:
                superseded = row
                changes.change_key(row, state=KeyState.SUPERSEDED)
            else:
                changes.touch_key(row)
    for row in checked.new_keys:
        changes.change_key(
            row,
            state=KeyState.ACTIVE,
            instance_id=instance.id,
            activation_id=activation_id,
            activated_at=now,
        )
    changes.change_instance(instance, **values)
    changes.apply(connection)
    return superseded


def _unchanged(
    connection: Connection, author: Author, checked: CheckedActivation, instance: AnyRow
) -> ActivationOutcome:
    """Answer a repeat: the activation that assigned the first of the keys."""
    table = tables.activation
    known = connection.execute(
        select(table).where(table.c.id == checked.known_keys[0].activation_id)
    ).one()
    summary = license_file_summary(connection, instance)
    activation = _wire(connection, author, checked, instance, known, summary)
    return ActivationOutcome(activation, changed=False)


def _wire(
    connection: Connection,
    author: Author,
    checked: CheckedActivation,
    instance: AnyRow,
    activation: AnyRow,
    license_file: WireLicenseFile | None,
) -> WireActivation:
    now = from_instant(author.now)
    rows = [find_key_row(connection, row.id) for row in checked.all_keys]
    keys = [wire_key(row, now) for row in rows if row is not None]
    return WireActivation(
        id=activation.id,
        instance=wire_instance(instance),
        keys=keys,
        license_file=license_file,
        created_at=from_instant(activation.created_at),
    )
