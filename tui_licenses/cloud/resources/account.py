"""Signing in, who am I, and whether the cloud is ready."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import select

from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import Wire, WireUser
from tui_licenses.api.trust_schemas import TokenAnswer, TokenRequest
from tui_licenses.cloud import tables
from tui_licenses.cloud.http.call import CHALLENGE, Call, decode_body
from tui_licenses.cloud.http.limits import subscriber
from tui_licenses.cloud.http.reply import Reply, conditional, json_reply
from tui_licenses.cloud.http.resource import Access, Cloud, Resource
from tui_licenses.cloud.operations.tokens import ACCESS_TOKEN_SECONDS, exchange
from tui_licenses.cloud.rows import wire_account
from tui_licenses.cloud.store import SCHEMA_VERSION
from tui_licenses.errors import TuiLicensesError


class WireHealth(Wire):
    """The answer of a cloud that can be asked."""

    status: Literal["ready"]


_TOKEN_TYPE = "Bearer"  # noqa: S105 - a scheme, no secret


def exchange_token(cloud: Cloud, call: Call) -> Reply:
    """Exchange a refresh token for an access token."""
    body = decode_body(call, TokenRequest)
    access_token = exchange(cloud.store, body.subject_id, body.refresh_token)
    if access_token is None:
        # After the look, not before it: a stranger's guesses must not keep the owner out.
        cloud.throttles.refused_sign_ins.count(
            body.subject_id, subscriber(call.client), call.now_instant
        )
        raise Problem(
            "invalid-refresh-token",
            "The subject id and refresh token do not belong together.",
            headers=CHALLENGE,
        )
    answer = TokenAnswer(
        access_token=access_token, expires_in=ACCESS_TOKEN_SECONDS, token_type=_TOKEN_TYPE
    )
    return json_reply(answer, headers={"Cache-Control": "no-store"})


def show_user(cloud: Cloud, call: Call) -> Reply:
    """Answer who is signed in, for which account, with which plan."""
    caller, account = call.signed_in, tables.account
    with cloud.store.read() as connection:
        row = connection.execute(select(account).where(account.c.id == caller.account_id)).one()
    user = WireUser(
        id=caller.subject_id,
        email=caller.email,
        display_name=caller.display_name,
        role=caller.role,
        account=wire_account(row),
    )
    return conditional(call, json_reply(user))


def show_health(cloud: Cloud, _call: Call) -> Reply:
    """Answer whether the database can be read and has the schema of this program."""
    try:
        ready = cloud.store.schema_version() == SCHEMA_VERSION
    except TuiLicensesError:
        ready = False
    if not ready:
        raise Problem(
            "unavailable", "The license cloud is not ready.", headers={"Retry-After": "5"}
        )
    return json_reply(WireHealth(status="ready"), headers={"Cache-Control": "no-store"})


RESOURCES = (
    Resource(
        "POST",
        "/authorization/token",
        "Exchange a refresh token for an access token",
        TokenAnswer,
        read=exchange_token,
        access=Access.OPEN,
        request=TokenRequest,
        problems=(
            "unsupported-media-type",
            "invalid-refresh-token",
            "rate-limited",
        ),
    ),
    Resource(
        "GET",
        "/users/me",
        "Who is signed in",
        WireUser,
        read=show_user,
        headers=("ETag",),
        access=Access.SIGNED_IN,
    ),
    Resource(
        "GET",
        "/health",
        "Whether the license cloud is ready",
        WireHealth,
        read=show_health,
        access=Access.OPEN,
        problems=("unavailable",),
    ),
)
