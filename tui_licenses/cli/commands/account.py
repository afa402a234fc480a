"""`login`, `logout` and `whoami`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import click

from tui_licenses.addresses import check_url
from tui_licenses.cli.asking import ask_new_passphrase, ask_secret, lines_of_input
from tui_licenses.cli.invocation import Invocation, command
from tui_licenses.cli.records import user_record
from tui_licenses.config import (
    Context,
    check_context_name,
    choose_context,
)
from tui_licenses.credentials import (
    Credentials,
    credentials_from_environment,
    passphrase_from_environment,
)
from tui_licenses.domain.account import User, plan_name
from tui_licenses.errors import FileError, UseError
from tui_licenses.secret import Secret
from tui_licenses.text import slug
from tui_licenses.wiring import Services, has_open_changes, sign_in, sign_out


def register(root: click.Group) -> None:
    """Add the commands of this file."""
    _register_login(root)

    @command(root, "logout")
    def logout(invocation: Invocation) -> None:
        """Forget the credentials of the context; the context itself stays."""
        context = choose_context(
            invocation.configuration(), invocation.context_name, invocation.environment
        )
        sign_out(context.name)
        if has_open_changes(context.name):
            invocation.output.warn(
                "The outcome of a change is not known: sign in again to learn what became of it."
            )
        invocation.output.item({"context": context.name}, [("Signed out of", context.name)])

    @command(root, "whoami")
    def whoami(invocation: Invocation) -> None:
        """Show the signed-in subject, its account, plan and role."""

        async def ask(services: Services) -> tuple[User, str]:
            user = await services.account.who_am_i()
            # Whom to believe is part of who one is here: a revoked key counts no more from now on.
            await services.verification.follow_trust()
            return user, services.context.name

        user, context_name = invocation.run(ask)
        _show_user(invocation, user, context_name)


def _register_login(root: click.Group) -> None:
    @command(root, "login")
    @click.option(
        "--url",
        required=True,
        envvar="TUI_LICENSES_URL",
        help="The address of the license cloud.",
    )
    @click.option("--name", help="Name of the context; the host name if left out.")
    @click.option("--ca-file", type=click.Path(path_type=Path), help="CA certificates to trust.")
    @click.option(
        "--token-stdin",
        is_flag=True,
        help="Read the subject id and the refresh token from standard input, one per line.",
    )
    @click.option("--encrypt", is_flag=True, help="Seal the sign-in with a passphrase.")
    @click.option(
        "--passphrase-stdin",
        is_flag=True,
        help="Seal it, with the last line of standard input as the passphrase.",
    )
    @click.option("--keyring", is_flag=True, help="Keep the refresh token in the desktop keyring.")
    def login(
        invocation: Invocation,
        url: str,
        name: str | None,
        ca_file: Path | None,
        *,
        token_stdin: bool,
        encrypt: bool,
        passphrase_stdin: bool,
        keyring: bool,
    ) -> None:
        """Sign in to a cloud account and make it the current context."""
        if keyring and (encrypt or passphrase_stdin):
            raise UseError(
                "invalid-request",
                "A sign-in is kept in the keyring or sealed with a passphrase, not both.",
                "Leave out --keyring or --encrypt.",
            )
        context = _new_context(invocation, check_url(url), name, ca_file)
        lines = lines_of_input() if token_stdin or passphrase_stdin else []
        passphrase = _passphrase(invocation, lines, encrypt, passphrase_stdin)
        credentials = _credentials(invocation.environment, lines if token_stdin else None)
        tell = partial(_tell_no_keyring, invocation) if keyring else None
        user = asyncio.run(sign_in(context, credentials, passphrase, tell))
        _show_user(invocation, user, context.name)


def _new_context(
    invocation: Invocation, address: str, name: str | None, ca_file: Path | None
) -> Context:
    """Return the context to sign in to, named for its host unless a name is given."""
    given = name or invocation.context_name
    derived = slug(urlsplit(address).hostname or "", "cloud")
    known = {context.name: context for context in invocation.configuration().contexts}
    if given is None and derived in known and known[derived].url != address:
        raise UseError(
            "context-exists",
            f"The context “{derived}” is there already, for another address.",
            "Give this one a name with --name.",
        )
    environment_ca_file = invocation.environment.get("TUI_LICENSES_CA_FILE")
    if ca_file is None and environment_ca_file:
        ca_file = Path(environment_ca_file)
    return Context(check_context_name(given or derived), address, ca_file)


def _show_user(invocation: Invocation, user: User, context_name: str) -> None:
    tab = user.account.licenses_tab
    if not tab.available and tab.reason:
        invocation.output.warn(f"{tab.reason} {tab.support_contact or ''}".strip())
    invocation.output.item(
        {**user_record(user), "context": context_name},
        [
            ("Account", user.account.name),
            ("Plan", plan_name(user.account.plan)),
            ("Signed in as", user.display_name),
            ("Role", user.role.value),
            ("Context", context_name),
        ],
    )


def _credentials(environment: Mapping[str, str], lines: list[str] | None) -> Credentials:
    """Return the sign-in of these lines; without them that of the environment, or of a prompt."""
    if lines is not None:
        subject_id = environment.get("TUI_LICENSES_SUBJECT_ID")
        if subject_id is not None and len(lines) == 1:
            return Credentials(subject_id, Secret(lines[0]))
        if len(lines) != 2:
            raise UseError(
                "invalid-request",
                "Standard input does not hold two lines: the subject id and the refresh token.",
                "Send both, one per line.",
            )
        return Credentials(lines[0], Secret(lines[1]))
    given = credentials_from_environment(environment)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise UseError(
            "no-terminal",
            "There is no terminal to ask for the subject id and the refresh token.",
            "Use --token-stdin, or set TUI_LICENSES_SUBJECT_ID and TUI_LICENSES_REFRESH_TOKEN.",
        )
    subject_id = click.prompt("Subject id", err=True)
    return Credentials(subject_id, ask_secret("Refresh token"))


def _passphrase(
    invocation: Invocation, lines: list[str], encrypt: bool, passphrase_stdin: bool
) -> Secret | None:
    """Return the passphrase to seal with, or None; of `lines` the last is taken for it."""
    if not passphrase_stdin:
        if not encrypt:
            return None
        return passphrase_from_environment(invocation.environment) or ask_new_passphrase()
    if not lines:
        raise UseError(
            "invalid-request",
            "Standard input holds no passphrase.",
            "Send it as the last line.",
        )
    return Secret(lines.pop())


def _tell_no_keyring(invocation: Invocation, error: FileError) -> None:
    invocation.output.warn(
        f"{error.message} The refresh token is kept in a file that only you can read."
    )
