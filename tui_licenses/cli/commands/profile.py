"""`profile`: this host's own server profile."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from tui_licenses.cli.invocation import Invocation, command
from tui_licenses.cli.output import Format
from tui_licenses.errors import UseError
from tui_licenses.files import write_private


def register(root: click.Group) -> None:
    """Add the commands of this file."""

    @command(root, "profile")
    @click.option("--to", "target", type=click.Path(path_type=Path), help="Save into this file.")
    @click.option("--force", is_flag=True, help="Replace a file that holds something else.")
    def profile(invocation: Invocation, target: Path | None, force: bool) -> None:
        """Write the server profile of this host (XML) to standard output, or into a file."""
        data = invocation.run(
            lambda services: services.instances.this_host_profile(), asks_cloud=False
        )
        if target is None:
            write_profile(invocation, data)
            return
        write_private(target, data, replace=force)
        digest = hashlib.sha256(data).hexdigest()
        invocation.output.item(
            {"path": str(target.absolute()), "size": len(data), "sha256": digest},
            [("Saved", str(target)), ("SHA-256", digest)],
        )


def write_profile(invocation: Invocation, data: bytes) -> None:
    """Write a profile byte for byte; in JSON as the member `profileXml`.

    Raises `UseError` for formats that cannot hold a document.
    """
    if invocation.output.format is Format.TABLE:
        invocation.output.document(data)
    elif invocation.output.format is Format.CSV:
        raise UseError(
            "invalid-request",
            "A server profile is no list and cannot be written as CSV.",
            "Leave --format out, or use `instances hardware` for its values as a list.",
        )
    else:
        record = {"profileXml": data.decode(), "sha256": hashlib.sha256(data).hexdigest()}
        invocation.output.item(record, [])
