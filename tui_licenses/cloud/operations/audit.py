"""The audit trail: one row for each change, written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from tui_licenses.cloud import tables
from tui_licenses.cloud.audit_chain import LINKED, SEAL_KEY, link, seal

ADMINISTRATOR_NAME = "cloud administration"


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change, for which account, when, in answer to which request."""

    account_id: str
    name: str
    now: int
    request_id: str | None = None

    @classmethod
    def administrator(cls, account_id: str, now: int) -> Author:
        """Return whoever runs the cloud, acting on an account."""
        return cls(account_id, ADMINISTRATOR_NAME, now)


_ACCOUNT = tables.account
# It also locks the account's row: the events of an account follow each other, on PostgreSQL too.
_NEXT_EVENT = (
    update(_ACCOUNT)
    .where(_ACCOUNT.c.id == bindparam("account"))
    .values(event_count=_ACCOUNT.c.event_count + 1)
    .returning(_ACCOUNT.c.event_count, _ACCOUNT.c.event_head)
)
_SET_HEAD = (
    update(_ACCOUNT)
    .where(_ACCOUNT.c.id == bindparam("account"))
    .values(event_head=bindparam("head"), event_seal=bindparam("seal"))
)


def record(
    connection: Connection,
    author: Author,
    action: str,
    target: tuple[str, str],
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> int:
    """Write one event, linked to the one before it, and return its number.

    `connection` is one of `Store.write`. `target` is a kind and an id; `before` and `after` hold
    the members that changed. Callers mask keys (`domain.license_key.mask_key`): nothing here can
    tell one from other text.
    """
    sequence, head = connection.execute(_NEXT_EVENT, {"account": author.account_id}).one()
    target_kind, target_id = target
    event: dict[str, object] = {
        "account_id": author.account_id,
        "sequence": sequence,
        "at": author.now,
        "actor": author.name,
        "action": action,
        "target_kind": target_kind,
        "target_id": target_id,
        "before": None if before is None else msgspec.json.encode(before).decode(),
        "after": None if after is None else msgspec.json.encode(after).decode(),
        "request_id": author.request_id,
    }
    event["link"] = link(head, [event[name] for name in LINKED])
    connection.execute(insert(tables.event), event)
    set_head(connection, author.account_id, sequence, str(event["link"]))
    return int(sequence)


def set_head(connection: Connection, account_id: str, event_count: int, head: str) -> None:
    """Keep the digest of an account's last event with the seal that vouches for it."""
    key: bytes = connection.get_execution_options()[SEAL_KEY]
    sealed = seal(key, account_id, event_count, head)
    connection.execute(_SET_HEAD, {"account": account_id, "head": head, "seal": sealed})


def seal_heads(connection: Connection) -> None:
    """Seal every account whose events were linked without the key, as a migration does."""
    unsealed = select(_ACCOUNT.c.id, _ACCOUNT.c.event_count, _ACCOUNT.c.event_head)
    for row in connection.execute(unsealed.where(_ACCOUNT.c.event_seal == "")).all():
        set_head(connection, row.id, row.event_count, row.event_head)
