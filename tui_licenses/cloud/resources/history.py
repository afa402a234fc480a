"""What happened: changes for a client that keeps a copy, and the audit trail for people."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, select

from tui_licenses.api.schemas import ChangeList, EventList, WireChange
from tui_licenses.cloud import tables
from tui_licenses.cloud.http.call import Call, read_number
from tui_licenses.cloud.http.listing import (
    LIMIT_MAXIMUM,
    Listed,
    count_rows,
    read_list_request,
    read_page,
)
from tui_licenses.cloud.http.reply import Reply, conditional, json_reply
from tui_licenses.cloud.http.resource import (
    TEXT_SCHEMA,
    Cloud,
    Resource,
    list_parameters,
)
from tui_licenses.cloud.resources.changes_cursor import changes_cursor, read_changes_cursor
from tui_licenses.cloud.resources.instances import find_account_row
from tui_licenses.cloud.rows import AnyRow, key_select, wire_event, wire_instance, wire_key
from tui_licenses.domain.instance import InstanceState

_SORTS = ("sequence",)


def list_changes(cloud: Cloud, call: Call) -> Reply:
    """List what changed after a cursor, each object as it is now, in the order of changes.

    Without a cursor it begins at the beginning. `limit=0` answers no objects: with no cursor
    that is the way to learn where the account stands.
    """
    account_id = call.signed_in.account_id
    limit = read_number(call, "limit", LIMIT_MAXIMUM, 0, LIMIT_MAXIMUM)
    text = call.parameter("cursor")
    with cloud.store.read() as connection:
        last = find_account_row(connection, account_id).sequence
        since = read_changes_cursor(cloud.store, account_id, last, text)
        found = _changes(connection, call, since, limit + 1) if limit else []
    shown = found[:limit]
    has_more = len(found) > limit
    reached = last if limit or text is None else since
    if has_more:
        reached = shown[-1].sequence
    answer = ChangeList(
        items=shown,
        next_cursor=changes_cursor(cloud.store, account_id, reached),
        has_more=has_more or reached < last,
    )
    return conditional(call, json_reply(answer))


def _changes(connection: Connection, call: Call, since: int, count: int) -> list[WireChange]:
    account_id = call.signed_in.account_id
    instance, key = tables.instance, tables.license_key
    instances = connection.execute(
        select(instance)
        .where(instance.c.account_id == account_id, instance.c.sequence > since)
        .order_by(instance.c.sequence)
        .limit(count)
    )
    keys = connection.execute(
        key_select()
        .where(key.c.account_id == account_id, key.c.sequence > since)
        .order_by(key.c.sequence)
        .limit(count)
    )
    found = [*(("instance", row) for row in instances), *(("key", row) for row in keys)]
    # Cut before any is encoded: each of the two selections may fill the page alone.
    found.sort(key=lambda change: int(change[1].sequence))
    return [
        _instance_change(row) if kind == "instance" else _key_change(row, call.now)
        for kind, row in found[:count]
    ]


def _instance_change(row: AnyRow) -> WireChange:
    if row.state == InstanceState.RETIRED:
        return WireChange(sequence=row.sequence, kind="instance", id=row.id, deleted=True)
    return WireChange(
        sequence=row.sequence, kind="instance", id=row.id, object=_raw(wire_instance(row))
    )


def _key_change(row: AnyRow, now: datetime) -> WireChange:
    return WireChange(sequence=row.sequence, kind="key", id=row.id, object=_raw(wire_key(row, now)))


def _raw(content: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(content))


def list_events(cloud: Cloud, call: Call) -> Reply:
    """List the audit trail of the account, newest first."""
    account_id, table = call.signed_in.account_id, tables.event
    wanted = read_list_request(call, _SORTS, "-sequence")
    target_id = call.parameter("targetId")
    scope: list[ColumnElement[bool]] = [table.c.account_id == account_id]
    if target_id is not None:
        scope.append(table.c.target_id == target_id)
    with cloud.store.read() as connection:
        all_events = find_account_row(connection, account_id).event_count
        total = all_events if target_id is None else count_rows(connection, table, scope)
        order = (table.c.sequence,)
        listed = Listed(table, order, scope, select(table), total, all_events)
        page = read_page(connection, wanted, listed)
    answer = EventList(
        items=[wire_event(row) for row in page.rows],
        size=page.total,
        total_count=page.total,
        start=page.start,
        limit=page.limit,
        next_cursor=page.next_cursor,
    )
    return conditional(call, json_reply(answer))


RESOURCES = (
    Resource(
        "GET",
        "/licensing/changes",
        "What changed since a cursor",
        ChangeList,
        read=list_changes,
        parameters={
            "cursor": TEXT_SCHEMA,
            "limit": {"type": "integer", "minimum": 0, "maximum": LIMIT_MAXIMUM},
        },
        headers=("ETag",),
        problems=("invalid-cursor",),
    ),
    Resource(
        "GET",
        "/licensing/events",
        "The audit trail",
        EventList,
        read=list_events,
        parameters={**list_parameters(_SORTS), "targetId": TEXT_SCHEMA},
        headers=("ETag",),
        problems=("invalid-cursor",),
    ),
)
