"""`cloud backup` and `cloud restore`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from tui_licenses.cli.asking import (
    ask_new_passphrase,
    ask_secret,
    passphrase_of_input,
    require_terminal,
)
from tui_licenses.cli.commands.cloud_database import (
    Database,
    is_embedded,
    prepare,
    with_database,
)
from tui_licenses.cli.invocation import Invocation, command
from tui_licenses.cli.records import instant_record
from tui_licenses.errors import UseError
from tui_licenses.secret import Secret

if TYPE_CHECKING:
    from tui_licenses.cloud.restore import RestoreReport

Function = TypeVar("Function", bound=Callable[..., object])


def _with_passphrase(keys: str) -> Callable[[Function], Function]:
    """Add the options about the keys in a backup; `keys` says what happens to them."""

    def add(function: Function) -> Function:
        with_stdin = click.option(
            "--passphrase-stdin",
            is_flag=True,
            help="Read the passphrase from standard input instead of asking.",
        )
        return click.option("--with-keys", is_flag=True, help=keys)(with_stdin(function))

    return add


def register(cloud: click.Group) -> None:
    """Add the commands of this file."""
    _register_backup(cloud)
    _register_restore(cloud)


def _register_backup(cloud: click.Group) -> None:
    @command(cloud, "backup")
    @with_database
    @click.option(
        "--to",
        "target",
        type=click.Path(path_type=Path),
        required=True,
        metavar="FILE",
        help="The new file; an existing one is never replaced.",
    )
    @_with_passphrase("Put the private keys in, sealed with a passphrase.")
    def backup(
        invocation: Invocation,
        database: Database,
        target: Path,
        with_keys: bool,
        passphrase_stdin: bool,
    ) -> None:
        """Back up a cloud, also while it serves: one signed, private file."""
        from tui_licenses.cloud import administration

        passphrase = _passphrase(passphrase_stdin, is_new=True) if with_keys else None
        written = administration.back_up(prepare(database), target, passphrase)
        invocation.output.item(
            {
                "path": str(written.path),
                "size": written.size,
                "sha256": written.sha256,
                "rowCount": written.row_count,
                "withKeys": with_keys,
            },
            [
                ("Backup", str(written.path)),
                ("SHA-256", written.sha256),
                ("Rows", str(written.row_count)),
                ("Keys", "sealed in it" if with_keys else "not in it"),
            ],
        )
        if not with_keys:
            invocation.output.note("Keep a copy of the .key files elsewhere, apart from backups.")


def _register_restore(cloud: click.Group) -> None:
    @command(cloud, "restore")
    @click.argument("backup", type=click.Path(path_type=Path), metavar="FILE")
    @with_database
    @_with_passphrase("Take the private keys that are not here from the backup.")
    @click.option(
        "--root-key",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The root's private key, where no other key of this cloud is left.",
    )
    @click.option(
        "--discard-newer",
        is_flag=True,
        help="Accept that changes since the backup are lost.",
    )
    def restore(
        invocation: Invocation,
        backup: Path,
        database: Database,
        with_keys: bool,
        passphrase_stdin: bool,
        root_key: Path | None,
        discard_newer: bool,
    ) -> None:
        """Put a backup in the place of a database that nothing uses: all of it, or nothing.

        The database is made where there is none; the one before is kept.
        """
        from tui_licenses.cloud import administration
        from tui_licenses.cloud.restore import RestoreOptions

        if is_embedded(database):
            raise UseError(
                "database-required",
                "The embedded lab cloud is made anew, not restored.",
                "Say with `--database` what to restore.",
            )
        passphrase = _passphrase(passphrase_stdin, is_new=False) if with_keys else None
        options = RestoreOptions(passphrase, root_key, discard_newer)
        _tell(invocation, administration.restore(database, backup, options))


def _tell(invocation: Invocation, report: RestoreReport) -> None:
    previous = report.previous
    invocation.output.item(
        {
            "backupCreatedAt": instant_record(report.created),
            "rowCount": report.row_count,
            "serialsAbove": report.serial_floor,
            "previousDatabase": previous,
            "discarded": len(report.discarded),
        },
        [
            ("Backup of", str(instant_record(report.created))),
            ("Rows", str(report.row_count)),
            ("Serials begin above", str(report.serial_floor)),
            ("Database before", previous or "none"),
        ],
    )
    invocation.output.note("Every license file is issued anew when it is next downloaded.")


def _passphrase(from_stdin: bool, *, is_new: bool) -> Secret:
    if from_stdin:
        return passphrase_of_input()
    question = "Passphrase of the keys"
    next_step = "Give it on standard input with --passphrase-stdin."
    if is_new:
        return ask_new_passphrase(question, next_step)
    require_terminal(next_step)
    return ask_secret(question)
