"""`trust`: whose signatures are believed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tui_licenses.cli.facts import text
from tui_licenses.cli.invocation import Invocation, command, group
from tui_licenses.cli.records import instant_record
from tui_licenses.service.trust_store import TrustedRoot
from tui_licenses.wiring import Services

_COLUMNS = (
    ("FINGERPRINT", lambda record: record["fingerprint"]),
    ("ISSUER", lambda record: record["issuer"]),
    ("KIND", lambda record: "lab" if record["isLab"] else "production"),
    ("SOURCE", lambda record: record["source"]),
)


def register(root: click.Group) -> None:
    """Add the commands of this file."""

    trust = group(root, "trust", "Trusted roots: whose license files are believed.")

    @command(trust, "list")
    def list_roots(invocation: Invocation) -> None:
        """List the trusted roots."""

        async def ask(services: Services) -> tuple[TrustedRoot, ...]:
            return services.verification.trust_list()

        invocation.output.items(
            [_record(root) for root in invocation.run(ask, asks_cloud=False)], _COLUMNS
        )

    @command(trust, "add")
    @click.argument("source", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
    @click.option("--fingerprint", help="The fingerprint, as read from a source you trust.")
    def add(invocation: Invocation, source: Path | None, fingerprint: str | None) -> None:
        """Trust the root of the context's cloud, or the one in a file.

        The fingerprint has to be typed: get it from whoever runs the cloud.
        """
        typed = fingerprint
        if typed is None and sys.stdin.isatty():
            typed = click.prompt("Fingerprint of the root", err=True)
        _show(
            invocation,
            invocation.run(lambda services: services.verification.trust_add(source, typed)),
        )

    @command(trust, "remove")
    @click.argument("fingerprint")
    def remove(invocation: Invocation, fingerprint: str) -> None:
        """Trust a root no longer."""

        async def forget(services: Services) -> None:
            services.verification.trust_remove(fingerprint)

        invocation.run(forget, asks_cloud=False)
        invocation.output.item({"fingerprint": fingerprint}, [("Removed", fingerprint)])


def _show(invocation: Invocation, root: TrustedRoot) -> None:
    invocation.output.item(
        _record(root),
        [
            ("Trusted", root.fingerprint),
            ("Issuer", root.issuer),
            ("Kind", "lab" if root.is_lab else "production"),
        ],
    )


def _record(root: TrustedRoot) -> dict[str, Any]:
    return {
        "fingerprint": root.fingerprint,
        "issuer": root.issuer,
        "source": text(root.source),
        "isLab": root.is_lab,
        "isAutomatic": root.is_automatic,
        "addedAt": instant_record(root.added_at),
    }
