"""Accounts, their counters, and the numbers they give to changes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import Connection, bindparam, insert, select, update

from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import AccountSummary
from tui_licenses.cloud.operations.audit import Author, record
from tui_licenses.cloud.rows import AnyRow
from tui_licenses.domain.instance import check_name
from tui_licenses.errors import NotFoundError, UseError
from tui_licenses.text import clean


@dataclass(frozen=True, slots=True)
class Counts:
    """By how much the counters of an account change."""

    instances: int = 0
    keys: int = 0
    add_ons: int = 0


_ACCOUNT = tables.account
_TAKE = (
    update(_ACCOUNT)
    .where(_ACCOUNT.c.id == bindparam("account"))
    .values(
        sequence=_ACCOUNT.c.sequence + bindparam("numbers"),
        instance_count=_ACCOUNT.c.instance_count + bindparam("instances"),
        key_count=_ACCOUNT.c.key_count + bindparam("keys"),
        add_on_count=_ACCOUNT.c.add_on_count + bindparam("add_ons"),
    )
    .returning(_ACCOUNT.c.sequence)
)


def take_sequences(
    connection: Connection, account_id: str, count: int, change: Counts | None = None
) -> int:
    """Reserve `count` change numbers of an account and return the first of them.

    The account's row stays locked until the transaction ends, so that nobody reads a number
    before those below it.
    """
    grown = change or Counts()
    sent = {
        "account": account_id,
        "numbers": count,
        "instances": grown.instances,
        "keys": grown.keys,
        "add_ons": grown.add_ons,
    }
    return int(connection.execute(_TAKE, sent).scalar_one()) - count + 1


def find_account(connection: Connection, account: str) -> AnyRow:
    """Return an account by id or by its exact name.

    Raises `NotFoundError` (`not-found`) and `UseError` (`ambiguous-name`).
    """
    table = tables.account
    rows = connection.execute(
        select(table).where((table.c.id == account) | (table.c.name == account))
    ).all()
    if not rows:
        raise NotFoundError(
            "not-found",
            f"There is no account {clean(account)}.",
            "List the accounts of this license cloud.",
        )
    if len(rows) > 1:
        raise UseError(
            "ambiguous-name",
            f"Several accounts are named {clean(account)}.",
            f"Give an id: {', '.join(row.id for row in rows)}.",
        )
    return rows[0]


def _summary(row: AnyRow) -> AccountSummary:
    return AccountSummary(
        row.id, row.name, row.plan, row.instance_count, row.key_count, row.add_on_count
    )


def list_accounts(connection: Connection) -> tuple[AccountSummary, ...]:
    """List the accounts in the order they were made."""
    table = tables.account
    rows = connection.execute(select(table).order_by(table.c.created_at, table.c.id))
    return tuple(_summary(row) for row in rows)


def create_account(
    connection: Connection, now: int, name: str, plan: str, support_contact: str | None
) -> AccountSummary:
    """Create an account; raises `UseError` (`invalid-request`) for a name that cannot be."""
    account_id = str(uuid4())
    connection.execute(
        insert(tables.account).values(
            id=account_id,
            name=check_name(name),
            plan=plan,
            support_contact=support_contact,
            created_at=now,
            sequence=0,
            event_count=0,
            instance_count=0,
            key_count=0,
            add_on_count=0,
        )
    )
    record(
        connection,
        Author.administrator(account_id, now),
        "account.created",
        ("account", account_id),
        after={"name": name, "plan": plan},
    )
    return _summary(find_account(connection, account_id))
