"""`events`: the audit trail."""

from __future__ import annotations

import click

from tui_licenses.cli.facts import EVENT_COLUMNS
from tui_licenses.cli.invocation import Invocation, command, group
from tui_licenses.cli.records import event_record


def register(root: click.Group) -> None:
    """Add the commands of this file."""

    events = group(root, "events", "The audit trail: who changed what.")

    @command(events, "list")
    @click.option("--limit", type=click.IntRange(min=0), help="At most so many, newest first.")
    def list_events(invocation: Invocation, limit: int | None) -> None:
        """List the audit events of the account, newest first."""
        found = invocation.run(lambda services: services.inventory.events(limit))
        invocation.output.items([event_record(event) for event in found], EVENT_COLUMNS)
