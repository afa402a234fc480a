"""The database that a `cloud` command works on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit

import click
from click.core import ParameterSource

from tui_licenses import paths
from tui_licenses.errors import UseError

DATABASE_VARIABLE = "TUI_LICENSES_DATABASE_URL"
SECRETS_VARIABLE = "TUI_LICENSES_CLOUD_SECRETS"

Database = str | Path
Function = TypeVar("Function", bound=Callable[..., object])

_SECRETS = "tui_licenses.cloud_secrets"


def with_database(function: Function) -> Function:
    """Add `--database` and `--secrets`; the function gets a URL, or the embedded database file."""
    secrets = click.option(
        "--secrets",
        type=click.Path(path_type=Path),
        envvar=SECRETS_VARIABLE,
        expose_value=False,
        # Before the database, which takes it in.
        is_eager=True,
        callback=_note_secrets,
        help=f"Folder of the secrets of a PostgreSQL cloud; or set {SECRETS_VARIABLE}.",
    )
    database = click.option(
        "--database",
        metavar="URL",
        envvar=DATABASE_VARIABLE,
        callback=_database,
        help="Database file or URL, such as sqlite:///cloud.sqlite3 or "
        f"postgresql://host/name; or set {DATABASE_VARIABLE}.",
    )
    return database(secrets(function))


def _note_secrets(context: click.Context, parameter: click.Parameter, value: Path | None) -> None:
    source = context.get_parameter_source(parameter.name or "")
    context.meta[_SECRETS] = (value, source is ParameterSource.COMMANDLINE)


def _database(context: click.Context, parameter: click.Parameter, value: str | None) -> Database:
    """Return what to work on; a folder of secrets becomes a part of the URL.

    Raises `UseError` (`password-on-command-line`, `invalid-request`).
    """
    secrets, is_given = context.meta[_SECRETS]
    source = context.get_parameter_source(parameter.name or "")
    if value and source is ParameterSource.COMMANDLINE and _has_password(value):
        raise UseError(
            "password-on-command-line",
            "A password on the command line can be read by everybody on this machine.",
            f"Set {DATABASE_VARIABLE} to the URL, or keep the password in ~/.pgpass.",
        )
    is_server = value is not None and value.startswith("postgresql")
    if is_given and not is_server:
        raise UseError(
            "invalid-request",
            "The secrets of a database file are beside it; --secrets is for PostgreSQL.",
            "Leave --secrets out.",
        )
    if value is None or secrets is None or not is_server:
        return value or paths.embedded_database_file()
    joined = "&" if "?" in value else "?"
    return f"{value}{joined}secrets={quote(str(secrets.absolute()))}"


def _has_password(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.password is not None or "password=" in parts.query


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
    from tui_licenses.cloud.key_files import read_credential

    given = read_credential("database-url") if is_embedded(database) else None
    return prepare(database) if given is None else given.decode().strip()
