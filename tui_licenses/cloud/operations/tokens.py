"""API sign-ins: refresh tokens exchanged for short-lived access tokens.

Refresh tokens are kept as a keyed hash (a pepper outside the database) over a salt of their own,
access tokens as a hash: reading the database gives no sign-in. Both are 256 random bits, so
that a slow hash (Argon2id) would protect nothing: it is for passwords, and there are none.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import Connection, Select, delete, insert, select, update

from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import NewToken, TokenSummary
from tui_licenses.cloud.instants import (
    MICROSECONDS_PER_SECOND,
    from_instant,
    from_optional_instant,
)
from tui_licenses.cloud.operations.accounts import find_account
from tui_licenses.cloud.operations.audit import Author, record
from tui_licenses.cloud.rows import AnyRow
from tui_licenses.domain.account import Role
from tui_licenses.domain.instance import check_name
from tui_licenses.errors import NotFoundError, StateError

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store

ACCESS_TOKEN_SECONDS = 3600

# One day: an expired token is still told from an unknown one for that long.
_EXPIRED_KEPT = 24 * 3600 * MICROSECONDS_PER_SECOND

_SALT_BYTES = 16
_NO_SALT = bytes(_SALT_BYTES)
_NO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class NewSubject:
    """Whom a new sign-in is for."""

    id: str
    role: Role
    display_name: str
    email: str | None


def hash_refresh_token(pepper: bytes, salt: bytes, refresh_token: str) -> bytes:
    """Return the stored form of a refresh token."""
    message = salt + refresh_token.encode("utf-8", "surrogatepass")
    return hmac.new(pepper, message, hashlib.sha256).digest()


def hash_access_token(access_token: str) -> bytes:
    """Return the stored form of an access token."""
    return hashlib.sha256(access_token.encode("utf-8", "surrogatepass")).digest()


def create_token(
    store: Store,
    connection: Connection,
    account: str,
    role: Role,
    display_name: str,
    email: str | None,
) -> NewToken:
    """Make a sign-in for an account (an id or an exact name)."""
    owner = find_account(connection, account)
    name, now = check_name(display_name), store.now()
    subject = NewSubject(str(uuid4()), role, name, email)
    token = insert_subject(connection, store.signing.pepper, owner, subject, now)
    record(
        connection,
        Author.administrator(owner.id, now),
        "token.created",
        ("subject", subject.id),
        after={"role": role, "displayName": name},
    )
    return token


def insert_subject(
    connection: Connection, pepper: bytes, owner: AnyRow, subject: NewSubject, now: int
) -> NewToken:
    """Store a subject with a new refresh token, which is told here once."""
    refresh_token, salt = f"tlr_{secrets.token_urlsafe(32)}", secrets.token_bytes(_SALT_BYTES)
    connection.execute(
        insert(tables.subject).values(
            id=subject.id,
            account_id=owner.id,
            display_name=subject.display_name,
            email=subject.email,
            role=subject.role,
            refresh_salt=salt,
            refresh_hash=hash_refresh_token(pepper, salt, refresh_token),
            created_at=now,
        )
    )
    return NewToken(
        subject.id,
        refresh_token,
        subject.role,
        subject.display_name,
        owner.id,
        owner.name,
        owner.plan,
    )


def exchange(store: Store, subject_id: str, refresh_token: str) -> str | None:
    """Return a new access token, or None; an unknown subject takes the steps of a known one.

    Only the right token gets as far as writing: guesses wait for nobody and hold up nobody.
    """
    with store.read() as connection:
        if not _belongs(store, connection, subject_id, refresh_token):
            return None
    access_token, now = f"tla_{secrets.token_urlsafe(32)}", store.now()
    tokens = tables.access_token
    with store.write() as connection:
        # Once more: the sign-in may have been revoked while this waited its turn.
        if not _belongs(store, connection, subject_id, refresh_token, is_locked=True):
            return None
        connection.execute(delete(tokens).where(tokens.c.expires_at < now - _EXPIRED_KEPT))
        connection.execute(
            insert(tokens).values(
                token_hash=hash_access_token(access_token),
                subject_id=subject_id,
                created_at=now,
                expires_at=now + ACCESS_TOKEN_SECONDS * MICROSECONDS_PER_SECOND,
            )
        )
    return access_token


def _belongs(
    store: Store,
    connection: Connection,
    subject_id: str,
    refresh_token: str,
    *,
    is_locked: bool = False,
) -> bool:
    table = tables.subject
    found = select(table).where(table.c.id == subject_id)
    if is_locked:
        # Until the end of the transaction, so that who is revoked meanwhile keeps no access token.
        found = found.with_for_update(read=True)
    row = connection.execute(found).one_or_none()
    salt, expected = (_NO_SALT, _NO_HASH) if row is None else (row.refresh_salt, row.refresh_hash)
    given = hash_refresh_token(store.signing.pepper, salt, refresh_token)
    matches = hmac.compare_digest(given, expected)
    return row is not None and matches and row.revoked_at is None


def _summary(row: AnyRow) -> TokenSummary:
    return TokenSummary(
        row.id,
        row.display_name,
        Role(row.role),
        row.account_id,
        row.account_name,
        from_instant(row.created_at),
        from_optional_instant(row.revoked_at),
    )


def _subject_select() -> Select[Any]:
    subject, owner = tables.subject, tables.account
    # An outer join keeps the subjects in front: they are found and ordered by their own index.
    joined = subject.outerjoin(owner, owner.c.id == subject.c.account_id)
    return select(subject, owner.c.name.label("account_name")).select_from(joined)


def list_tokens(connection: Connection, account: str | None) -> tuple[TokenSummary, ...]:
    """List sign-ins, the oldest first."""
    subject = tables.subject
    statement = _subject_select().order_by(subject.c.created_at, subject.c.id)
    if account is not None:
        statement = statement.where(subject.c.account_id == find_account(connection, account).id)
    return tuple(_summary(row) for row in connection.execute(statement))


def revoke_subject(connection: Connection, now: int, subject_id: str) -> TokenSummary:
    """Revoke a sign-in and its access tokens; raises `NotFoundError` and `StateError`."""
    row = connection.execute(
        _subject_select().where(tables.subject.c.id == subject_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError(
            "not-found", "There is no API token with this subject id.", "List the tokens."
        )
    found = _summary(row)
    if found.revoked_at is not None:
        raise StateError("token-revoked", "This API token is revoked already.", "Nothing to do.")
    table, tokens = tables.subject, tables.access_token
    connection.execute(update(table).where(table.c.id == subject_id).values(revoked_at=now))
    connection.execute(delete(tokens).where(tokens.c.subject_id == subject_id))
    record(
        connection,
        Author.administrator(found.account_id, now),
        "token.revoked",
        ("subject", subject_id),
        before={"role": found.role},
    )
    return replace(found, revoked_at=from_instant(now))
