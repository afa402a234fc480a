"""License keys: the list, one of them, looking up a typed one, releasing one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, false, or_, select

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
from tui_licenses.cloud.http.listing import Listed, read_list_request, read_page
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
    # A position ends with the id of its key.
    "instanceName": (_KEY.c.position,),
    "expiresAt": (_KEY.c.expiry_order, _KEY.c.id),
    "updatedAt": (_KEY.c.updated_at, _KEY.c.id),
}


def status_condition(status: KeyStatus, now: datetime) -> ColumnElement[bool]:
    """Return `domain.status.key_status` as a condition on rows."""
    instant = to_instant(now)
    soon = to_instant(now + timedelta(days=EXPIRING_DAYS_DEFAULT))
    blocked = and_(
        _KEY.c.state == KeyState.ACTIVE,
        _KEY.c.kind == KeyKind.ADD_ON,
        _KEY.c.instance_id.in_(_blocked_instances()),
    )
    in_order = and_(_KEY.c.state.in_((KeyState.ACTIVE, KeyState.UNASSIGNED)), ~blocked)
    unexpired = or_(_KEY.c.expires_at.is_(None), _KEY.c.expires_at > instant)
    started = or_(_KEY.c.starts_at.is_(None), _KEY.c.starts_at <= instant)
    plain = and_(~blocked, started, _KEY.c.expiry_order > soon)
    return {
        KeyStatus.REVOKED: _KEY.c.state == KeyState.REVOKED,
        KeyStatus.SUSPENDED: or_(_KEY.c.state == KeyState.SUSPENDED, blocked),
        KeyStatus.SUPERSEDED: _KEY.c.state == KeyState.SUPERSEDED,
        KeyStatus.EXPIRED: and_(_KEY.c.expiry_order <= instant, in_order),
        KeyStatus.PENDING: and_(_KEY.c.starts_at > instant, unexpired, in_order),
        KeyStatus.EXPIRING: and_(
            _KEY.c.expiry_order > instant, _KEY.c.expiry_order <= soon, started, in_order
        ),
        KeyStatus.ACTIVE: and_(_KEY.c.state == KeyState.ACTIVE, plain),
        KeyStatus.UNASSIGNED: and_(_KEY.c.state == KeyState.UNASSIGNED, plain),
    }[status]


def _blocked_instances() -> Select[tuple[str]]:
    """Select the instances whose current master is suspended or revoked."""
    blocked = select(_KEY.c.id, _KEY.c.instance_id).where(tables.BLOCKED_MASTER).subquery("blocked")
    instance = tables.instance
    is_current = and_(
        instance.c.id == blocked.c.instance_id, instance.c.master_key_id == blocked.c.id
    )
    return select(instance.c.id).join_from(blocked, instance, is_current)


def _word_condition(connection: Connection, account_id: str, word: str) -> ColumnElement[bool]:
    """Say of a key that its instance's name, its product or its last four begin with a word."""
    names, products = tables.instance_word, tables.product_word
    first, last = prefix_range(word)
    in_names = select(names.c.instance_id).where(
        names.c.account_id == account_id, names.c.word >= first, names.c.word < last
    )
    codes = connection.execute(
        select(products.c.product_code).where(products.c.word >= first, products.c.word < last)
    ).scalars()
    first_of_key, last_of_key = prefix_range(word.upper())
    conditions = [
        and_(_KEY.c.account_id == account_id, _KEY.c.instance_id.in_(in_names)),
        and_(
            _KEY.c.account_id == account_id,
            _KEY.c.last_four >= first_of_key,
            _KEY.c.last_four < last_of_key,
        ),
    ]
    # Products are few: without a hit among them both other conditions are served by an index.
    found = list(codes)
    if found:
        conditions.append(_KEY.c.product_code.in_(found))
    return or_(*conditions)


def _conditions(call: Call) -> list[ColumnElement[bool]]:
    """Return the filters beside the account, the kind and the words; raises `Problem`."""
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
    filters, found = _conditions(call), query_words(call)
    conditions = [_KEY.c.account_id == account_id]
    if kinds != set(KeyKind):
        conditions.append(or_(false(), *(_KEY.c.kind == kind for kind in kinds)))
    with cloud.store.read() as connection:
        filters += [_word_condition(connection, account_id, word) for word in found]
        conditions += filters
        account = find_account_row(connection, account_id)
        total = None if filters else _kept_total(account, kinds)
        listed = Listed(_KEY, _SORTS[wanted.sort], conditions, key_select, total)
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
