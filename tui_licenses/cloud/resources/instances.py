"""Instances: the list, one of them, and renaming or relocating it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, select

from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import InstanceList, WireInstance, WireInstancePatch
from tui_licenses.cloud import tables
from tui_licenses.cloud.http.call import Call, decode_body, invalid
from tui_licenses.cloud.http.listing import Finder, Listed, count_rows, read_list_request, read_page
from tui_licenses.cloud.http.reply import (
    Reply,
    conditional,
    json_reply,
    matches_strongly,
    revision_etag,
)
from tui_licenses.cloud.http.resource import LIST_PARAMETERS, Cloud, Resource
from tui_licenses.cloud.operations.instances import change_instance, owned_instance
from tui_licenses.cloud.resources.changes_cursor import CURSOR_HEADER, changes_cursor
from tui_licenses.cloud.rows import AnyRow, wire_instance
from tui_licenses.cloud.search import looks_like_a_key, prefix_range, words
from tui_licenses.domain.account import Role
from tui_licenses.domain.instance import InstanceState

_SORTS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "name": (tables.instance.c.name_order, tables.instance.c.id),
    "updatedAt": (tables.instance.c.updated_at, tables.instance.c.id),
}


def find_account_row(connection: Connection, account_id: str) -> AnyRow:
    """Return the row of the caller's account, with its counters and its last change number."""
    account = tables.account
    return connection.execute(select(account).where(account.c.id == account_id)).one()


def query_words(call: Call) -> tuple[str, ...]:
    """Return the words of the parameter `q`; raises `Problem` for a whole license key."""
    text = call.parameter("q") or ""
    if looks_like_a_key(text):
        raise invalid("q", "A whole license key is looked up with lookup, never in an address.")
    found = words(text)
    if text.strip() and not found:
        raise invalid("q", "A query needs at least one letter or digit.")
    return found


def ids_with_word(account_id: str, word: str) -> Select[tuple[str]]:
    """Select the ids of the instances one of whose words begins with `word`."""
    table = tables.instance_word
    first, last = prefix_range(word)
    return select(table.c.instance_id).where(
        table.c.account_id == account_id, table.c.word >= first, table.c.word < last
    )


def list_instances(cloud: Cloud, call: Call) -> Reply:
    """List the instances of the account, retired ones only where asked for by state."""
    account_id, table = call.signed_in.account_id, tables.instance
    wanted = read_list_request(call, tuple(_SORTS), "name")
    scope: list[ColumnElement[bool]] = [table.c.account_id == account_id]
    filters: list[ColumnElement[bool]] = []
    state, found = call.parameter("state"), query_words(call)
    if state is None:
        # Not a filter: nearly all are left, so that the order is walked anyhow.
        scope.append(table.c.state != InstanceState.RETIRED)
    elif state in set(InstanceState):
        # An index has the state before the names.
        (scope if wanted.sort == "name" else filters).append(table.c.state == state)
    else:
        raise invalid("state", f"A state is one of: {', '.join(InstanceState)}.")
    filters += [table.c.id.in_(ids_with_word(account_id, word)) for word in found]
    with cloud.store.read() as connection:
        account = find_account_row(connection, account_id)
        total = account.instance_count
        if filters or state is not None:
            total = count_rows(connection, table, [*scope, *filters])
        order = _SORTS[wanted.sort]
        finder = Finder(and_(*filters), total) if filters else None
        listed = Listed(
            table, order, scope, select(table), total, account.instance_count, filters, finder
        )
        page = read_page(connection, wanted, listed)
    answer = InstanceList(
        items=[wire_instance(row) for row in page.rows],
        size=page.total,
        total_count=page.total,
        start=page.start,
        limit=page.limit,
        next_cursor=page.next_cursor,
    )
    cursor = changes_cursor(cloud.store, account_id, account.sequence)
    return conditional(call, json_reply(answer, headers={CURSOR_HEADER: cursor}))


def instance_reply(row: AnyRow, status: int = 200) -> Reply:
    """Return an instance with its revision as ETag."""
    return json_reply(wire_instance(row), status, {"ETag": revision_etag(row.revision)})


def show_instance(cloud: Cloud, call: Call) -> Reply:
    """Answer one instance."""
    with cloud.store.read() as connection:
        row = owned_instance(connection, call.signed_in.account_id, call.path_parameters["id"])
    return conditional(call, instance_reply(row), revision_etag(row.revision))


def stale(row: AnyRow) -> Problem:
    """Return the problem of a change to an instance that somebody else changed."""
    return Problem(
        "revision-mismatch",
        f"The instance changed meanwhile; it is at revision {row.revision}.",
        members={"current": wire_instance(row)},
        headers={"ETag": revision_etag(row.revision)},
    )


def patch_instance(cloud: Cloud, call: Call, connection: Connection) -> Reply:
    """Rename or relocate an instance, or note its core version."""
    del cloud
    row = owned_instance(connection, call.signed_in.account_id, call.path_parameters["id"])
    condition = call.headers.get("if-match")
    if condition is None:
        raise Problem("if-match-required", "A change to an instance needs If-Match.")
    patch = decode_body(call, WireInstancePatch)
    if not matches_strongly(condition, (revision_etag(row.revision),)):
        raise stale(row)
    return instance_reply(change_instance(connection, call.author, row, patch))


RESOURCES = (
    Resource(
        "GET",
        "/licensing/instances",
        "List instances",
        InstanceList,
        read=list_instances,
        parameters=LIST_PARAMETERS | {"q", "state"},
        problems=("invalid-request", "invalid-cursor"),
    ),
    Resource(
        "GET",
        "/licensing/instances/{id}",
        "One instance",
        WireInstance,
        read=show_instance,
        problems=("instance-not-found",),
    ),
    Resource(
        "PATCH",
        "/licensing/instances/{id}",
        "Rename or relocate an instance",
        WireInstance,
        change=patch_instance,
        role=Role.OPERATOR,
        request=WireInstancePatch,
        problems=(
            "invalid-request",
            "unsupported-media-type",
            "instance-not-found",
            "instance-retired",
            "if-match-required",
            "revision-mismatch",
        ),
    ),
)
