"""`context`: named cloud accounts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import click

from tui_licenses import paths
from tui_licenses.cli.facts import Record, text
from tui_licenses.cli.invocation import Invocation, command, group
from tui_licenses.config import (
    EMBEDDED_CONTEXT,
    Configuration,
    Context,
    choose_context,
    save_configuration,
)
from tui_licenses.errors import SignInError, UseError
from tui_licenses.wiring import EMBEDDED_ENDPOINT, has_open_changes, sign_out


def register(root: click.Group) -> None:
    """Add the commands of this file."""

    context = group(root, "context", "Choose among named cloud accounts.")
    _register_reading(context)
    _register_changing(context)


def _register_reading(context: click.Group) -> None:
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


def _register_changing(context: click.Group) -> None:
    @command(context, "use")
    @click.argument("name")
    def use(invocation: Invocation, name: str) -> None:
        """Make a context the current one."""
        configuration = invocation.configuration()
        chosen = choose_context(configuration, name, {})
        save_configuration(replace(configuration, current=chosen.name))
        invocation.output.item(_record(chosen, chosen.name), [("Current context", chosen.name)])

    @command(context, "remove")
    @click.argument("name")
    def remove(invocation: Invocation, name: str) -> None:
        """Remove a context and its credentials."""
        configuration = invocation.configuration()
        chosen = choose_context(configuration, name, {})
        if chosen.url is None:
            raise UseError(
                "invalid-request",
                "The embedded lab cloud is always there and cannot be removed.",
                "Name another context; `tui-licenses context list` shows them.",
            )
        with suppress(SignInError):
            sign_out(chosen.name)
        save_configuration(configuration.without_context(chosen.name))
        if has_open_changes(chosen.name):
            invocation.output.warn(
                "There are changes whose outcome is not known; their notes, which hold license "
                f"keys, stay in {paths.journal_folder(chosen.name)}."
            )
        invocation.output.item({"name": chosen.name}, [("Removed", chosen.name)])


def _current(invocation: Invocation, configuration: Configuration) -> str | None:
    """Return the name of the context in use; None where a name is set that does not exist."""
    try:
        return choose_context(configuration, invocation.context_name, invocation.environment).name
    except UseError:
        # The list is where one looks for the right name: it must not fail for a wrong one.
        return None


def _record(context: Context, current: str | None) -> Record:
    return {
        "name": context.name,
        "endpoint": context.url or EMBEDDED_ENDPOINT,
        "url": context.url,
        "caFile": None if context.ca_file is None else str(context.ca_file),
        "current": context.name == current,
    }
