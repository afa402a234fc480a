"""`cloud tokens` and `cloud accounts`: who may sign in to a license cloud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from tui_licenses.cli.commands.cloud_database import Database, prepare, with_database
from tui_licenses.cli.facts import instant, text
from tui_licenses.cli.invocation import Invocation, command, group
from tui_licenses.cli.output import Column
from tui_licenses.cli.records import instant_record
from tui_licenses.domain.account import Role, plan_name

if TYPE_CHECKING:
    from tui_licenses.cloud.administration import AccountSummary, NewToken, TokenSummary
    from tui_licenses.cloud.embedded import EmbeddedCredentials

    SignIn = NewToken | EmbeddedCredentials

Record = dict[str, Any]

NEW_TOKEN_COLUMNS: tuple[Column, ...] = (
    ("ACCOUNT", lambda record: record["accountName"]),
    ("PLAN", lambda record: plan_name(record["plan"])),
    ("ROLE", lambda record: record["role"]),
    ("SUBJECT ID", lambda record: record["subjectId"]),
    ("REFRESH TOKEN", lambda record: record["refreshToken"]),
)

_TOKEN_COLUMNS: tuple[Column, ...] = (
    ("SUBJECT ID", lambda record: record["subjectId"]),
    ("ROLE", lambda record: record["role"]),
    ("NAME", lambda record: record["displayName"]),
    ("ACCOUNT", lambda record: record["accountName"]),
    ("CREATED", lambda record: instant(record["createdAt"])),
    ("REVOKED", lambda record: instant(record["revokedAt"])),
)

_ACCOUNT_COLUMNS: tuple[Column, ...] = (
    ("NAME", lambda record: record["name"]),
    ("PLAN", lambda record: plan_name(record["plan"])),
    ("INSTANCES", lambda record: text(record["instanceCount"])),
    ("KEYS", lambda record: text(record["keyCount"])),
    ("ID", lambda record: record["id"]),
)


def register(cloud: click.Group) -> None:
    """Add the commands of this file."""

    accounts = group(cloud, "accounts", "Accounts: whom instances and keys belong to.")
    _register_accounts(accounts)
    tokens = group(cloud, "tokens", "API tokens: make, list, revoke.")

    _register_tokens(tokens)


def _register_accounts(accounts: click.Group) -> None:
    @command(accounts, "list")
    @with_database
    def list_accounts(invocation: Invocation, database: Database) -> None:
        """List the accounts of a cloud, the first one first."""
        from tui_licenses.cloud import administration

        found = administration.accounts(prepare(database))
        invocation.output.items([_account_record(account) for account in found], _ACCOUNT_COLUMNS)

    @command(accounts, "make")
    @with_database
    @click.argument("name")
    @click.option("--plan", required=True, help="Pro, ProPlus and Enterprise have licenses.")
    @click.option("--support-contact", help="Whom people with another plan may ask.")
    def make(
        invocation: Invocation,
        database: Database,
        name: str,
        plan: str,
        support_contact: str | None,
    ) -> None:
        """Make an account without instances and keys."""
        from tui_licenses.cloud import administration

        record = _account_record(
            administration.make_account(prepare(database), name, plan, support_contact)
        )
        invocation.output.item(record, _facts(record, _ACCOUNT_COLUMNS))


def _register_tokens(tokens: click.Group) -> None:
    @command(tokens, "list")
    @with_database
    @click.option("--account", metavar="ID|NAME", help="Only tokens of this account.")
    def list_tokens(invocation: Invocation, database: Database, account: str | None) -> None:
        """List the tokens; their secrets are not kept and cannot be shown."""
        from tui_licenses.cloud import administration

        found = administration.tokens(prepare(database), account)
        invocation.output.items([_token_record(token) for token in found], _TOKEN_COLUMNS)

    @command(tokens, "make")
    @with_database
    @click.option("--account", required=True, metavar="ID|NAME", help="Whose token this is.")
    @click.option(
        "--role",
        type=click.Choice([role.value for role in Role]),
        required=True,
        help="What it may do.",
    )
    @click.option("--name", required=True, help="Who uses it.")
    @click.option("--email", help="How to reach them.")
    def make(
        invocation: Invocation,
        database: Database,
        account: str,
        role: str,
        name: str,
        email: str | None,
    ) -> None:
        """Make a token; its secret is shown this once."""
        from tui_licenses.cloud import administration

        token = administration.make_token(prepare(database), account, Role(role), name, email)
        record = {**new_token_record(token), "displayName": token.display_name}
        invocation.output.item(record, _facts(record, NEW_TOKEN_COLUMNS))

    @command(tokens, "revoke")
    @with_database
    @click.argument("subject_id")
    def revoke(invocation: Invocation, database: Database, subject_id: str) -> None:
        """Revoke a token for good."""
        from tui_licenses.cloud import administration

        record = _token_record(administration.revoke_token(prepare(database), subject_id))
        invocation.output.item(record, _facts(record, _TOKEN_COLUMNS))


def new_token_record(token: SignIn) -> Record:
    """Return a new token with its secret."""
    return {
        "subjectId": token.subject_id,
        "refreshToken": token.refresh_token,
        "role": token.role.value,
        "accountId": token.account_id,
        "accountName": token.account_name,
        "plan": token.plan,
    }


def _facts(record: Record, columns: Sequence[Column]) -> list[tuple[str, str]]:
    return [(title.capitalize(), cell(record)) for title, cell in columns]


def _account_record(account: AccountSummary) -> Record:
    return {
        "id": account.id,
        "name": account.name,
        "plan": account.plan,
        "instanceCount": account.instance_count,
        "keyCount": account.key_count,
        "addOnCount": account.add_on_count,
    }


def _token_record(token: TokenSummary) -> Record:
    return {
        "subjectId": token.subject_id,
        "role": token.role.value,
        "displayName": token.display_name,
        "accountId": token.account_id,
        "accountName": token.account_name,
        "createdAt": instant_record(token.created_at),
        "revokedAt": instant_record(token.revoked_at),
    }
