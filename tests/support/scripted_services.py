"""Services whose cloud is a scripted server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.scripted_server import (
    Responder,
    ScriptedServer,
    scripted_server,
    sign_in_environment,
    signing_in,
)
from tui_licenses.config import Configuration
from tui_licenses.wiring import Services, open_services


@asynccontextmanager
async def scripted_services(responder: Responder) -> AsyncIterator[tuple[Services, ScriptedServer]]:
    """Give services and the server they speak to; the sign-in is answered already."""
    async with scripted_server(signing_in(responder)) as server:
        services = open_services(Configuration(), None, sign_in_environment(server.url))
        try:
            yield services, server
        finally:
            await services.aclose()
