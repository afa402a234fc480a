"""Instances: the list, one of them, and renaming or relocating it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, select

from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import InstanceList, WireInstance, WireInstancePatch
from tui_licenses.cloud import tables
from tui_licenses.cloud.conditions import Condition, among, opaque
from tui_licenses.cloud.http.call import Call, decode_body, invalid
from tui_licenses.cloud.http.listing import (
    Finder,
    Listed,
    count_rows,
    read_list_request,
    read_page,
)
from tui_licenses.cloud.http.reply import (
    Reply,
    conditional,
    json_reply,
    matches_strongly,
    revision_etag,
)
from tui_licenses.cloud.http.resource import (
    TEXT_SCHEMA,
    Cloud,
    Resource,
    list_parameters,
    one_of,
)
from tui_licenses.cloud.operations.instances import change_instance, owned_instance
from tui_licenses.cloud.resources.changes_cursor import CURSOR_HEADER, changes_cursor
from tui_licenses.cloud.rows import AnyRow, wire_instance
from tui_licenses.cloud.search import looks_like_a_key, prefix_range, words
from tui_licenses.domain.account import Role
from tui_licenses.domain.instance import InstanceState

_INSTANCE = tables.instance
_SORTS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "name": (_INSTANCE.c.name_order, _INSTANCE.c.id),
    "updatedAt": (_INSTANCE.c.updated_at, _INSTANCE.c.id),
}


_ACCOUNT_BY_ID = select(tables.account).where(tables.account.c.id == bindparam("id"))


def find_account_row(connection: Connection, account_id: str) -> AnyRow:
    """Return the row of the caller's account, with its counters and its last change number."""
    return connection.execute(_ACCOUNT_BY_ID, {"id": account_id}).one()


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
    account_id = call.signed_in.account_id
    wanted = read_list_request(call, tuple(_SORTS), "name")
    scope, filters, finding = _conditions(call, wanted.sort)
    with cloud.store.read() as connection:
        account = find_account_row(connection, account_id)
        total, finder = account.instance_count, None
        if finding:
            total = count_rows(connection, _INSTANCE, [*finding, *opaque([*scope, *filters])])
            finder = Finder(and_(*finding), total)
        listed = Listed(
            _INSTANCE,
            _SORTS[wanted.sort],
            scope,
            select(_INSTANCE),
            total,
            account.instance_count,
            filters,
            finder,
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


def _conditions(call: Call, sort: str) -> tuple[list[Condition], list[Condition], list[Condition]]:
    """Return the conditions an index of the order serves, the others, and what finds matches.

    Raises `Problem`.
    """
    account_id, state = call.signed_in.account_id, call.parameter("state")
    of_account = _INSTANCE.c.account_id == account_id
    named: list[Condition] = [
        among(_INSTANCE.c.id, ids_with_word(account_id, word)) for word in query_words(call)
    ]
    if state is None:
        # Not a filter: nearly all are left, so that the order is walked anyhow.
        return [of_account, _INSTANCE.c.state != InstanceState.RETIRED], named, named
    if state not in set(InstanceState):
        raise invalid("state", f"A state is one of: {', '.join(InstanceState)}.")
    of_state = _INSTANCE.c.state == state
    finding = named or [of_account, of_state]
    if sort == "name":
        # An index has the state before the names.
        return [of_account, of_state], named, finding
    return [of_account], [*named, of_state], finding


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
        parameters={
            **list_parameters(_SORTS),
            "q": TEXT_SCHEMA,
            "state": one_of(InstanceState),
        },
        headers=("ETag", CURSOR_HEADER),
        problems=("invalid-cursor",),
    ),
    Resource(
        "GET",
        "/licensing/instances/{id}",
        "One instance",
        WireInstance,
        read=show_instance,
        headers=("ETag",),
        problems=("instance-not-found",),
    ),
    Resource(
        "PATCH",
        "/licensing/instances/{id}",
        "Rename or relocate an instance",
        WireInstance,
        change=patch_instance,
        headers=("ETag",),
        role=Role.OPERATOR,
        request=WireInstancePatch,
        problems=(
            "unsupported-media-type",
            "instance-not-found",
            "instance-retired",
            "if-match-required",
            "revision-mismatch",
        ),
    ),
)
