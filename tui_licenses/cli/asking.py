"""Secrets from people and pipes: prompts that show nothing, and lines of standard input."""

from __future__ import annotations

import sys

import click

from tui_licenses.errors import UseError
from tui_licenses.secret import Secret
from tui_licenses.text import clean


def can_ask() -> bool:
    """Say whether there is a terminal to ask on."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def require_terminal(next_step: str) -> None:
    """Raise `UseError` (`no-terminal`) where nobody can be asked for a passphrase."""
    if not can_ask():
        raise UseError("no-terminal", "There is no terminal to ask for a passphrase.", next_step)


def ask_secret(question: str) -> Secret:
    """Ask for a secret, which is not shown while it is typed."""
    return Secret(click.prompt(clean(question), hide_input=True, err=True))


def ask_passphrase() -> Secret:
    """Ask for the passphrase of a sign-in."""
    return ask_secret("Passphrase")


def ask_new_passphrase(
    question: str = "New passphrase",
    next_step: str = "Use --passphrase-stdin, or set TUI_LICENSES_PASSPHRASE_FILE.",
) -> Secret:
    """Ask for a new passphrase, twice; raises `UseError` (`invalid-request`, `no-terminal`)."""
    require_terminal(next_step)
    chosen = ask_secret(question)
    if ask_secret("Once more") != chosen:
        raise UseError(
            "invalid-request", "The two passphrases are not the same.", "Run the command again."
        )
    return chosen


def passphrase_of_input() -> Secret:
    """Return the first line of standard input as it is: spaces are part of a passphrase."""
    return Secret(sys.stdin.readline().rstrip("\r\n"))


def key_argument(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Return what a key is named with; `-` stands for the first line of standard input.

    Raises `UseError` (`invalid-request`).
    """
    if value != "-":
        return value
    lines = lines_of_input()
    if not lines:
        raise UseError(
            "invalid-request", "Standard input holds no license key.", "Send it on a line."
        )
    return lines[0]


def lines_of_input() -> list[str]:
    """Return what standard input holds, without empty lines and spaces around."""
    return [line.strip() for line in sys.stdin if line.strip()]
