"""The composition root: a context becomes transport, session, client and services."""

from __future__ import annotations

import asyncio
import os
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
    Settings,
    check_context_name,
    choose_context,
    copy_owner,
    load_configuration,
    save_configuration,
)
from tui_licenses.connection import Connection
from tui_licenses.credentials import (
    Credentials,
    credentials_from_environment,
    passphrase_from_environment,
)
from tui_licenses.domain.account import User
from tui_licenses.errors import FileError, UseError
from tui_licenses.files import sweep_folder
from tui_licenses.secret import Secret
from tui_licenses.service.local_copy import LocalCopy, forget_copy

if TYPE_CHECKING:
    from tui_licenses.service.account import AccountService
    from tui_licenses.service.activation import ActivationService
    from tui_licenses.service.downloads import DownloadService
    from tui_licenses.service.instances import InstanceService
    from tui_licenses.service.inventory import InventoryService
    from tui_licenses.service.journal import Settled
    from tui_licenses.service.verification import VerificationService

EMBEDDED_ENDPOINT = "embedded lab cloud"

# What to tell who leaves while the outcome of a change is not known.
OPEN_CHANGE = (
    "A change was being sent, and it is not known whether it was done. Do not repeat it by hand: "
    "the next command sends the same request again, which does it once at most, and tells what "
    "became of it."
)


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
        self._connection = Connection(
            context,
            credentials_from_environment(environment),
            lambda: passphrase_from_environment(environment),
        )

    def tell_with(self, tell: Callable[[str], None]) -> None:
        """Give what shows a line while a call goes on: a change whose outcome is not known yet."""
        self._connection.tell = tell

    def has_open_changes(self) -> bool:
        """Say whether there are changes whose outcome is not known, of any process."""
        return has_open_changes(self.context.name)

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
            connection.now,
        )

    async def unlock(self, passphrase: Secret) -> None:
        """Open the sealed sign-in for as long as these services live.

        Raises `SignInError` (`passphrase-wrong`) and what `load_credentials` raises.
        """
        await self._connection.unlock(passphrase)

    async def aclose(self) -> None:
        """Keep what is known, close every connection, and the embedded cloud if one was opened."""
        if "inventory" in self.__dict__:
            await self.inventory.keep_copy()
        await self._connection.aclose()

    def sweep_leftovers(self) -> None:
        """Remove what a killed run left half-written in the program's own folders; blocks."""
        for folder in paths.own_folders(self.context.name):
            sweep_folder(folder)


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


def has_open_changes(context_name: str) -> bool:
    """Say whether the journal of a context holds changes whose outcome is not known."""
    try:
        with os.scandir(paths.journal_folder(context_name)) as files:
            return any(file.name.endswith(paths.CHANGE_SUFFIX) for file in files)
    except OSError:
        return False


async def sign_in(
    context: Context,
    credentials: Credentials,
    passphrase: Secret | None = None,
    tell_no_keyring: Callable[[FileError], None] | None = None,
) -> User:
    """Try credentials; if they are good, keep them and make the context the current one.

    They are sealed if a `passphrase` is given. With `tell_no_keyring` the keyring is to hold them;
    it is told why that cannot be, and a private file holds them instead. Raises `SignInError`
    (`invalid-refresh-token`), `UnavailableError`, `UseError` (`context-name-invalid`,
    `insecure-url`, `url-invalid`, `passphrase-too-short`).
    """
    from tui_licenses.service.sealing import check_passphrase
    from tui_licenses.service.sign_in import save_credentials, save_in_keyring

    if context.url is None:
        raise UseError(
            "invalid-request",
            "The embedded lab cloud needs no sign-in.",
            "Give the address of a license cloud, or use the embedded one as it is.",
        )
    checked = replace(context, name=check_context_name(context.name), url=check_url(context.url))
    if passphrase is not None:
        check_passphrase(passphrase)
    connection = Connection(checked, credentials, is_shared=False)
    try:
        user = await connection.client.who_am_i()
    finally:
        await connection.aclose()
    forget_copy(paths.copy_file(checked.name))
    if tell_no_keyring is None:
        await asyncio.to_thread(save_credentials, checked, credentials, passphrase)
    else:
        try:
            await asyncio.to_thread(save_in_keyring, checked, credentials)
        except FileError as error:
            tell_no_keyring(error)
            await asyncio.to_thread(save_credentials, checked, credentials)
    save_configuration(replace(load_configuration().with_context(checked), current=checked.name))
    return user


def change_passphrase(context: Context, old: Secret | None, new: Secret | None) -> None:
    """Seal the saved sign-in of a context with a new passphrase, or with none.

    Raises `SignInError` (`token-missing`, `passphrase-needed`, `passphrase-wrong`), `UseError`
    (`passphrase-too-short`), `FileError`.
    """
    from tui_licenses.service.sign_in import load_credentials, save_credentials

    save_credentials(context, load_credentials(context, old), new)


def is_sealed(context: Context) -> bool:
    """Say whether the saved sign-in of a context is sealed; raises as `change_passphrase`."""
    from tui_licenses.service.sign_in import Keeping, keeping_of

    return keeping_of(context) is Keeping.SEALED


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
