"""The database that a `cloud` command works on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from tui_licenses import paths

Database = str | Path
Function = TypeVar("Function", bound=Callable[..., object])


def with_database(function: Function) -> Function:
    """Add `--database`; the function gets a URL, or the file of the embedded database."""
    option = click.option(
        "--database",
        metavar="URL",
        callback=lambda _context, _parameter, value: value or paths.embedded_database_file(),
        help="Database file or URL, such as sqlite:///cloud.sqlite3.",
    )
    return option(function)


def is_embedded(database: Database) -> bool:
    """Say whether this is the database of the embedded cloud."""
    return Path(database) == paths.embedded_database_file()


def prepare(database: Database) -> Database:
    """Return a database to work on; the embedded one is created and seeded on first use.

    Raises `FileError` (`folder-not-writable`).
    """
    if is_embedded(database):
        from tui_licenses.cloud.embedded import ensure_embedded

        ensure_embedded(paths.embedded_database_file())
    return database


def served(database: Database) -> Database:
    """Return the database to serve: without `--database`, the one systemd hands over the URL of.

    Raises `FileError` as `read_credential` does.
    """
    from tui_licenses.cloud.key_files import credential, read_credential

    given = credential("database-url") if is_embedded(database) else None
    return prepare(database) if given is None else read_credential(given).decode().strip()
