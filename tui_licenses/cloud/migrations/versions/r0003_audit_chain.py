"""Events that are linked to each other and cannot be changed."""

from __future__ import annotations

import hashlib

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# The columns a link covers, as `audit_chain.LINKED` names them at this revision.
_LINKED = (
    "account_id",
    "sequence",
    "at",
    "actor",
    "action",
    "target_kind",
    "target_id",
    "before",
    "after",
    "request_id",
)
_CHUNK_ROWS = 10_000

_EVENT = sa.table("event", *(sa.column(name) for name in (*_LINKED, "link")))
_ACCOUNT = sa.table("account", *map(sa.column, ("id", "event_head")))

_READ = (
    sa.select(*(_EVENT.c[name] for name in _LINKED))
    .where(_EVENT.c.account_id == sa.bindparam("of"), _EVENT.c.sequence > sa.bindparam("after"))
    .order_by(_EVENT.c.sequence)
    .limit(_CHUNK_ROWS)
)
_SET_LINK = (
    sa.update(_EVENT)
    .where(_EVENT.c.account_id == sa.bindparam("of"), _EVENT.c.sequence == sa.bindparam("number"))
    .values(link=sa.bindparam("new"))
)

_SQLITE_GUARDS = tuple(
    f"CREATE TRIGGER event_is_never_{done} BEFORE {change} ON event"
    " BEGIN SELECT RAISE(ABORT, 'events of the audit trail are never changed'); END"
    for change, done in (("UPDATE", "changed"), ("DELETE", "removed"))
)
_POSTGRESQL_GUARDS = (
    (
        "CREATE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'events of the audit trail are never changed'; END $$"
    ),
    (
        "CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_event_change()"
    ),
    (
        "CREATE TRIGGER event_is_never_removed BEFORE DELETE OR TRUNCATE ON event"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_event_change()"
    ),
)


def _link_events(connection: sa.Connection) -> None:
    """Link what is there, account by account; the seals follow once the keys are read."""
    for account_id in connection.execute(sa.select(_ACCOUNT.c.id)).scalars().all():
        head, last = "", 0
        while rows := connection.execute(_READ, {"of": account_id, "after": last}).all():
            links = []
            for row in rows:
                content = head.encode() + b"\n" + msgspec.json.encode(list(row))
                head, last = hashlib.sha256(content).hexdigest(), row.sequence
                links.append({"of": account_id, "number": last, "new": head})
            connection.execute(_SET_LINK, links)
        found = sa.update(_ACCOUNT).where(_ACCOUNT.c.id == account_id)
        connection.execute(found.values(event_head=head))


def upgrade() -> None:
    """Add links, heads and seals, fill the links, and refuse changes from now on."""
    for table, name in (("event", "link"), ("account", "event_head"), ("account", "event_seal")):
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    _link_events(connection)
    is_sqlite = connection.dialect.name == "sqlite"
    for statement in _SQLITE_GUARDS if is_sqlite else _POSTGRESQL_GUARDS:
        op.execute(statement)
