"""The whole examination, in the order in which one thing depends on another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime

from tui_licenses.config import Configuration, Context, choose_context
from tui_licenses.doctor import cloud_database, host
from tui_licenses.doctor.account import (
    examine_changes,
    examine_credentials,
    examine_sign_in,
    examine_trust,
)
from tui_licenses.doctor.finding import Finding, Severity, fault, fine, skipped
from tui_licenses.doctor.network import examine_network
from tui_licenses.doctor.program import examine_program, examine_terminal
from tui_licenses.errors import TuiLicensesError, UseError
from tui_licenses.wiring import EMBEDDED_ENDPOINT, open_services

_CONTEXT = "Context"


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def examine(
    context_name: str | None,
    environment: Mapping[str, str],
    clock: Callable[[], datetime] = _utc_now,
) -> AsyncIterator[Finding]:
    """Look at everything, mending nothing: no database is made or migrated, no root is trusted."""
    yield examine_program()
    for finding in examine_terminal(environment):
        yield finding
    configuration, settings = host.examine_configuration()
    yield settings
    for finding in host.examine_folders():
        yield finding
    yield host.examine_own_clock(clock())
    if settings.severity is Severity.FAULT:
        yield skipped(_CONTEXT, "It is known once the configuration can be read.")
        return
    try:
        context = choose_context(configuration, context_name, environment)
    except TuiLicensesError as error:
        yield fault(_CONTEXT, error)
        return
    yield fine(_CONTEXT, f"{context.name}: {context.url or EMBEDDED_ENDPOINT}.")
    if context.url is None:
        database = await asyncio.to_thread(lambda: tuple(cloud_database.examine_database()))
        for finding in database:
            yield finding
        if not cloud_database.is_usable(database):
            # A sign-in would make or migrate it.
            return
    else:
        async for finding in _examine_served(context, environment):
            yield finding
    async for finding in _examine_account(configuration, context_name, environment):
        yield finding


async def _examine_served(
    context: Context, environment: Mapping[str, str]
) -> AsyncIterator[Finding]:
    async for finding in examine_network(context):
        yield finding
    yield await asyncio.to_thread(examine_credentials, context, environment)


async def _examine_account(
    configuration: Configuration, context_name: str | None, environment: Mapping[str, str]
) -> AsyncIterator[Finding]:
    try:
        services = open_services(configuration, context_name, environment)
    except UseError:
        # Half a sign-in in the environment: `examine_credentials` has told it.
        return
    try:
        yield examine_changes(services)
        async for finding in examine_sign_in(services):
            yield finding
        for finding in await examine_trust(services):
            yield finding
    finally:
        await services.aclose()
