"""The license cloud inside this process: created and seeded on first use, then only opened.

Nothing listens and no second process runs; a client reaches the application through an ASGI
transport. Everything it signs is labelled lab.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tui_licenses.cloud.locks import exclusive_lock
from tui_licenses.domain.account import Role
from tui_licenses.errors import FileError
from tui_licenses.files import read_private, write_private
from tui_licenses.paths import private_folder

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from tui_licenses.documents.signing import PublicKey

INSTANCES_DEFAULT = 24
KEYS_DEFAULT = 120
RANDOM_SEED_DEFAULT = 1


@dataclass(frozen=True, slots=True)
class EmbeddedCredentials:
    """How to sign in to one account of the embedded cloud; secret, never shown in a log."""

    account_id: str
    account_name: str
    plan: str
    role: Role
    subject_id: str
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EmbeddedCloud:
    """An open embedded cloud; `credentials[0]` is the administrator of its first account."""

    app: Starlette
    credentials: tuple[EmbeddedCredentials, ...]
    root_public_keys: tuple[PublicKey, ...]
    trust_document: bytes
    close: Callable[[], None]


class _CredentialsFile(msgspec.Struct, rename="camel"):
    class Entry(msgspec.Struct, rename="camel"):
        account_id: str
        account_name: str
        plan: str
        role: Role
        subject_id: str
        refresh_token: str

    credentials: list[Entry]


def credentials_path(database: Path) -> Path:
    """Return the file beside the database that holds the sign-ins of the embedded cloud."""
    return database.with_name(f"{database.stem}-credentials.json")


def embedded_credentials(database: Path) -> tuple[EmbeddedCredentials, ...]:
    """Read the sign-ins of an embedded cloud that exists; empty where there is none.

    Raises `FileError` (`file-damaged`, `file-not-private`) for a file that cannot be used.
    """
    path = credentials_path(database)
    if not path.exists():
        return ()
    try:
        decoded = msgspec.json.decode(read_private(path), type=_CredentialsFile)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FileError(
            "file-damaged",
            f"The sign-in file of the embedded cloud cannot be read: {path.name}.",
            "Remove the embedded database and its files; they are made again on the next start.",
        ) from error
    return tuple(
        EmbeddedCredentials(
            entry.account_id,
            entry.account_name,
            entry.plan,
            entry.role,
            entry.subject_id,
            entry.refresh_token,
        )
        for entry in decoded.credentials
    )


def write_credentials(database: Path, credentials: tuple[EmbeddedCredentials, ...]) -> None:
    """Write the sign-ins beside the database, readable by its owner only."""
    document = _CredentialsFile(
        credentials=[
            _CredentialsFile.Entry(
                account_id=entry.account_id,
                account_name=entry.account_name,
                plan=entry.plan,
                role=entry.role,
                subject_id=entry.subject_id,
                refresh_token=entry.refresh_token,
            )
            for entry in credentials
        ]
    )
    write_private(credentials_path(database), msgspec.json.encode(document))


def ensure_embedded(
    database: Path,
    *,
    instances: int = INSTANCES_DEFAULT,
    keys: int = KEYS_DEFAULT,
    random_seed: int = RANDOM_SEED_DEFAULT,
    now: datetime | None = None,
) -> bool:
    """Create and seed the embedded database where there is none; return whether it was made.

    Two programs that start at once wait for each other, and one of them seeds. The sign-in file
    is written last: it marks a database as complete.
    """
    if credentials_path(database).exists() and database.exists():
        return False
    private_folder(database.parent)
    with exclusive_lock(database.with_name(f"{database.stem}.lock")):
        if credentials_path(database).exists() and database.exists():
            return False
        from tui_licenses.cloud.administration import seed
        from tui_licenses.cloud.key_files import KeyFiles

        logs = (Path(f"{database}-{end}") for end in ("wal", "shm"))
        for leftover in (database, *logs, *KeyFiles(database).names()):
            leftover.unlink(missing_ok=True)
        report = seed(database, instances=instances, keys=keys, random_seed=random_seed, now=now)
        write_credentials(
            database,
            tuple(
                EmbeddedCredentials(
                    token.account_id,
                    token.account_name,
                    token.plan,
                    token.role,
                    token.subject_id,
                    token.refresh_token,
                )
                for token in report.tokens
            ),
        )
    return True


def open_embedded(
    database: Path,
    *,
    instances: int = INSTANCES_DEFAULT,
    keys: int = KEYS_DEFAULT,
    random_seed: int = RANDOM_SEED_DEFAULT,
    now: datetime | None = None,
) -> EmbeddedCloud:
    """Open the embedded cloud on `database`, creating and seeding it on first use.

    `now` fixes the day the seed is made for. Blocking: call it in a thread from a screen.
    """
    ensure_embedded(database, instances=instances, keys=keys, random_seed=random_seed, now=now)
    from tui_licenses.cloud.app import create_app
    from tui_licenses.cloud.store import open_store

    store = open_store(database)
    return EmbeddedCloud(
        create_app(store),
        embedded_credentials(database),
        (store.signing.root,),
        store.signing.trust_document.encode(),
        store.close,
    )
