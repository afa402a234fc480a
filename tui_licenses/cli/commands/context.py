"""`context`: named cloud accounts."""

from __future__ import annotations

from dataclasses import replace

import click

from tui_licenses.cli.facts import Record, text
from tui_licenses.cli.invocation import Invocation, command, group
from tui_licenses.config import (
    EMBEDDED_CONTEXT,
    Configuration,
    Context,
    choose_context,
    save_configuration,
)
from tui_licenses.wiring import EMBEDDED_ENDPOINT, sign_out


def register(root: click.Group) -> None:
    """Add the commands of this file."""

    context = group(root, "context", "Choose among named cloud accounts.")

    @command(context, "list")
    def list_contexts(invocation: Invocation) -> None:
        """List the contexts; a star marks the current one."""
        configuration = invocation.configuration()
        current = _current(invocation, configuration)
        known = {context.name: context for context in (EMBEDDED_CONTEXT, *configuration.contexts)}
        invocation.output.items(
            [_record(context, current) for context in known.values()],
            (
                ("", lambda record: "*" if record["current"] else ""),
                ("NAME", lambda record: record["name"]),
                ("ENDPOINT", lambda record: record["endpoint"]),
            ),
        )

    @command(context, "use")
    @click.argument("name")
    def use(invocation: Invocation, name: str) -> None:
        """Make a context the current one."""
        configuration = invocation.configuration()
        chosen = choose_context(configuration, name, {})
        save_configuration(replace(configuration, current=chosen.name))
        invocation.output.item(_record(chosen, chosen.name), [("Current context", chosen.name)])

    @command(context, "show")
    @click.argument("name", required=False)
    def show(invocation: Invocation, name: str | None) -> None:
        """Show a context, the current one if no name is given."""
        configuration = invocation.configuration()
        chosen = choose_context(
            configuration, name or invocation.context_name, invocation.environment
        )
        record = _record(chosen, _current(invocation, configuration))
        invocation.output.item(
            record,
            [
                ("Name", chosen.name),
                ("Endpoint", record["endpoint"]),
                ("CA file", text(chosen.ca_file)),
                ("Current", "yes" if record["current"] else "no"),
            ],
        )

    @command(context, "remove")
    @click.argument("name")
    def remove(invocation: Invocation, name: str) -> None:
        """Remove a context and its credentials."""
        configuration = invocation.configuration()
        chosen = choose_context(configuration, name, {})
        shortened = configuration.without_context(chosen.name)
        sign_out(chosen.name)
        save_configuration(shortened)
        invocation.output.item({"name": chosen.name}, [("Removed", chosen.name)])


def _current(invocation: Invocation, configuration: Configuration) -> str:
    return choose_context(configuration, invocation.context_name, invocation.environment).name


def _record(context: Context, current: str) -> Record:
    return {
        "name": context.name,
        "endpoint": context.url or EMBEDDED_ENDPOINT,
        "url": context.url,
        "caFile": None if context.ca_file is None else str(context.ca_file),
        "current": context.name == current,
    }
