"""The composition root: a context becomes transport, session, client and services."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui_licenses import paths
from tui_licenses.addresses import check_url
from tui_licenses.config import (
    EMBEDDED_NAME,
    Configuration,
    Context,
    Credentials,
    Settings,
    check_context_name,
    choose_context,
    copy_owner,
    credentials_from_environment,
    load_configuration,
    save_configuration,
)
from tui_licenses.domain.account import User
from tui_licenses.errors import UseError
from tui_licenses.service.local_copy import LocalCopy, forget_copy

if TYPE_CHECKING:
    from tui_licenses.api.client import Client
    from tui_licenses.api.session import Session
    from tui_licenses.api.transport import Transport
    from tui_licenses.cloud.embedded import EmbeddedCloud
    from tui_licenses.documents.trust import Trust
    from tui_licenses.service.account import AccountService
    from tui_licenses.service.activation import ActivationService
    from tui_licenses.service.downloads import DownloadService
    from tui_licenses.service.instances import InstanceService
    from tui_licenses.service.inventory import InventoryService
    from tui_licenses.service.journal import Journal, Settled
    from tui_licenses.service.verification import VerificationService

EMBEDDED_ENDPOINT = "embedded lab cloud"


class Services:
    """Everything screens and commands call, for one context; each is made when it is needed.

    `endpoint` is what to show as the place of the cloud; `local_copy` holds the inventory as it
    was last seen.
    """

    def __init__(
        self, context: Context, settings: Settings, environment: Mapping[str, str]
    ) -> None:
        self.context = context
        self.endpoint = EMBEDDED_ENDPOINT if context.url is None else urlsplit(context.url).netloc
        file = paths.copy_file(context.name) if settings.local_copy else None
        self.local_copy = LocalCopy(file, copy_owner(context, environment))
        self._settings = settings
        self._connection = _Connection(context, credentials_from_environment(environment))

    def tell_with(self, tell: Callable[[str], None]) -> None:
        """Give what shows a line while a call goes on: a change whose outcome is not known yet."""
        self._connection.tell = tell

    def has_open_changes(self) -> bool:
        """Say whether there are changes whose outcome is not known, of any process."""
        try:
            with os.scandir(paths.journal_folder(self.context.name)) as files:
                return any(file.name.endswith(paths.CHANGE_SUFFIX) for file in files)
        except OSError:
            return False

    async def settle_changes(self) -> list[Settled]:
        """Ask the cloud what became of those changes, and return it for each.

        Raises `SignInError`, and `UnavailableError` where not even the sign-in is answered.
        """
        if not self.has_open_changes():
            return []
        # It takes a while to import.
        journal = await asyncio.to_thread(lambda: self._connection.journal)
        return await journal.settle()

    def clock_warning(self) -> str | None:
        """Return what to tell of this host's clock, as far as the cloud has answered; or None."""
        return self._connection.clock_warning()

    @cached_property
    def is_lab(self) -> bool:
        """Say whether the cloud is a lab's: the embedded one, or one whose root is a lab's."""
        if self.context.url is None:
            return True
        from tui_licenses.service.trust_store import is_lab_source

        return is_lab_source(self.endpoint)

    @cached_property
    def account(self) -> AccountService:
        """Tells who is signed in."""
        from tui_licenses.service.account import AccountService

        return AccountService(self._connection.client)

    @cached_property
    def inventory(self) -> InventoryService:
        """Reads instances, keys and the audit trail."""
        from tui_licenses.service.inventory import InventoryService

        return InventoryService(self._connection.client, self.local_copy)

    @cached_property
    def instances(self) -> InstanceService:
        """Changes instances and reads their profiles."""
        from tui_licenses.service.instances import InstanceService

        return InstanceService(self._connection.client)

    @cached_property
    def activation(self) -> ActivationService:
        """Activates and releases keys."""
        from tui_licenses.service.activation import ActivationService

        return ActivationService(self._connection.client)

    @cached_property
    def downloads(self) -> DownloadService:
        """Saves documents."""
        from tui_licenses.service.downloads import DownloadService

        return DownloadService(self._connection.client, self.verification, self._settings)

    @cached_property
    def verification(self) -> VerificationService:
        """Verifies documents against the trust store."""
        from tui_licenses.service.verification import VerificationService

        connection = self._connection
        return VerificationService(
            # What asks a cloud is loaded only for the few who ask one.
            lambda: connection.client,
            self.endpoint,
            connection.automatic_trust,
        )

    async def aclose(self) -> None:
        """Keep what is known, close every connection, and the embedded cloud if one was opened."""
        if "inventory" in self.__dict__:
            await self.inventory.keep_copy()
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
    return Services(context, configuration.settings, environment)


async def sign_in(context: Context, credentials: Credentials) -> User:
    """Try credentials; if they are good, keep them and make the context the current one.

    Raises `SignInError` (`invalid-refresh-token`), `UnavailableError`, `UseError`
    (`context-name-invalid`, `insecure-url`, `url-invalid`).
    """
    from tui_licenses.service.sign_in import save_credentials

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
    forget_copy(paths.copy_file(checked.name))
    save_credentials(checked, credentials)
    save_configuration(replace(load_configuration().with_context(checked), current=checked.name))
    return user


def sign_out(context_name: str) -> None:
    """Forget the credentials of a context and its inventory.

    Raises `SignInError` where there are no credentials.
    """
    from tui_licenses.service.sign_in import forget_credentials

    if context_name == EMBEDDED_NAME:
        raise UseError(
            "invalid-request",
            "The embedded lab cloud has no sign-in that could end.",
            "Choose another context with `tui-licenses context use NAME`.",
        )
    forget_copy(paths.copy_file(context_name))
    forget_credentials(context_name)


class _Connection:
    """A client of one license cloud, and what has to be closed with it."""

    def __init__(self, context: Context, given: Credentials | None) -> None:
        self._context = context
        self._given = given
        self._opening = threading.Lock()
        self._embedded: EmbeddedCloud | None = None
        self._transport: Transport | None = None
        self.tell: Callable[[str], None] = lambda _: None

    @cached_property
    def client(self) -> Client:
        """Return the client; the first caller pays for what it imports."""
        from tui_licenses.api.client import Client

        return Client(self._session, self.journal)

    @cached_property
    def journal(self) -> Journal:
        """Return what notes every change before it is sent."""
        from tui_licenses.service.journal import Journal
        from tui_licenses.service.journal_entries import JournalFolder

        folder = JournalFolder(paths.journal_folder(self._context.name))
        return Journal(folder, self._session, self._owner, self._tell)

    def _tell(self, line: str) -> None:
        self.tell(line)

    def clock_warning(self) -> str | None:
        """Return what to tell of this host's clock, or None."""
        return None if self._transport is None else self._transport.clock.warning()

    @cached_property
    def _session(self) -> Session:
        from tui_licenses.api.session import Session
        from tui_licenses.api.transport import Transport

        if self._context.url is None:
            self._transport = Transport(application=lambda: self.embedded().app)
        else:
            self._transport = Transport(self._context.url, ca_file=self._context.ca_file)
        return Session(self._transport, self._credentials)

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
        if self._transport is not None:
            await self._transport.aclose()
        with self._opening:
            embedded, self._embedded = self._embedded, None
        if embedded is not None:
            await asyncio.to_thread(embedded.close)

    async def _owner(self) -> str:
        """Return whose changes are noted: the cloud remembers them for this subject only."""
        return f"{self._context.url or EMBEDDED_NAME}\n{(await self._credentials()).subject_id}"

    async def _credentials(self) -> Credentials:
        if self._given is not None:
            return self._given
        if self._context.url is not None:
            from tui_licenses.service.sign_in import load_credentials

            return await asyncio.to_thread(load_credentials, self._context)
        first = (await asyncio.to_thread(self.embedded)).credentials[0]
        return Credentials(first.subject_id, first.refresh_token)
