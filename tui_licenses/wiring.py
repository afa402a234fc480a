"""The composition root: a context becomes transport, session, client and services."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui_licenses import paths
from tui_licenses.api.client import Client
from tui_licenses.api.session import Credentials, Session
from tui_licenses.api.transport import Transport
from tui_licenses.config import (
    EMBEDDED_NAME,
    Configuration,
    Context,
    check_context_name,
    check_url,
    choose_context,
    load_configuration,
    save_configuration,
)
from tui_licenses.domain.account import User
from tui_licenses.errors import UseError
from tui_licenses.service.account import AccountService
from tui_licenses.service.activation import ActivationService
from tui_licenses.service.downloads import DownloadService
from tui_licenses.service.instances import InstanceService
from tui_licenses.service.inventory import InventoryService
from tui_licenses.service.sign_in import (
    credentials_from_environment,
    forget_credentials,
    load_credentials,
    save_credentials,
)
from tui_licenses.service.verification import VerificationService

if TYPE_CHECKING:
    from tui_licenses.cloud.embedded import EmbeddedCloud
    from tui_licenses.documents.trust import Trust

EMBEDDED_ENDPOINT = "embedded lab cloud"


@dataclass(frozen=True, slots=True)
class Services:
    """Everything screens and commands call, for one context.

    `endpoint` is what to show as the place of the cloud; `is_lab` is true for the embedded one.
    """

    context: Context
    endpoint: str
    is_lab: bool
    account: AccountService
    inventory: InventoryService
    instances: InstanceService
    activation: ActivationService
    downloads: DownloadService
    verification: VerificationService
    _connection: _Connection = field(repr=False)

    async def aclose(self) -> None:
        """Close every connection, and the embedded cloud where one was opened."""
        await self._connection.aclose()


def open_services(
    configuration: Configuration,
    context_name: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Services:
    """Return the services of a context; nothing is opened before the first call of one.

    Raises `UseError` (`context-unknown`, `insecure-url`, `url-invalid`, `invalid-request`).
    """
    context = choose_context(configuration, context_name, environment)
    given = credentials_from_environment(environment)
    connection = _Connection(context, given)
    endpoint = EMBEDDED_ENDPOINT if context.url is None else urlsplit(context.url).netloc
    verification = VerificationService(connection.client, endpoint, connection.automatic_trust)
    return Services(
        context=context,
        endpoint=endpoint,
        is_lab=context.url is None,
        account=AccountService(connection.client),
        inventory=InventoryService(connection.client),
        instances=InstanceService(connection.client),
        activation=ActivationService(connection.client),
        downloads=DownloadService(connection.client, verification, configuration.settings),
        verification=verification,
        _connection=connection,
    )


async def sign_in(context: Context, credentials: Credentials) -> User:
    """Try credentials; if they are good, keep them and make the context the current one.

    Raises `SignInError` (`invalid-refresh-token`), `UnavailableError`, `UseError`
    (`context-name-invalid`, `insecure-url`, `url-invalid`).
    """
    if context.url is None:
        raise UseError(
            "invalid-request",
            "The embedded lab cloud needs no sign-in.",
            "Give the address of a license cloud, or use the embedded one as it is.",
        )
    checked = replace(context, name=check_context_name(context.name), url=check_url(context.url))
    connection = _Connection(checked, credentials)
    try:
        user = await connection.client.who_am_i()
    finally:
        await connection.aclose()
    save_credentials(checked, credentials)
    save_configuration(replace(load_configuration().with_context(checked), current=checked.name))
    return user


def sign_out(context_name: str) -> None:
    """Forget the credentials of a context; raises `SignInError` where there are none."""
    if context_name == EMBEDDED_NAME:
        raise UseError(
            "invalid-request",
            "The embedded lab cloud has no sign-in that could end.",
            "Choose another context with `tui-licenses context use NAME`.",
        )
    forget_credentials(context_name)


class _Connection:
    """A client of one license cloud, and what has to be closed with it."""

    def __init__(self, context: Context, given: Credentials | None) -> None:
        self._context = context
        self._given = given
        self._opening = threading.Lock()
        self._embedded: EmbeddedCloud | None = None
        if context.url is None:
            self._transport = Transport(application=lambda: self.embedded().app)
        else:
            self._transport = Transport(context.url, ca_file=context.ca_file)
        self.client = Client(Session(self._transport, self._credentials))

    def embedded(self) -> EmbeddedCloud:
        """Return the embedded cloud, opened (and created and seeded) by the first caller."""
        with self._opening:
            if self._embedded is None:
                from tui_licenses.cloud.embedded import open_embedded

                self._embedded = open_embedded(paths.embedded_database_file())
            return self._embedded

    def automatic_trust(self) -> tuple[Trust, ...]:
        """Return the trust in the embedded cloud; in a served one only its user can trust."""
        if self._context.url is not None:
            return ()
        from tui_licenses.documents.trust_document import establish_trust

        cloud = self.embedded()
        return tuple(
            establish_trust(cloud.trust_document, root, is_lab=True)
            for root in cloud.root_public_keys
        )

    async def aclose(self) -> None:
        """Close connections first, then the embedded cloud they led to."""
        await self._transport.aclose()
        with self._opening:
            embedded, self._embedded = self._embedded, None
        if embedded is not None:
            await asyncio.to_thread(embedded.close)

    async def _credentials(self) -> Credentials:
        if self._given is not None:
            return self._given
        if self._context.url is not None:
            return await asyncio.to_thread(load_credentials, self._context)
        first = (await asyncio.to_thread(self.embedded)).credentials[0]
        return Credentials(first.subject_id, first.refresh_token)
