"""Fills an empty database with the lab estate: several accounts, of every plan and state."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection, func, insert, select

from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import NewToken, SeedReport
from tui_licenses.cloud.instants import to_instant
from tui_licenses.cloud.operations.accounts import find_account
from tui_licenses.cloud.operations.tokens import NewSubject, insert_subject
from tui_licenses.cloud.rows import encode_features
from tui_licenses.cloud.search import words
from tui_licenses.cloud.seeding.catalogue import (
    ADD_ONS,
    FIRST_ACCOUNT,
    MASTERS,
    OTHER_ACCOUNTS,
    PARTNER_ACCOUNT,
    SeedAccount,
)
from tui_licenses.cloud.seeding.estate import Estate, EstatePlan
from tui_licenses.cloud.seeding.key_rows import DAY
from tui_licenses.cloud.seeding.writer import SeedWriter
from tui_licenses.domain.account import Role
from tui_licenses.errors import UseError

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store

_ACCOUNTS = (FIRST_ACCOUNT, PARTNER_ACCOUNT, *OTHER_ACCOUNTS)
# What each account beside the first gets.
_OTHER_INSTANCES = 6
_OTHER_KEYS = 30


def seed_store(
    store: Store, instances: int, keys: int, random_seed: int, now: datetime
) -> SeedReport:
    """Fill an empty store; the dates are relative to the day of `now`.

    Rows, ids and keys follow from the arguments; tokens and signing keys are secrets and always
    new. Raises `UseError` (`database-not-empty`, `invalid-request`).
    """
    # The seed decides names and dates, nothing secret.
    random = Random(random_seed)  # noqa: S311
    day = to_instant(now) // DAY * DAY
    ids = [str(UUID(int=random.getrandbits(128), version=4)) for _ in _ACCOUNTS]
    plans = [
        EstatePlan(
            account_id,
            instances if index == 0 else _OTHER_INSTANCES,
            keys if index == 0 else _OTHER_KEYS,
            ids[1] if index == 0 else None,
        )
        for index, account_id in enumerate(ids)
    ]
    plans[0].check()
    with store.write() as connection:
        if connection.execute(select(func.count()).select_from(tables.account)).scalar_one():
            raise UseError(
                "database-not-empty",
                "This license cloud has accounts already.",
                "Seed a new database, or issue keys to the accounts of this one.",
            )
        _write_catalogue(connection)
        _write_accounts(connection, ids, day)
        writer = SeedWriter(connection)
        for plan in plans:
            Estate(plan, random, day, writer).write()
        writer.finish(tuple(ids))
        tokens = _make_tokens(connection, store.signing.pepper, ids, random, day)
    return SeedReport(len(ids), writer.instance_count, writer.key_count, tokens)


def _write_catalogue(connection: Connection) -> None:
    known = set(connection.execute(select(tables.product.c.code)).scalars())
    products = [product for product in (*MASTERS, *ADD_ONS) if product.code not in known]
    rows = [
        {
            "code": product.code,
            "name": product.name,
            "kind": product.kind,
            "features": encode_features(product.features),
        }
        for product in products
    ]
    connection.execute(insert(tables.product), rows)
    found = [
        {"word": word, "product_code": product.code}
        for product in products
        for word in words(product.name)
    ]
    connection.execute(insert(tables.product_word), found)


def _write_accounts(connection: Connection, ids: list[str], day: int) -> None:
    rows = [
        {
            "id": account_id,
            "name": account.name,
            "plan": account.plan,
            "plan_starts_at": day - (900 - index) * DAY,
            "plan_ends_at": day + (400 + index) * DAY,
            "support_contact": f"licenses@{account.domain}",
            # The first account is the first of every list.
            "created_at": day - (1600 - index) * DAY,
            "sequence": 0,
            "event_count": 0,
            "instance_count": 0,
            "key_count": 0,
            "add_on_count": 0,
        }
        for index, (account_id, account) in enumerate(zip(ids, _ACCOUNTS, strict=True))
    ]
    connection.execute(insert(tables.account), rows)


def _make_tokens(
    connection: Connection, pepper: bytes, ids: list[str], random: Random, day: int
) -> tuple[NewToken, ...]:
    """Return an administrator of each account, and the lower roles of the first."""

    def make(account_id: str, account: SeedAccount, role: Role) -> NewToken:
        subject = NewSubject(
            str(UUID(int=random.getrandbits(128), version=4)),
            role,
            f"Lab {role}",
            f"{role}@{account.domain}",
        )
        owner = find_account(connection, account_id)
        return insert_subject(connection, pepper, owner, subject, day)

    administrators = [
        make(account_id, account, Role.ADMINISTRATOR)
        for account_id, account in zip(ids, _ACCOUNTS, strict=True)
    ]
    lower = [make(ids[0], FIRST_ACCOUNT, role) for role in (Role.OPERATOR, Role.READER)]
    return (*administrators, *lower)
