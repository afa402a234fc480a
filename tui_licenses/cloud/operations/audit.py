"""The audit trail: one row for each change, written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, bindparam, insert, update

from tui_licenses.cloud import tables

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


_NEXT_EVENT = (
    update(tables.account)
    .where(tables.account.c.id == bindparam("account"))
    .values(event_count=tables.account.c.event_count + 1)
    .returning(tables.account.c.event_count)
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
    """Write one event and return its number.

    `target` is a kind and an id; `before` and `after` hold the members that changed. Callers
    mask keys (`domain.license_key.mask_key`): nothing here can tell one from other text.
    """
    sequence = connection.execute(_NEXT_EVENT, {"account": author.account_id}).scalar_one()
    target_kind, target_id = target
    connection.execute(
        insert(tables.event),
        {
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
        },
    )
    return int(sequence)
