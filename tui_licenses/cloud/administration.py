"""What whoever runs a license cloud does: create, fill, issue, suspend, make tokens, check.

Every function opens the database it is given, does one thing in one transaction and closes it.
`database` is a file or a URL (`cloud.database`); `account` is the id or the exact name of an
account; `key` is the id of a key or its sixteen characters.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses.cloud.findings import Finding
from tui_licenses.domain.account import Role
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import Feature, KeyKind, LicenseKey

if TYPE_CHECKING:
    from tui_licenses.cloud.backup_file import WrittenBackup
    from tui_licenses.cloud.restore import RestoreOptions, RestoreReport
    from tui_licenses.cloud.signing_key_changes import ListedKeys
    from tui_licenses.cloud.store import Store
    from tui_licenses.secret import Secret


@dataclass(frozen=True, slots=True)
class InitialiseReport:
    """What `initialise` did: `created` is false for a database that was already there."""

    created: bool
    migrated: bool
    schema_version: str


@dataclass(frozen=True, slots=True)
class NewToken:
    """A new API sign-in; the refresh token is told here once and never again."""

    subject_id: str
    refresh_token: str = field(repr=False)
    role: Role
    display_name: str
    account_id: str
    account_name: str
    plan: str


@dataclass(frozen=True, slots=True)
class TokenSummary:
    """An API sign-in without its secret."""

    subject_id: str
    display_name: str
    role: Role
    account_id: str
    account_name: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """An account with its counters."""

    id: str
    name: str
    plan: str
    instance_count: int
    key_count: int
    add_on_count: int


@dataclass(frozen=True, slots=True)
class SeedReport:
    """What `seed` made; `tokens[0]` is the administrator of the first account."""

    account_count: int
    instance_count: int
    key_count: int
    tokens: tuple[NewToken, ...]


@contextmanager
def _opened(database: str | Path) -> Iterator[Store]:
    from tui_licenses.cloud.store import explaining, open_store

    store = open_store(database)
    try:
        with explaining(store):
            yield store
    finally:
        store.close()


def initialise(database: str | Path) -> InitialiseReport:
    """Create a database, or bring one to the current schema."""
    from tui_licenses.cloud.store import create_store

    store, created, migrated = create_store(database)
    try:
        return InitialiseReport(created, migrated, store.schema_version())
    finally:
        store.close()


def seed(
    database: str | Path,
    *,
    instances: int = 24,
    keys: int = 120,
    random_seed: int = 1,
    now: datetime | None = None,
) -> SeedReport:
    """Create the database where needed and fill it with a lab estate.

    `keys` and `instances` count the first account; the others are extra. The same `random_seed`
    and `now` give the same rows, ids, keys and tokens. Raises `UseError` (`database-not-empty`,
    `invalid-request`).
    """
    from tui_licenses.cloud.seeding.seed import seed_store
    from tui_licenses.cloud.store import create_store, explaining

    store, _, _ = create_store(database, lab=True)
    try:
        with explaining(store):
            return seed_store(store, instances, keys, random_seed, now or datetime.now(UTC))
    finally:
        store.close()


def accounts(database: str | Path) -> tuple[AccountSummary, ...]:
    """List the accounts, the first one first."""
    from tui_licenses.cloud.operations.accounts import list_accounts

    with _opened(database) as store, store.read() as connection:
        return list_accounts(connection)


def make_account(
    database: str | Path, name: str, plan: str, support_contact: str | None = None
) -> AccountSummary:
    """Create an account without instances or keys."""
    from tui_licenses.cloud.operations.accounts import create_account

    with _opened(database) as store, store.write() as connection:
        return create_account(connection, store.now(), name, plan, support_contact)


def issue(
    database: str | Path,
    account: str,
    *,
    kind: KeyKind,
    product_code: str,
    product_name: str | None = None,
    features: tuple[Feature, ...] = (),
    count: int = 1,
    starts_at: datetime | None = None,
    expires_at: datetime | None = None,
    terminates_at: datetime | None = None,
    order_reference: str | None = None,
) -> tuple[LicenseKey, ...]:
    """Issue unassigned keys to an account.

    Without `product_name` and `features` the product must be known to the catalogue. Raises
    `UseError` (`invalid-request`) and `NotFoundError` (`not-found`).
    """
    from tui_licenses.cloud.operations.issue import IssueOrder, issue_keys

    order = IssueOrder(
        kind,
        product_code,
        product_name,
        features,
        count,
        starts_at,
        expires_at,
        terminates_at,
        order_reference,
    )
    with _opened(database) as store, store.write() as connection:
        return issue_keys(connection, store.now(), account, order)


def suspend_key(database: str | Path, key: str, reason: str) -> LicenseKey:
    """Suspend an active key; raises `StateError` for a key in another state."""
    from tui_licenses.cloud.operations.key_states import suspend

    with _opened(database) as store, store.write() as connection:
        return suspend(store, connection, key, reason)


def reinstate_key(database: str | Path, key: str, reason: str) -> LicenseKey:
    """Lift the suspension of a key; raises `StateError` for a key that is not suspended."""
    from tui_licenses.cloud.operations.key_states import reinstate

    with _opened(database) as store, store.write() as connection:
        return reinstate(store, connection, key, reason)


def revoke_key(database: str | Path, key: str, reason: str) -> LicenseKey:
    """Revoke a key for good; raises `StateError` for one that is revoked already."""
    from tui_licenses.cloud.operations.key_states import revoke

    with _opened(database) as store, store.write() as connection:
        return revoke(store, connection, key, reason)


def retire_instance(database: str | Path, instance_id: str, reason: str) -> Instance:
    """Retire an instance without active keys: hidden from lists, never deleted."""
    from tui_licenses.cloud.operations.instances import retire

    with _opened(database) as store, store.write() as connection:
        return retire(store, connection, instance_id, reason)


def make_token(
    database: str | Path, account: str, role: Role, display_name: str, email: str | None = None
) -> NewToken:
    """Make an API sign-in for an account; its refresh token is told only now."""
    from tui_licenses.cloud.operations.tokens import create_token

    with _opened(database) as store, store.write() as connection:
        return create_token(store, connection, account, role, display_name, email)


def tokens(database: str | Path, account: str | None = None) -> tuple[TokenSummary, ...]:
    """List the API sign-ins of one account or of all."""
    from tui_licenses.cloud.operations.tokens import list_tokens

    with _opened(database) as store, store.read() as connection:
        return list_tokens(connection, account)


def revoke_token(database: str | Path, subject_id: str) -> TokenSummary:
    """Revoke an API sign-in and every access token it was given."""
    from tui_licenses.cloud.operations.tokens import revoke_subject

    with _opened(database) as store, store.write() as connection:
        return revoke_subject(connection, store.now(), subject_id)


def signing_keys(database: str | Path) -> ListedKeys:
    """List the root and the signing keys."""
    from tui_licenses.cloud.signing_key_changes import list_keys

    with _opened(database) as store:
        return list_keys(store)


def rotate_signing_key(database: str | Path, root_key: Path | None = None) -> ListedKeys:
    """Add a signing key; the ones before it sign beside it until they are retired.

    Here and below, `root_key` is the file of the root where that is kept off the host. Raises
    `UseError` (`root-key-missing`, `root-key-wrong`) and `StateError`.
    """
    from tui_licenses.cloud.signing_key_changes import rotate

    with _opened(database) as store:
        return rotate(store, root_key)


def retire_signing_key(
    database: str | Path, keyid: str, root_key: Path | None = None
) -> ListedKeys:
    """Let a signing key sign no more; what it has signed stays valid."""
    from tui_licenses.cloud.signing_key_changes import retire

    with _opened(database) as store:
        return retire(store, keyid, root_key)


def revoke_signing_key(
    database: str | Path, keyid: str, root_key: Path | None = None
) -> ListedKeys:
    """Make all that a signing key has signed worthless; a new one takes over where needed."""
    from tui_licenses.cloud.signing_key_changes import revoke

    with _opened(database) as store:
        return revoke(store, keyid, root_key)


def rotate_root(
    database: str | Path, root_key: Path | None = None, new_root_key: Path | None = None
) -> ListedKeys:
    """Put a new root, kept in `new_root_key`, in the place of the old one; both sign."""
    from tui_licenses.cloud.signing_key_changes import rotate_root as rotate

    with _opened(database) as store:
        return rotate(store, root_key, new_root_key)


def export_root(database: str | Path, target: Path) -> ListedKeys:
    """Move the root's private key off the host, into a file."""
    from tui_licenses.cloud.signing_key_changes import export_root as export

    with _opened(database) as store:
        return export(store, target)


def back_up(database: str | Path, target: Path, passphrase: Secret | None = None) -> WrittenBackup:
    """Write a backup of a cloud that may be serving; with a passphrase it holds the keys."""
    from tui_licenses.cloud.backup import back_up as write_backup

    with _opened(database) as store:
        return write_backup(store, target, passphrase)


def restore(database: str | Path, backup: Path, options: RestoreOptions) -> RestoreReport:
    """Put a backup in the place of a database that nobody uses; all or nothing."""
    from tui_licenses.cloud.database import find_database
    from tui_licenses.cloud.restore import restore as put_back

    return put_back(backup, find_database(database), options)


def check(database: str | Path, backup: Path | None = None) -> tuple[Finding, ...]:
    """Check a database against every rule it must keep; an empty answer means it is sound.

    With a backup, also that nothing the backup has is gone. Nothing is changed: raises `UseError`
    (`database-not-current`) for a database of an older schema.
    """
    from tui_licenses.cloud.check import check_store
    from tui_licenses.cloud.store import explaining, open_unchanged

    with closing(open_unchanged(database)) as store, explaining(store):
        findings = check_store(store)
        if backup is None:
            return findings
        from tui_licenses.cloud.check_backup import check_against

        return (*findings, *check_against(store, backup))
