"""License keys: the list, one of them, looking up a typed one, releasing one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, false, or_, select

from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import (
    KeyList,
    WireKeyLookup,
    WireKeyLookupRequest,
    WireLicenseKey,
    WireReleaseRequest,
)
from tui_licenses.cloud import tables
from tui_licenses.cloud.http.call import Call, decode_body, invalid, read_flag
from tui_licenses.cloud.http.listing import in_page_order, read_list_request, read_page
from tui_licenses.cloud.http.reply import Reply, conditional, json_reply
from tui_licenses.cloud.http.resource import LIST_PARAMETERS, Cloud, Resource
from tui_licenses.cloud.instants import to_instant
from tui_licenses.cloud.operations.activation_check import find_typed_key, key_problem
from tui_licenses.cloud.operations.release import release_key
from tui_licenses.cloud.resources.changes_cursor import CURSOR_HEADER, changes_cursor
from tui_licenses.cloud.resources.instances import find_account_row, query_words
from tui_licenses.cloud.rows import AnyRow, find_key_row, key_select, wire_details, wire_key
from tui_licenses.cloud.search import prefix_range
from tui_licenses.domain.account import Role
from tui_licenses.domain.license_key import KeyKind, KeyState, normalise_key
from tui_licenses.domain.status import EXPIRING_DAYS_DEFAULT, KeyStatus
from tui_licenses.errors import Detail

_KEY = tables.license_key
_SORTS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "instanceName": (_KEY.c.position,),
    "expiresAt": (_KEY.c.expiry_order, _KEY.c.id),
    "updatedAt": (_KEY.c.updated_at, _KEY.c.id),
}


def status_condition(status: KeyStatus, now: datetime) -> ColumnElement[bool]:
    """Return `domain.status.key_status` as a condition on rows."""
    instant = to_instant(now)
    soon = to_instant(now + timedelta(days=EXPIRING_DAYS_DEFAULT))
    instance, master = tables.instance, _KEY.alias("current_master")
    blocked = and_(
        _KEY.c.state == KeyState.ACTIVE,
        _KEY.c.kind == KeyKind.ADD_ON,
        exists(
            select(master.c.id)
            .join(instance, instance.c.master_key_id == master.c.id)
            .where(
                instance.c.id == _KEY.c.instance_id,
                master.c.state.in_((KeyState.SUSPENDED, KeyState.REVOKED)),
            )
            .correlate(_KEY)
        ),
    )
    dated = and_(_KEY.c.state.in_((KeyState.ACTIVE, KeyState.UNASSIGNED)), ~blocked)
    expired = _KEY.c.expires_at <= instant
    unexpired = or_(_KEY.c.expires_at.is_(None), _KEY.c.expires_at > instant)
    later = _KEY.c.starts_at > instant
    started = or_(_KEY.c.starts_at.is_(None), _KEY.c.starts_at <= instant)
    plain = and_(dated, started, or_(_KEY.c.expires_at.is_(None), _KEY.c.expires_at > soon))
    return {
        KeyStatus.REVOKED: _KEY.c.state == KeyState.REVOKED,
        KeyStatus.SUSPENDED: or_(_KEY.c.state == KeyState.SUSPENDED, blocked),
        KeyStatus.SUPERSEDED: _KEY.c.state == KeyState.SUPERSEDED,
        KeyStatus.EXPIRED: and_(dated, expired),
        KeyStatus.PENDING: and_(dated, unexpired, later),
        KeyStatus.EXPIRING: and_(dated, unexpired, started, _KEY.c.expires_at <= soon),
        KeyStatus.ACTIVE: and_(plain, _KEY.c.state == KeyState.ACTIVE),
        KeyStatus.UNASSIGNED: and_(plain, _KEY.c.state == KeyState.UNASSIGNED),
    }[status]


def word_condition(account_id: str, word: str) -> ColumnElement[bool]:
    """Say of a key that its instance's name, its product or its last four begin with a word."""
    names, products = tables.instance_word, tables.product_word
    first, last = prefix_range(word)
    in_names = select(names.c.instance_id).where(
        names.c.account_id == account_id, names.c.word >= first, names.c.word < last
    )
    in_products = select(products.c.product_code).where(
        products.c.word >= first, products.c.word < last
    )
    first_of_key, last_of_key = prefix_range(word.upper())
    return or_(
        _KEY.c.instance_id.in_(in_names),
        _KEY.c.product_code.in_(in_products),
        and_(_KEY.c.last_four >= first_of_key, _KEY.c.last_four < last_of_key),
    )


def _conditions(call: Call, account_id: str) -> list[ColumnElement[bool]]:
    """Return the filters beside the account and the kind; raises `Problem`."""
    conditions: list[ColumnElement[bool]] = []
    instance_id, statuses = call.parameter("instanceId"), call.parameter("status")
    if instance_id is not None:
        conditions.append(_KEY.c.instance_id == instance_id)
    if statuses is not None:
        wanted = statuses.split(",")
        if not set(wanted) <= set(KeyStatus):
            raise invalid("status", f"A status is one of: {', '.join(KeyStatus)}.")
        conditions.append(
            or_(*(status_condition(KeyStatus(status), call.now) for status in wanted))
        )
    conditions += [word_condition(account_id, word) for word in query_words(call)]
    return conditions


def _kinds(call: Call) -> set[KeyKind]:
    """Return the kinds a list shows; raises `Problem`."""
    kind = call.parameter("kind")
    kinds = set(KeyKind) if read_flag(call, "includeAddOns", default=True) else {KeyKind.MASTER}
    if kind is None:
        return kinds
    if kind not in set(KeyKind):
        raise invalid("kind", f"A kind is one of: {', '.join(KeyKind)}.")
    return kinds & {KeyKind(kind)}


def list_keys(cloud: Cloud, call: Call) -> Reply:
    """List the keys of the account, add-ons too unless told otherwise."""
    account_id = call.signed_in.account_id
    wanted = read_list_request(call, tuple(_SORTS), "instanceName")
    kinds = _kinds(call)
    filters = _conditions(call, account_id)
    conditions = [_KEY.c.account_id == account_id, *filters]
    if kinds != set(KeyKind):
        conditions.append(or_(false(), *(_KEY.c.kind == kind for kind in kinds)))
    with cloud.store.read() as connection:
        account = find_account_row(connection, account_id)
        total = None if filters else _kept_total(account, kinds)
        page = read_page(connection, wanted, _KEY, _SORTS[wanted.sort], conditions, total)
        rows = connection.execute(key_select().where(_KEY.c.id.in_(page.ids))).all()
    listed = KeyList(
        items=[wire_key(row, call.now) for row in in_page_order(page, rows)],
        size=page.total,
        total_count=page.total,
        start=page.start,
        limit=page.limit,
        next_cursor=page.next_cursor,
    )
    cursor = changes_cursor(cloud.store, account_id, account.sequence)
    return conditional(call, json_reply(listed, headers={CURSOR_HEADER: cursor}))


def _kept_total(account: AnyRow, kinds: set[KeyKind]) -> int:
    masters, add_ons = account.key_count - account.add_on_count, account.add_on_count
    return (masters if KeyKind.MASTER in kinds else 0) + (add_ons if KeyKind.ADD_ON in kinds else 0)


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
    throttles.lookups.check_and_take(caller.account_id, call.now_instant)
    throttles.missed_keys.check(caller.account_id, call.now_instant)
    key = normalise_key(decode_body(call, WireKeyLookupRequest).key)
    with cloud.store.read() as connection:
        row = find_typed_key(connection, key)
    if row is None or row.account_id != caller.account_id:
        throttles.missed_keys.take(caller.account_id, call.now_instant)
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
        parameters=LIST_PARAMETERS | {"kind", "instanceId", "status", "q", "includeAddOns"},
        problems=("invalid-request", "invalid-cursor"),
    ),
    Resource(
        "GET",
        "/licensing/keys/{id}",
        "One license key",
        WireLicenseKey,
        read=show_key,
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
            "invalid-request",
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
            "invalid-request",
            "unsupported-media-type",
            "key-not-found",
            "key-revoked",
            "key-suspended",
            "key-superseded",
            "release-would-orphan-addons",
        ),
    ),
)
