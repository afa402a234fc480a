"""The sign-in, the plan it leads to, and whose signatures are believed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping

from tui_licenses.config import Context
from tui_licenses.credentials import credentials_from_environment
from tui_licenses.doctor.finding import Finding, fault, fine, skipped, warning
from tui_licenses.domain.account import User, plan_name
from tui_licenses.errors import TuiLicensesError
from tui_licenses.text import clean
from tui_licenses.wiring import Services

_CHANGES = "Open changes"
_CREDENTIALS = "Sign-in file"
_SIGN_IN = "Sign-in"
_PLAN = "Plan"
_TRUST = "Trusted roots"


def examine_credentials(context: Context, environment: Mapping[str, str]) -> Finding:
    """Say whether there is a sign-in, and whether it is kept from others."""
    from tui_licenses.service.sign_in import Keeping, keeping_of, load_credentials

    try:
        if credentials_from_environment(environment) is not None:
            return fine(_CREDENTIALS, "The environment gives it.")
        keeping = keeping_of(context)
        if keeping is Keeping.SEALED:
            return fine(_CREDENTIALS, "It is there, private, and sealed with a passphrase.")
        load_credentials(context)
    except TuiLicensesError as error:
        return fault(_CREDENTIALS, error)
    return fine(_CREDENTIALS, f"It is there, and private (kept in the {keeping}).")


def examine_changes(services: Services) -> Finding:
    """Say whether there are changes whose outcome is not known; they are left as they are."""
    if not services.has_open_changes():
        return fine(_CHANGES, "The outcome of every change is known.")
    return warning(
        _CHANGES,
        "outcome-unknown",
        "The answer to a change was lost: it is not known whether it was done.",
        "Do not repeat it by hand: the next command of the same sign-in, such as "
        "`tui-licenses whoami`, sends it again, which does it once at most, and tells.",
    )


async def examine_sign_in(services: Services) -> AsyncIterator[Finding]:
    """Sign in, and say what the account may do."""
    try:
        user = await services.account.who_am_i()
    except TuiLicensesError as error:
        if error.code == "passphrase-needed":
            yield skipped(_SIGN_IN, f"It was not tried: {error.message} {error.next_step}")
        else:
            yield fault(_SIGN_IN, error)
        return
    yield fine(_SIGN_IN, f"The cloud accepts it; the role is {user.role}.", role=user.role)
    yield _examine_plan(user)


def _examine_plan(user: User) -> Finding:
    tab, plan = user.account.licenses_tab, clean(plan_name(user.account.plan))
    if tab.available:
        return fine(_PLAN, f"{plan}: it has the Licenses tab.")
    contact = clean(tab.support_contact or "the support of your cloud account")
    return warning(
        _PLAN, "plan-not-eligible", f"{plan}: it has no Licenses tab.", f"Ask {contact}."
    )


async def examine_trust(services: Services) -> list[Finding]:
    """Say which roots are trusted, and whether any vouches for this context's cloud."""
    return list(await asyncio.to_thread(lambda: tuple(_trust(services))))


def _trust(services: Services) -> Iterator[Finding]:
    from tui_licenses.service.trust_store import stored_trusts

    try:
        roots = services.verification.trust_list()
        # These also tell what is older than it has been.
        stored_trusts()
    except TuiLicensesError as error:
        yield fault(_TRUST, error)
        return
    if not roots:
        yield warning(
            _TRUST,
            "no-trusted-root",
            "No root is trusted: no license file can be verified.",
            "Get the fingerprint from whoever runs the cloud, then run `tui-licenses trust add`.",
        )
        return
    names = ", ".join(
        f"{root.fingerprint[:16]} ({'lab' if root.is_lab else 'production'})" for root in roots
    )
    yield fine(_TRUST, f"{names}.", count=str(len(roots)))
