"""Rows of the database as domain objects, and domain objects as the JSON of the wire."""

from __future__ import annotations

from datetime import datetime
from functools import cache, lru_cache
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, Row, Select, bindparam, select

from tui_licenses.api.schemas import (
    WireAccount,
    WireDetail,
    WireEvent,
    WireFeature,
    WireInstance,
    WireLicenseKey,
    WireLicensesTab,
    WireLocation,
)
from tui_licenses.cloud import tables
from tui_licenses.cloud.instants import from_instant, from_optional_instant
from tui_licenses.domain.account import has_licenses_tab, plan_name
from tui_licenses.domain.instance import Instance, InstanceState, Location
from tui_licenses.domain.license_key import Feature, KeyKind, KeyState, LicenseKey
from tui_licenses.domain.status import key_status
from tui_licenses.errors import Detail

AnyRow = Row[Any]

_NO_CONTACT = "the support or sales contact of your license cloud"


class StoredFeature(msgspec.Struct, frozen=True):
    """A feature as the JSON of the `features` columns."""

    code: str
    name: str
    quantity: int | None


def encode_features(features: tuple[Feature, ...]) -> str:
    """Return features as the text of a `features` column."""
    stored = [StoredFeature(entry.code, entry.name, entry.quantity) for entry in features]
    return msgspec.json.encode(stored).decode()


@lru_cache(maxsize=4096)
def decode_features(text: str) -> tuple[Feature, ...]:
    """Return the features of a `features` column; whole estates share a few texts."""
    stored = msgspec.json.decode(text, type=list[StoredFeature])
    return tuple(Feature(entry.code, entry.name, entry.quantity) for entry in stored)


@lru_cache(maxsize=4096)
def _wire_features(text: str) -> list[WireFeature]:
    return [
        WireFeature(code=entry.code, name=entry.name, quantity=entry.quantity)
        for entry in decode_features(text)
    ]


# Members by their value: a dictionary is three times as fast as calling the class.
_KINDS = {kind.value: kind for kind in KeyKind}
_STATES = {state.value: state for state in KeyState}
_INSTANCE_STATES = {state.value: state for state in InstanceState}
_MASTER = KeyKind.MASTER.value


@cache
def key_select() -> Select[Any]:
    """Select keys with the names and the master state that readers see beside them."""
    key, instance, product = tables.license_key, tables.instance, tables.product
    master = key.alias("master")
    # Outer joins keep the keys in front: they are found and ordered by their own indexes.
    joined = (
        key.outerjoin(product, product.c.code == key.c.product_code)
        .outerjoin(instance, instance.c.id == key.c.instance_id)
        .outerjoin(master, master.c.id == instance.c.master_key_id)
    )
    return select(
        key,
        product.c.name.label("product_name"),
        instance.c.name.label("instance_name"),
        instance.c.master_key_id.label("current_master_id"),
        master.c.state.label("master_state"),
    ).select_from(joined)


def read_key(row: AnyRow) -> LicenseKey:
    """Return the key of a `key_select` row."""
    # Unpacked at once: looking 18 columns up by name doubles the time of a page.
    (key_id, _, key, _, kind, product_code, features, state, instance_id, _, order_reference,
     issued_at, starts_at, activated_at, expires_at, _, terminates_at, updated_at, revision, *_,
     product_name, instance_name, current_master_id, _) = cast("tuple[Any, ...]", row)  # fmt: skip
    return LicenseKey(
        key_id,
        key,
        _KINDS[kind],
        product_code,
        product_name,
        decode_features(features),
        _STATES[state],
        instance_id,
        instance_name,
        None if kind == _MASTER else current_master_id,
        order_reference,
        from_instant(issued_at),
        from_optional_instant(starts_at),
        from_optional_instant(activated_at),
        from_optional_instant(expires_at),
        from_optional_instant(terminates_at),
        from_instant(updated_at),
        revision,
    )


def wire_key(row: AnyRow, now: datetime) -> WireLicenseKey:
    """Return the key of a `key_select` row as it goes over the wire, its status as of `now`."""
    # Without a `LicenseKey` in between: a page of a thousand keys takes half the time.
    (key_id, _, key, _, kind, product_code, features, state, instance_id, _, order_reference,
     issued_at, starts_at, activated_at, expires_at, _, terminates_at, updated_at, revision, *_,
     product_name, instance_name, master_id, master) = cast("tuple[Any, ...]", row)  # fmt: skip
    wire = WireLicenseKey(
        key_id,
        key,
        _KINDS[kind],
        product_code,
        product_name,
        _wire_features(features),
        _STATES[state],
        "",
        instance_id,
        instance_name,
        None if kind == _MASTER else master_id,
        order_reference,
        from_instant(issued_at),
        from_optional_instant(starts_at),
        from_optional_instant(activated_at),
        from_optional_instant(expires_at),
        from_optional_instant(terminates_at),
        from_instant(updated_at),
        revision,
    )
    wire.status = key_status(wire, now, master_state=None if master is None else _STATES[master])
    return wire


def wire_of_key(key: LicenseKey, now: datetime, master_state: KeyState | None) -> WireLicenseKey:
    """Return a key as it goes over the wire; `master_state` as in `domain.status`."""
    return WireLicenseKey(
        id=key.id,
        key=key.key,
        kind=key.kind,
        product_code=key.product_code,
        product_name=key.product_name,
        features=_wire_features(encode_features(key.features)),
        state=key.state,
        status=key_status(key, now, master_state=master_state),
        instance_id=key.instance_id,
        instance_name=key.instance_name,
        master_key_id=key.master_key_id,
        order_reference=key.order_reference,
        issued_at=key.issued_at,
        starts_at=key.starts_at,
        activated_at=key.activated_at,
        expires_at=key.expires_at,
        terminates_at=key.terminates_at,
        updated_at=key.updated_at,
        revision=key.revision,
    )


def read_instance(row: AnyRow) -> Instance:
    """Return the instance of a row of the table."""
    return Instance(
        row.id,
        row.name,
        Location(row.country_code, row.location_label),
        row.core_version,
        InstanceState(row.state),
        row.hostname,
        row.fingerprint,
        row.profile_revision,
        row.master_key_id,
        row.key_count,
        row.add_on_count,
        from_optional_instant(row.activated_at),
        from_instant(row.created_at),
        from_instant(row.updated_at),
        row.revision,
    )


def wire_instance(row: AnyRow) -> WireInstance:
    """Return an instance row as it goes over the wire."""
    (instance_id, _, name, _, country_code, location_label, core_version, state, hostname,
     fingerprint, profile_revision, master_key_id, key_count, add_on_count, activated_at,
     created_at, updated_at, revision, _) = cast("tuple[Any, ...]", row)  # fmt: skip
    return WireInstance(
        instance_id,
        name,
        WireLocation(country_code=country_code, label=location_label),
        core_version,
        _INSTANCE_STATES[state],
        hostname,
        fingerprint,
        profile_revision,
        master_key_id,
        key_count,
        add_on_count,
        from_optional_instant(activated_at),
        from_instant(created_at),
        from_instant(updated_at),
        revision,
    )


def wire_account(row: AnyRow) -> WireAccount:
    """Return an account row as it goes over the wire."""
    available = has_licenses_tab(row.plan)
    return WireAccount(
        id=row.id,
        name=row.name,
        plan=row.plan,
        plan_starts_at=from_optional_instant(row.plan_starts_at),
        plan_ends_at=from_optional_instant(row.plan_ends_at),
        licenses_tab=WireLicensesTab(
            available=available,
            reason=None if available else tab_refusal(row.plan),
            support_contact=contact(row.support_contact),
        ),
    )


def contact(support_contact: str | None) -> str:
    """Return whom an account is told to ask."""
    return support_contact or _NO_CONTACT


def tab_refusal(plan: str) -> str:
    """Return the sentence that tells why a plan has no Licenses tab."""
    return (
        f"The plan {plan_name(plan)} has no Licenses tab; "
        "it is part of the plans Pro, Pro+ and Enterprise."
    )


def wire_event(row: AnyRow) -> WireEvent:
    """Return an audit row as it goes over the wire."""
    return WireEvent(
        sequence=row.sequence,
        at=from_instant(row.at),
        actor=row.actor,
        action=row.action,
        target_kind=row.target_kind,
        target_id=row.target_id,
        before=None if row.before is None else msgspec.json.decode(row.before),
        after=None if row.after is None else msgspec.json.decode(row.after),
        request_id=row.request_id,
    )


def wire_details(details: tuple[Detail, ...]) -> list[WireDetail]:
    """Return details as they go over the wire."""
    return [
        WireDetail(pointer=entry.pointer, code=entry.code, detail=entry.message)
        for entry in details
    ]


# Made once: to put a statement together takes as long as to run it.
_INSTANCE_BY_ID = select(tables.instance).where(tables.instance.c.id == bindparam("id"))
_KEY_BY_ID = key_select().where(tables.license_key.c.id == bindparam("id"))
_KEY_BY_TEXT = key_select().where(tables.license_key.c.key == bindparam("key"))
_KEYS_OF_INSTANCE = (
    key_select()
    .where(tables.license_key.c.instance_id == bindparam("id"))
    .order_by(tables.license_key.c.position)
)


def find_instance(connection: Connection, instance_id: str) -> AnyRow | None:
    """Return the row of an instance, whosever it is."""
    return connection.execute(_INSTANCE_BY_ID, {"id": instance_id}).one_or_none()


def current_instance(connection: Connection, instance_id: str) -> AnyRow:
    """Return the row of an instance that is known to exist, as it is now."""
    return connection.execute(_INSTANCE_BY_ID, {"id": instance_id}).one()


def find_key_row(connection: Connection, key_id: str) -> AnyRow | None:
    """Return the `key_select` row of a key, whosever it is."""
    return connection.execute(_KEY_BY_ID, {"id": key_id}).one_or_none()


def find_typed_key(connection: Connection, key: str) -> AnyRow | None:
    """Return the `key_select` row of a full canonical key, whosever it is."""
    return connection.execute(_KEY_BY_TEXT, {"key": key}).one_or_none()


def instance_keys(connection: Connection, instance_id: str) -> list[AnyRow]:
    """Return the `key_select` rows of all keys on an instance, in the default order."""
    return list(connection.execute(_KEYS_OF_INSTANCE, {"id": instance_id}))
