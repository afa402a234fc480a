"""The mark beside the secrets of a cloud that says: its audit trail was sealed once.

Whoever can write the database could make it look like one from before the events were chained; a
migration would then link and seal what they forged. The mark is not in the database.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from tui_licenses.cloud.audit_chain import SEAL_KEY, seal_key
from tui_licenses.cloud.key_files import KeyFiles
from tui_licenses.errors import FileError
from tui_licenses.files import write_private

# The revision that chains the events.
_SEALED_SINCE = "0003"
_CONTENT = b"The audit trail of this license cloud was sealed: schema 0003 or newer.\n"


def mark_path(database: Path) -> Path:
    """Return where the mark of a cloud is."""
    return database.with_name(f"{database.stem}-sealed.mark")


def mark_sealed(database: Path) -> None:
    """Make the mark where it is not there yet; raises `FileError`."""
    path = mark_path(database)
    if not path.exists():
        write_private(path, _CONTENT)


def refuse_stripped(database: Path, schema: str | None) -> None:
    """Raise `FileError` (`audit-stripped`) for an old schema where a trail was sealed before."""
    path = mark_path(database)
    if schema is not None and schema < _SEALED_SINCE and path.exists():
        raise FileError(
            "audit-stripped",
            f"The database has schema {schema}, but its audit trail was sealed before: somebody"
            " took the seals away, or put an old database back.",
            "Keep it aside and restore a backup. Where you put it back yourself, remove"
            f" {path.name} from {path.parent} and open it again.",
        )


def seal_migrated(connection: Connection, database: Path, before: str | None) -> None:
    """Seal what a migration from the schema `before` has linked, in its own transaction.

    Raises `FileError` (`audit-stripped`, and those of the pepper).
    """
    refuse_stripped(database, before)
    if before is None or before >= _SEALED_SINCE:
        return
    from tui_licenses.cloud.operations.audit import seal_heads

    sealing = {SEAL_KEY: seal_key(KeyFiles(database).pepper())}
    seal_heads(connection.execution_options(**sealing))
