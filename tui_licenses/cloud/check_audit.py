"""Checks that no event of the audit trail was changed, put in, moved, or cut off."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select, text

from tui_licenses.cloud import tables
from tui_licenses.cloud.audit_chain import LINKED, NO_HEAD, link, seal
from tui_licenses.cloud.findings import Finding

_GUARDS = frozenset({"event_is_never_changed", "event_is_never_removed"})
_READ_GUARDS = {
    "sqlite": text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'event'"),
    "postgresql": text(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'event'::regclass AND tgenabled <> 'D'"
    ),
}
_CHUNK_ROWS = 1_000


def check_audit(connection: Connection, key: bytes) -> Iterator[Finding]:
    """Follow the chain of every account to its head; `key` is that of the seals."""
    event, account = tables.event, tables.account
    statement = (
        select(event.c.link, *(event.c[name] for name in LINKED))
        .order_by(event.c.account_id, event.c.sequence)
        .execution_options(yield_per=_CHUNK_ROWS)
    )
    ends: dict[str, tuple[int, str]] = {}
    for stored, account_id, sequence, *rest in connection.execute(statement):
        before, head = ends.get(account_id, (0, NO_HEAD))
        ends[account_id] = sequence, stored
        target = f"event {sequence} of account {account_id}"
        if sequence != before + 1:
            yield Finding("audit-wrong", target, f"The events after number {before} are missing.")
        elif link(head, (account_id, sequence, *rest)) != stored:
            yield Finding(
                "audit-wrong", target, "It, or the one before it, is not as it was written."
            )
    for row in connection.execute(select(account)):
        count, head = ends.get(row.id, (0, NO_HEAD))
        target = f"account {row.id}"
        if (count, head) != (row.event_count, row.event_head):
            yield Finding("audit-wrong", target, "Its audit trail does not end where it says.")
        if seal(key, row.id, row.event_count, row.event_head) != row.event_seal:
            yield Finding(
                "audit-wrong", target, "The end of its audit trail was not written by this cloud."
            )


def check_guards(connection: Connection) -> Iterator[Finding]:
    """Check that the database itself still refuses to change events."""
    found = connection.execute(_READ_GUARDS[connection.dialect.name]).scalars().all()
    for name in sorted(_GUARDS.difference(found)):
        yield Finding(
            "audit-unguarded", name, "The database no longer refuses to change the audit trail."
        )
