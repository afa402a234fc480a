"""The way to one license cloud: transport, session, journal and client, each when it is needed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from tui_licenses import paths
from tui_licenses.config import EMBEDDED_NAME, Context
from tui_licenses.credentials import Credentials
from tui_licenses.secret import Secret, protect_process

if TYPE_CHECKING:
    from tui_licenses.api.client import Client
    from tui_licenses.api.session import Session
    from tui_licenses.api.transport import Transport
    from tui_licenses.cloud.embedded import EmbeddedCloud
    from tui_licenses.documents.trust import Trust
    from tui_licenses.service.journal import Journal


class Connection:
    """A client of one license cloud, and what has to be closed with it."""

    def __init__(
        self,
        context: Context,
        given: Credentials | None,
        passphrase: Callable[[], Secret | None] = lambda: None,
        *,
        is_shared: bool = True,
    ) -> None:
        """Prepare; `given` credentials go before saved ones, `passphrase` opens sealed ones.

        If `is_shared`, the access token is one for all programs of this user.
        """
        self._context = context
        self._given = given
        self._passphrase = passphrase
        self._is_shared = is_shared
        self._unlocked: Credentials | None = None
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
        session = self._session
        assert self._transport is not None
        return Journal(folder, session, self._owner, self._tell, cloud_clock=self._transport.clock)

    def _tell(self, line: str) -> None:
        self.tell(line)

    def clock_warning(self) -> str | None:
        """Return what to tell of this host's clock, or None."""
        return None if self._transport is None else self._transport.clock.warning()

    def now(self) -> datetime:
        """Return the time by which dates of license files are judged.

        Raises `DocumentError` (`clock-wrong`) where the cloud said another time.
        """
        if self._transport is not None:
            self._transport.clock.check()
        return datetime.now(UTC)

    @cached_property
    def _session(self) -> Session:
        from tui_licenses.api.access_token import SharedAccessToken
        from tui_licenses.api.session import Session
        from tui_licenses.api.transport import Transport

        protect_process()
        if self._context.url is None:
            self._transport = Transport(application=lambda: self.embedded().app)
        else:
            self._transport = Transport(self._context.url, ca_file=self._context.ca_file)
        shared = None
        if self._is_shared:
            file = paths.access_token_file(self._context.name)
            shared = SharedAccessToken(file, self._sign_in_mark)
        return Session(self._transport, self._credentials, shared)

    async def unlock(self, passphrase: Secret) -> None:
        """Open the sealed credentials, for as long as this lives."""
        from tui_licenses.service.sign_in import load_credentials

        self._unlocked = await asyncio.to_thread(load_credentials, self._context, passphrase)

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
        if self._context.url is None:
            first = (await asyncio.to_thread(self.embedded)).credentials[0]
            return Credentials(first.subject_id, Secret(first.refresh_token))
        if self._unlocked is not None:
            return self._unlocked
        from tui_licenses.service.sign_in import load_credentials

        passphrase = self._passphrase()
        found = await asyncio.to_thread(load_credentials, self._context, passphrase)
        if passphrase is not None:
            # An open file gives a passphrase only once.
            self._unlocked = found
        return found

    async def _sign_in_mark(self) -> str:
        from tui_licenses.service.sign_in import credentials_mark, sign_in_mark

        if self._given is None and self._context.url is not None:
            return sign_in_mark(self._context)
        return credentials_mark(self._context, await self._credentials())
