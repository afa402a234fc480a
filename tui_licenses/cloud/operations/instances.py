"""Renaming, relocating and retiring instances, and replacing their server profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, func, insert, select

from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import WireInstancePatch
from tui_licenses.cloud import tables
from tui_licenses.cloud.http.call import check_text
from tui_licenses.cloud.operations.accounts import Counts, take_sequences
from tui_licenses.cloud.operations.audit import Author, record
from tui_licenses.cloud.operations.change_set import ChangeSet
from tui_licenses.cloud.operations.license_files import refresh_license_file
from tui_licenses.cloud.operations.profiles import read_profile, store_profile, stored_profile
from tui_licenses.cloud.rows import (
    AnyRow,
    current_instance,
    find_instance,
    instance_keys,
    read_instance,
)
from tui_licenses.cloud.search import name_order
from tui_licenses.domain.countries import check_country
from tui_licenses.domain.instance import Instance, InstanceState, check_name
from tui_licenses.domain.license_key import KeyState
from tui_licenses.errors import NotFoundError, StateError

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store

# What a change is called in `before` and `after`: as on the wire.
_WIRE_NAMES = {
    "name": "name",
    "country_code": "countryCode",
    "location_label": "label",
    "core_version": "coreVersion",
}


def owned_instance(connection: Connection, account_id: str, instance_id: str) -> AnyRow:
    """Return an instance of the account; another account's is as unknown as one that is not."""
    row = find_instance(connection, instance_id)
    if row is None or row.account_id != account_id:
        raise Problem("instance-not-found", "This account has no such instance.")
    return row


def refuse_retired(row: AnyRow) -> None:
    """Refuse to change an instance that is retired."""
    if row.state == InstanceState.RETIRED:
        raise Problem("instance-retired", "This instance is retired; nothing about it changes.")


def patched_values(patch: WireInstancePatch) -> dict[str, str | None]:
    """Return the checked columns a patch sets; raises `UseError` and `Problem`."""
    values: dict[str, str | None] = {}
    if patch.name is not msgspec.UNSET:
        values["name"] = check_name(patch.name)
    if patch.location is not msgspec.UNSET:
        values["country_code"] = check_country(patch.location.country_code)
        values["location_label"] = check_text("/location/label", patch.location.label)
    if patch.core_version is not msgspec.UNSET:
        values["core_version"] = check_text("/coreVersion", patch.core_version)
    return values


def change_instance(
    connection: Connection, author: Author, row: AnyRow, patch: WireInstancePatch
) -> AnyRow:
    """Apply a patch to an instance and return its row; one that changes nothing does nothing."""
    refuse_retired(row)
    wanted = patched_values(patch)
    values = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if not values:
        return row
    changes = ChangeSet(author.now)
    changed: dict[str, object] = dict(values)
    if values.get("name") is not None:
        changed["name_order"] = name_order(str(values["name"]))
        for key in instance_keys(connection, row.id):
            changes.touch_key(key)
    changes.change_instance(row, **changed)
    changes.apply(connection)
    record(
        connection,
        author,
        "instance.renamed" if "name" in values else "instance.changed",
        ("instance", row.id),
        before={_WIRE_NAMES[name]: getattr(row, name) for name in values},
        after={_WIRE_NAMES[name]: value for name, value in values.items()},
    )
    return current_instance(connection, row.id)


def replace_profile(
    store: Store, connection: Connection, author: Author, row: AnyRow, content: bytes
) -> AnyRow:
    """Store a server profile as the next revision and return the instance; same bytes: nothing.

    Raises `Problem` (`profile-invalid`, `profile-without-identity` on a licensed instance).
    """
    refuse_retired(row)
    facts = read_profile(content)
    if facts.fingerprint is None and row.master_key_id is not None:
        raise Problem(
            "profile-without-identity",
            "A licensed instance needs a profile with an identity: "
            "a machine id, a product uuid or a network card.",
        )
    known = stored_profile(connection, row)
    if known is not None and known.content == content:
        return row
    changes = ChangeSet(author.now)
    changes.change_instance(row, **store_profile(connection, row, content, facts, author.now))
    changes.apply(connection)
    changed = current_instance(connection, row.id)
    refresh_license_file(store, connection, changed, author.now)
    record(
        connection,
        author,
        "instance.profile-replaced",
        ("instance", row.id),
        before={"profileRevision": row.profile_revision, "fingerprint": row.fingerprint},
        after={"profileRevision": changed.profile_revision, "fingerprint": changed.fingerprint},
    )
    return changed


def retire(store: Store, connection: Connection, instance_id: str, reason: str) -> Instance:
    """Retire an instance that has no active or suspended key."""
    row = find_instance(connection, instance_id)
    if row is None:
        raise NotFoundError(
            "instance-not-found", "There is no such instance.", "List the instances."
        )
    key, now = tables.license_key, store.now()
    in_use = connection.execute(
        select(func.count()).where(
            key.c.instance_id == instance_id,
            key.c.state.in_((KeyState.ACTIVE, KeyState.SUSPENDED)),
        )
    ).scalar_one()
    if in_use or row.state == InstanceState.RETIRED:
        raise StateError(
            "instance-in-use" if in_use else "instance-retired",
            f"This instance holds {in_use} keys." if in_use else "This instance is retired.",
            "Release or revoke its keys first." if in_use else "Nothing to do.",
        )
    changes = ChangeSet(now)
    changes.change_instance(row, state=InstanceState.RETIRED)
    changes.apply(connection)
    take_sequences(connection, row.account_id, 0, Counts(instances=-1))
    record(
        connection,
        Author.administrator(row.account_id, now),
        "instance.retired",
        ("instance", row.id),
        before={"state": row.state},
        after={"state": InstanceState.RETIRED, "reason": reason},
    )
    return read_instance(current_instance(connection, row.id))


def add_instance(connection: Connection, author: Author, columns: dict[str, object]) -> AnyRow:
    """Insert an instance without a profile or keys; `columns` holds id, name and place."""
    name = str(columns["name"])
    sequence = take_sequences(connection, author.account_id, 1, Counts(instances=1))
    connection.execute(
        insert(tables.instance).values(
            account_id=author.account_id,
            name_order=name_order(name),
            state=InstanceState.PENDING,
            profile_revision=0,
            key_count=0,
            add_on_count=0,
            created_at=author.now,
            updated_at=author.now,
            # The activation that makes an instance counts as its first change.
            revision=0,
            sequence=sequence,
            **columns,
        )
    )
    return current_instance(connection, str(columns["id"]))
