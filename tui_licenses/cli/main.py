"""The command line as a whole: groups, and errors turned into sentences and exit statuses."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import cast

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
from tui_licenses.errors import InterruptionError, TuiLicensesError, UseError
from tui_licenses.text import clean

FORMAT_VARIABLE = "TUI_LICENSES_FORMAT"


# The module of each command, in the order of the help. Each is imported when it is used.
_MODULES = {
    "login": "account",
    "logout": "account",
    "whoami": "account",
    "passphrase": "passphrase",
    "context": "context",
    "instances": "instances",
    "keys": "keys",
    "activate": "activate",
    "download": "download",
    "inspect": "verify",
    "verify": "verify",
    "trust": "trust",
    "profile": "profile",
    "events": "events",
    "cloud": "cloud",
    "doctor": "doctor",
}


class _Commands(click.Group):
    """The commands of the program; a module is imported when one of its commands is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        return sorted({*super().list_commands(ctx), *_MODULES})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name, or None."""
        if cmd_name in _MODULES and cmd_name not in self.commands:
            module = import_module(f"tui_licenses.cli.commands.{_MODULES[cmd_name]}")
            module.register(self)
        return super().get_command(ctx, cmd_name)


@click.group(
    name="tui-licenses",
    cls=_Commands,
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
        context.exit(invocation.dashboard(None))


@command(root, "open")
@click.argument("place", metavar="instance/ID|key/ID")
@click.pass_context
def open_place(context: click.Context, invocation: Invocation, place: str) -> None:
    """Open the dashboard at an instance or a key."""
    context.exit(invocation.dashboard(place))


def run(arguments: Sequence[str], open_dashboard: OpenDashboard) -> int:
    """Run one command and return its exit status; every error of ours is written and ends here."""
    output = make_output(arguments)
    try:
        _check_format(os.environ.get(FORMAT_VARIABLE))
        return _invoke(arguments, Invocation(output, open_dashboard))
    except TuiLicensesError as error:
        output.failure(error)
        return error.exit_status
    except KeyboardInterrupt:
        interruption = InterruptionError(
            "interrupted", "Interrupted.", "Nothing was left half-written."
        )
        output.failure(interruption)
        return interruption.exit_status


def make_output(arguments: Sequence[str]) -> Output:
    """Return an output in the format asked for, before anything is parsed: usage errors use it."""
    has_colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Output(
        _format_of(arguments, os.environ.get(FORMAT_VARIABLE)),
        has_colour=has_colour and "--no-color" not in arguments,
    )


def _invoke(arguments: Sequence[str], invocation: Invocation) -> int:
    try:
        # Not `root.main`: it would turn a closed pipe into exit status 1.
        with root.make_context("tui-licenses", list(arguments), obj=invocation) as context:
            root.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort as error:
        raise KeyboardInterrupt from error
    except click.UsageError as error:
        if isinstance(error.ctx, click.Context) and _lacks_command(error):
            raise _without_command(error.ctx) from error
        where = error.ctx.command_path if error.ctx is not None else "tui-licenses"
        raise UseError(
            "invalid-request",
            _sentence(error.format_message()),
            f"See `{where} --help`.",
        ) from error
    return 0


def _lacks_command(error: click.UsageError) -> bool:
    return isinstance(error, click.exceptions.NoArgsIsHelpError) or (
        error.message == "Missing command."
    )


def _without_command(context: click.Context) -> UseError:
    names = ", ".join(cast(click.Group, context.command).list_commands(context))
    return UseError(
        "invalid-request",
        f"`{context.command_path}` is followed by one of: {names}.",
        f"See `{context.command_path} --help`.",
    )


def _sentence(message: str) -> str:
    text = " ".join(message.split())
    return text if text.endswith((".", "?")) else f"{text}."


def _check_format(from_environment: str | None) -> None:
    if from_environment and from_environment not in set(Format):
        raise UseError(
            "invalid-request",
            f"{FORMAT_VARIABLE} names no format: “{clean(from_environment)}”.",
            f"Set it to one of {', '.join(Format)}, or unset it.",
        )


def _format_of(arguments: Sequence[str], from_environment: str | None) -> Format | None:
    asked = from_environment
    for number, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == "--format" and number + 1 < len(arguments):
            asked = arguments[number + 1]
        elif argument.startswith("--format="):
            asked = argument.partition("=")[2]
    return Format(asked) if asked in set(Format) else None
