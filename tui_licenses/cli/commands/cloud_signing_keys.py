"""`cloud signing-keys`: the keys a license cloud signs with, and the root that vouches for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tui_licenses.cli.commands.cloud_database import Database, prepare, with_database
from tui_licenses.cli.facts import instant, text
from tui_licenses.cli.invocation import Invocation, command, group
from tui_licenses.cli.output import Column
from tui_licenses.cli.records import instant_record

if TYPE_CHECKING:
    from tui_licenses.cloud.signing_key_changes import ListedKeys

Record = dict[str, Any]
Function = TypeVar("Function", bound=Callable[..., object])

_COLUMNS: tuple[Column, ...] = (
    ("KEY ID", lambda record: record["keyId"]),
    ("KIND", lambda record: record["kind"]),
    ("STATUS", lambda record: record["status"]),
    ("RETIRED", lambda record: instant(record["retiredAt"])),
    ("PRIVATE KEY", lambda record: "here" if record["isHere"] else "not here"),
    ("FINGERPRINT", lambda record: text(record["fingerprint"])),
)


def _with_root_key(function: Function) -> Function:
    option = click.option(
        "--root-key",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The root's private key, where it is kept off the host.",
    )
    return option(function)


def register(cloud: click.Group) -> None:
    """Add the commands of this file."""
    keys = group(
        cloud,
        "signing-keys",
        "Signing keys and their root: list, rotate, retire, revoke.",
    )
    _register_list(keys)
    _register_changes(keys)
    _register_root(keys)


def _register_list(keys: click.Group) -> None:
    @command(keys, "list")
    @with_database
    def list_keys(invocation: Invocation, database: Database) -> None:
        """List the root and the signing keys."""
        from tui_licenses.cloud import administration

        _show(invocation, administration.signing_keys(prepare(database)))


def _register_changes(keys: click.Group) -> None:
    @command(keys, "rotate")
    @with_database
    @_with_root_key
    def rotate(invocation: Invocation, database: Database, root_key: Path | None) -> None:
        """Add a signing key; the ones before it sign beside it until they are retired."""
        from tui_licenses.cloud import administration

        _show(invocation, administration.rotate_signing_key(prepare(database), root_key))

    @command(keys, "retire")
    @with_database
    @_with_root_key
    @click.argument("key_id", metavar="KEY-ID")
    def retire(
        invocation: Invocation, database: Database, root_key: Path | None, key_id: str
    ) -> None:
        """Let a signing key sign no more; what it has signed stays valid."""
        from tui_licenses.cloud import administration

        _show(invocation, administration.retire_signing_key(prepare(database), key_id, root_key))

    @command(keys, "revoke")
    @with_database
    @_with_root_key
    @click.argument("key_id", metavar="KEY-ID")
    def revoke(
        invocation: Invocation, database: Database, root_key: Path | None, key_id: str
    ) -> None:
        """Make all that a stolen signing key has signed worthless; files are issued anew."""
        from tui_licenses.cloud import administration

        _show(invocation, administration.revoke_signing_key(prepare(database), key_id, root_key))


def _register_root(keys: click.Group) -> None:
    @command(keys, "rotate-root")
    @with_database
    @_with_root_key
    @click.option(
        "--new-root-key",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Where the new private key goes; beside the database if left out.",
    )
    def rotate_root(
        invocation: Invocation,
        database: Database,
        root_key: Path | None,
        new_root_key: Path | None,
    ) -> None:
        """Put a new root in the place of the old one; both sign that step."""
        from tui_licenses.cloud import administration

        _show(invocation, administration.rotate_root(prepare(database), root_key, new_root_key))

    @command(keys, "export-root")
    @with_database
    @click.option(
        "--to",
        "target",
        type=click.Path(path_type=Path),
        required=True,
        metavar="FILE",
        help="Where it goes; it is removed beside the database.",
    )
    def export_root(invocation: Invocation, database: Database, target: Path) -> None:
        """Move the root's private key off the host; signing goes on without it."""
        from tui_licenses.cloud import administration

        _show(invocation, administration.export_root(prepare(database), target))


def _show(invocation: Invocation, listed: ListedKeys) -> None:
    root = {
        "keyId": listed.root.keyid,
        "kind": "root",
        "status": "active",
        "retiredAt": None,
        "isHere": listed.has_root,
        "fingerprint": listed.root.fingerprint,
    }
    keys = [
        {
            "keyId": key.keyid,
            "kind": "signing",
            "status": key.status.value,
            "retiredAt": _moment(key.retire_after),
            "isHere": key.keyid in listed.here,
            "fingerprint": key.public_key.fingerprint,
        }
        for key in listed.keys
    ]
    invocation.output.items([root, *keys], _COLUMNS, revision=listed.revision)


def _moment(seconds: int | None) -> str | None:
    return instant_record(None if seconds is None else datetime.fromtimestamp(seconds, UTC))
