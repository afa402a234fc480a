"""`passphrase`: seals the saved sign-in of a context, and opens it again for good."""

from __future__ import annotations

import click

from tui_licenses.cli.asking import (
    ask_new_passphrase,
    ask_passphrase,
    can_ask,
    lines_of_input,
)
from tui_licenses.cli.invocation import Invocation, command, group
from tui_licenses.config import Context, choose_context
from tui_licenses.credentials import passphrase_from_environment
from tui_licenses.errors import UseError
from tui_licenses.secret import Secret
from tui_licenses.wiring import change_passphrase, is_sealed

_FROM_INPUT = click.option(
    "--passphrase-stdin",
    is_flag=True,
    help="Read passphrases from standard input, one per line: the present one, if any, first.",
)


def register(root: click.Group) -> None:
    """Add the commands of this file."""

    passphrase = group(root, "passphrase", "Seal the saved sign-in with a passphrase.")

    @command(passphrase, "set")
    @_FROM_INPUT
    def set_passphrase(invocation: Invocation, passphrase_stdin: bool) -> None:
        """Seal the sign-in of the context, or change its passphrase."""
        context = _context(invocation)
        lines = _lines(passphrase_stdin)
        old = _present(invocation, lines) if is_sealed(context) else None
        new = ask_new_passphrase() if lines is None else _next(lines)
        change_passphrase(context, old, new)
        _show(invocation, context, is_now_sealed=True)

    @command(passphrase, "remove")
    @_FROM_INPUT
    def remove(invocation: Invocation, passphrase_stdin: bool) -> None:
        """Keep the sign-in of the context without a passphrase, in a private file."""
        context = _context(invocation)
        if not is_sealed(context):
            raise UseError(
                "invalid-request",
                f"The sign-in to the context “{context.name}” is not sealed.",
                "There is nothing to remove.",
            )
        change_passphrase(context, _present(invocation, _lines(passphrase_stdin)), None)
        _show(invocation, context, is_now_sealed=False)


def _context(invocation: Invocation) -> Context:
    return choose_context(
        invocation.configuration(), invocation.context_name, invocation.environment
    )


def _lines(passphrase_stdin: bool) -> list[str] | None:
    return lines_of_input() if passphrase_stdin else None


def _next(lines: list[str]) -> Secret:
    if not lines:
        raise UseError(
            "invalid-request",
            "Standard input holds too few passphrases.",
            "Send the present one, if any, and the new one, one per line.",
        )
    return Secret(lines.pop(0))


def _present(invocation: Invocation, lines: list[str] | None) -> Secret | None:
    """Return the present passphrase; None where nobody tells it."""
    if lines is not None:
        return _next(lines)
    return passphrase_from_environment(invocation.environment) or (
        ask_passphrase() if can_ask() else None
    )


def _show(invocation: Invocation, context: Context, *, is_now_sealed: bool) -> None:
    invocation.output.item(
        {"context": context.name, "sealed": is_now_sealed},
        [("Context", context.name), ("Sign-in", "sealed" if is_now_sealed else "not sealed")],
    )
