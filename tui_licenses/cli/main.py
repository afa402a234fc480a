"""The command line as a whole: groups, and errors turned into sentences and exit statuses."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from tui_licenses import __version__
from tui_licenses.cli.invocation import (
    Invocation,
    OpenDashboard,
    command,
    pass_invocation,
    with_global_options,
)
from tui_licenses.cli.output import Format, Output
from tui_licenses.errors import TuiLicensesError, UseError

FORMAT_VARIABLE = "TUI_LICENSES_FORMAT"
INTERRUPTED = 130


@click.group(
    name="tui-licenses",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@with_global_options
@click.version_option(__version__, message="tui-licenses %(version)s")
@pass_invocation
@click.pass_context
def root(context: click.Context, invocation: Invocation) -> None:
    """Administer the licenses of on-premises servers.

    Without a command this opens the dashboard.
    """
    if context.invoked_subcommand is None:
        context.exit(invocation.open_dashboard(invocation.context_name, None))


@command(root, "open")
@click.argument("place", metavar="instance/ID|key/ID")
@click.pass_context
def open_place(context: click.Context, invocation: Invocation, place: str) -> None:
    """Open the dashboard at an instance or a key."""
    context.exit(invocation.open_dashboard(invocation.context_name, place))


def _register_commands() -> None:
    from tui_licenses.cli.commands import (
        account,
        activate,
        cloud,
        context,
        download,
        events,
        instances,
        keys,
        profile,
        trust,
        verify,
    )

    for module in (account, context, instances, keys, activate, download):
        module.register(root)
    for module in (verify, trust, profile, events, cloud):
        module.register(root)


_register_commands()


def run(arguments: Sequence[str], open_dashboard: OpenDashboard) -> int:
    """Run one command and return its exit status; no error leaves this function."""
    output = Output(_format_of(arguments, os.environ.get(FORMAT_VARIABLE)))
    invocation = Invocation(output, open_dashboard)
    return report(output, lambda: _invoke(arguments, invocation))


def report(output: Output, action: Callable[[], int]) -> int:
    """Return what `action` returns; an error of ours is written and becomes its exit status."""
    try:
        return action()
    except TuiLicensesError as error:
        output.failure(error, getattr(error, "data", None))
        return error.exit_status
    except KeyboardInterrupt:
        output.note("Interrupted.")
        return INTERRUPTED


def _invoke(arguments: Sequence[str], invocation: Invocation) -> int:
    try:
        status: Any = root.main(
            list(arguments), prog_name="tui-licenses", standalone_mode=False, obj=invocation
        )
    except click.Abort as error:
        raise KeyboardInterrupt from error
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx is not None else "tui-licenses"
        raise UseError(
            "invalid-request",
            _sentence(error.format_message()),
            f"See `{where} --help`.",
        ) from error
    except click.ClickException as error:
        raise UseError("invalid-request", _sentence(error.format_message())) from error
    sys.stdout.flush()
    return status if isinstance(status, int) else 0


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."


def _format_of(arguments: Sequence[str], from_environment: str | None) -> Format:
    """Return the format asked for, before anything is parsed: usage errors are written in it."""
    asked = from_environment
    for number, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == "--format" and number + 1 < len(arguments):
            asked = arguments[number + 1]
        elif argument.startswith("--format="):
            asked = argument.partition("=")[2]
    return Format(asked) if asked in set(Format) else Format.TABLE
