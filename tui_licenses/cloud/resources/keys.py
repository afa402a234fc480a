"""License keys: the list, one of them, looking up a typed one, releasing one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection

from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import (
    KeyList,
    WireKeyLookup,
    WireKeyLookupRequest,
    WireLicenseKey,
    WireReleaseRequest,
)
from tui_licenses.cloud import tables
from tui_licenses.cloud.http.call import Call, decode_body
from tui_licenses.cloud.http.listing import Listed, read_list_request, read_page
from tui_licenses.cloud.http.reply import Reply, conditional, json_reply
from tui_licenses.cloud.http.resource import (
    TEXT_SCHEMA,
    Cloud,
    Resource,
    list_parameters,
    one_of,
    some_of,
)
from tui_licenses.cloud.operations.activation_check import key_problem
from tui_licenses.cloud.operations.release import release_key
from tui_licenses.cloud.resources.changes_cursor import CURSOR_HEADER, changes_cursor
from tui_licenses.cloud.resources.instances import find_account_row
from tui_licenses.cloud.resources.key_filter import KeyFilter, choose_keys
from tui_licenses.cloud.rows import (
    AnyRow,
    find_key_row,
    find_typed_key,
    key_select,
    wire_details,
    wire_key,
)
from tui_licenses.domain.account import Role
from tui_licenses.domain.license_key import KeyKind, normalise_key
from tui_licenses.domain.status import KeyStatus
from tui_licenses.errors import Detail

_KEY = tables.license_key
_SORTS: dict[str, tuple[ColumnElement[Any], ...]] = {
    # A position ends with the id of its key.
    "instanceName": (_KEY.c.position,),
    "expiresAt": (_KEY.c.expiry_order, _KEY.c.id),
    "updatedAt": (_KEY.c.updated_at, _KEY.c.id),
}


def list_keys(cloud: Cloud, call: Call) -> Reply:
    """List the keys of the account, add-ons too unless told otherwise."""
    account_id = call.signed_in.account_id
    wanted = read_list_request(call, tuple(_SORTS), "instanceName")
    found = KeyFilter.read(call)
    with cloud.store.read() as connection:
        account = find_account_row(connection, account_id)
        chosen = choose_keys(connection, account, found, wanted.sort)
        order = _SORTS[wanted.sort]
        listed = Listed(
            _KEY,
            order,
            chosen.scope,
            key_select(),
            chosen.total,
            chosen.at_most,
            chosen.filters,
            chosen.finder,
        )
        page = read_page(connection, wanted, listed)
    answer = KeyList(
        items=[wire_key(row, call.now) for row in page.rows],
        size=page.total,
        total_count=page.total,
        start=page.start,
        limit=page.limit,
        next_cursor=page.next_cursor,
    )
    cursor = changes_cursor(cloud.store, account_id, account.sequence)
    return conditional(call, json_reply(answer, headers={CURSOR_HEADER: cursor}))


def owned_key(connection: Connection, account_id: str, key_id: str) -> AnyRow:
    """Return a key of the account; another account's is as unknown as one that is not."""
    row = find_key_row(connection, key_id)
    if row is None or row.account_id != account_id:
        raise Problem("key-not-found", "This account has no such license key.")
    return row


def show_key(cloud: Cloud, call: Call) -> Reply:
    """Answer one key."""
    with cloud.store.read() as connection:
        row = owned_key(connection, call.signed_in.account_id, call.path_parameters["id"])
    return conditional(call, json_reply(wire_key(row, call.now)))


def look_up_key(cloud: Cloud, call: Call) -> Reply:
    """Answer what may be told about a typed key."""
    caller, throttles = call.signed_in, cloud.throttles
    throttles.lookups.check_and_take(caller.subject_id, call.now_instant)
    throttles.missed_keys.check(caller.subject_id, call.now_instant)
    key = normalise_key(decode_body(call, WireKeyLookupRequest).key)
    with cloud.store.read() as connection:
        row = find_typed_key(connection, key)
    if row is None or row.account_id != caller.account_id:
        throttles.missed_keys.take(caller.subject_id, call.now_instant)
    if row is None:
        raise Problem("key-not-found", "There is no such license key.")
    problem = key_problem(row, call.author, None)
    reasons = () if problem is None else (Detail("/key", *problem),)
    own = wire_key(row, call.now) if row.account_id == caller.account_id else None
    answer = WireKeyLookup(
        in_account=own is not None,
        assignable=not reasons,
        reasons=wire_details(reasons),
        key_id=None if own is None else own.id,
        kind=None if own is None else own.kind,
        status=None if own is None else own.status,
        product_name=None if own is None else own.product_name,
        features=[] if own is None else own.features,
        instance_id=None if own is None else own.instance_id,
        instance_name=None if own is None else own.instance_name,
    )
    return json_reply(answer, headers={"Cache-Control": "no-store"})


def release(cloud: Cloud, call: Call, connection: Connection) -> Reply:
    """Release a key from its instance."""
    row = owned_key(connection, call.signed_in.account_id, call.path_parameters["id"])
    body = decode_body(call, WireReleaseRequest)
    released = release_key(cloud.store, connection, call.author, row, body)
    return json_reply(wire_key(released, call.now))


RESOURCES = (
    Resource(
        "GET",
        "/licensing/keys",
        "List license keys",
        KeyList,
        read=list_keys,
        parameters={
            **list_parameters(_SORTS),
            "kind": one_of(KeyKind),
            "instanceId": TEXT_SCHEMA,
            "status": some_of(KeyStatus),
            "q": TEXT_SCHEMA,
            "includeAddOns": {"type": "boolean"},
        },
        headers=("ETag", CURSOR_HEADER),
        problems=("invalid-cursor",),
    ),
    Resource(
        "GET",
        "/licensing/keys/{id}",
        "One license key",
        WireLicenseKey,
        read=show_key,
        headers=("ETag",),
        problems=("key-not-found",),
    ),
    Resource(
        "POST",
        "/licensing/keys/lookup",
        "What may be told about a typed key",
        WireKeyLookup,
        read=look_up_key,
        request=WireKeyLookupRequest,
        problems=(
            "unsupported-media-type",
            "key-format",
            "key-not-found",
            "rate-limited",
        ),
    ),
    Resource(
        "POST",
        "/licensing/keys/{id}/release",
        "Release a key from its instance",
        WireLicenseKey,
        change=release,
        role=Role.ADMINISTRATOR,
        request=WireReleaseRequest,
        problems=(
            "unsupported-media-type",
            "key-not-found",
            "key-revoked",
            "key-suspended",
            "key-superseded",
            "release-would-orphan-addons",
        ),
    ),
)
