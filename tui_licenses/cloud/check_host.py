"""Checks how a cloud's database is set, and who can read the files beside it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import Connection

from tui_licenses.cloud import tables
from tui_licenses.cloud.findings import Finding

# What a pragma answers where an acknowledged change survives a power cut, where references are
# kept, and where a damaged or hostile file cannot make SQLite do more than read it.
_SQLITE_SETTINGS = {
    "journal_mode": ("wal",),
    "synchronous": ("2",),
    "foreign_keys": ("1",),
    "trusted_schema": ("0",),
    "cell_size_check": ("1",),
}
# Of those of a commit each waits for this server's own disk.
_POSTGRESQL_SETTINGS = {
    "fsync": ("on",),
    "synchronous_commit": ("on", "local", "remote_write", "remote_apply"),
    "full_page_writes": ("on",),
}
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_settings(connection: Connection) -> Iterator[Finding]:
    """Ask the database for the settings in force."""
    is_sqlite = connection.dialect.name == "sqlite"
    command = "PRAGMA" if is_sqlite else "SHOW"
    for name, wanted in (_SQLITE_SETTINGS if is_sqlite else _POSTGRESQL_SETTINGS).items():
        found = connection.exec_driver_sql(f"{command} {name}").scalar()
        if str(found).lower() not in wanted:
            yield Finding("setting-wrong", name, f"It is {found}; it has to be {wanted[0]}.")
    if is_sqlite:
        lax = {
            row.name for row in connection.exec_driver_sql("PRAGMA table_list") if not row.strict
        }
        for name in sorted(lax & tables.metadata.tables.keys()):
            yield Finding("setting-wrong", f"table {name}", "It takes values of any type.")


def check_files(files: Iterable[Path]) -> Iterator[Finding]:
    """Check that files which exist belong to whoever runs this, and that nobody else reads them."""
    for path in files:
        try:
            status = path.lstat()
        except FileNotFoundError:
            continue
        if status.st_mode & _OTHERS:
            yield Finding(
                "file-not-private",
                str(path),
                f"Other users can read or change it: run `chmod 600 {path}`.",
            )
        if status.st_uid not in {0, os.geteuid()}:
            yield Finding(
                "file-not-private",
                str(path),
                f"It belongs to another user: run `chown {os.geteuid()} {path}`.",
            )
