"""A line to a real license cloud that loses what it carries, and clients that use it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path
from uuid import uuid4

from tests.cloud.lab import CALLERS
from tests.trust.clouds import seed_cloud, serve
from tui_licenses.api.client import Client
from tui_licenses.api.retries import Persistence
from tui_licenses.api.session import Session
from tui_licenses.api.transport import IDEMPOTENCY_KEY, Answer, Request, TimeLimits, Transport
from tui_licenses.credentials import Credentials
from tui_licenses.domain.activation import ActivationRequest
from tui_licenses.domain.instance import Instance
from tui_licenses.errors import UnavailableError
from tui_licenses.secret import Secret
from tui_licenses.service.journal import Journal
from tui_licenses.service.journal_entries import Entry, HeldEntry, JournalFolder

_LIMITS = TimeLimits(connect=5, read=0.3, write=5, whole=10)
_NAIVE_TRIES = 3


class Loss(Enum):
    """What the line does to one change; a kill is of the client."""

    REQUEST = auto()
    REPLY = auto()
    HALF_THE_REPLY = auto()
    SILENCE = auto()
    KILL_BEFORE = auto()
    KILL_AFTER = auto()


KILLS = frozenset({Loss.KILL_BEFORE, Loss.KILL_AFTER})


@dataclass(frozen=True)
class Site:
    """A served cloud, and a sign-in that may change everything in it.

    The token is text, because this goes to other processes and a `Secret` does not.
    """

    url: str
    subject_id: str
    refresh_token: str


@contextmanager
def served_site(folder: Path) -> Iterator[Site]:
    """Serve a seeded cloud in a process of its own."""
    cloud = seed_cloud(folder / "cloud.db", "SQLite")
    token = cloud.tokens[CALLERS["administrator"]]
    with serve(cloud, folder / "server.log") as server:
        yield Site(server.url, token.subject_id, token.refresh_token)


@dataclass(frozen=True)
class Change:
    """One change: another name, a key released, or (`keys`) keys activated."""

    instance: Instance
    name: str | None = None
    key_id: str | None = None
    keys: tuple[str, ...] = ()

    async def send(self, client: Client) -> None:
        """Do it; raises as the client does."""
        if self.name is not None:
            await client.change_instance(self.instance, name=self.name)
        elif self.key_id is not None:
            await client.release(self.key_id, "moved", cascade=False)
        else:
            request = ActivationRequest(self.keys, instance_id=self.instance.id)
            await client.activate(request, str(uuid4()))


class LineClient:
    """A client as one start of the program has it; `is_naive` keeps no journal."""

    def __init__(
        self, site: Site, url: str, journal: JournalFolder, *, is_naive: bool = False
    ) -> None:
        self.transport = Transport(
            url,
            limits=_LIMITS,
            persistence=Persistence(tries=1 if is_naive else 4, base=0.005),
        )

        async def credentials() -> Credentials:
            return Credentials(site.subject_id, Secret(site.refresh_token))

        async def owner() -> str:
            return f"{site.url}\n{site.subject_id}"

        session = Session(self.transport, credentials)
        self.journal = Journal(
            journal, session, owner, cloud_clock=self.transport.clock, pauses=(0.005,)
        )
        self.client = Client(session, _NaiveSender(session) if is_naive else self.journal)


class _NaiveSender:
    """Tries again as many programs do: as if nothing had been sent before."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def send(self, request: Request) -> Answer:
        for _ in range(_NAIVE_TRIES - 1):
            try:
                return await self._session.send(_with_new_key(request))
            except UnavailableError:
                continue
        return await self._session.send(_with_new_key(request))


def _with_new_key(request: Request) -> Request:
    return replace(request, headers={**request.headers, IDEMPOTENCY_KEY: str(uuid4())})


class _KilledAfterNote(JournalFolder):
    """Kills its process between the note and the sending."""

    def add(self, entry: Entry) -> HeldEntry:
        held = super().add(entry)
        os.kill(os.getpid(), signal.SIGKILL)
        return held


def change_in_this_process(
    site: Site, url: str, journal: Path, change: Change, *, is_naive: bool, dies_early: bool
) -> None:
    """Do a change in a process that is there to be killed."""
    folder = _KilledAfterNote(journal) if dies_early else JournalFolder(journal)

    async def work() -> None:
        line = LineClient(site, url, folder, is_naive=is_naive)
        await change.send(line.client)

    asyncio.run(work())


class Line:
    """Carries requests to a cloud; changes meet the losses that are planned, one after another."""

    def __init__(self, cloud_port: int) -> None:
        self._cloud_port = cloud_port
        self._writers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.url = ""
        self.plan: list[Loss] = []
        self.reached = 0
        self.victim: int | None = None

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry the requests of one connection until it ends."""
        try:
            while await self._carry_one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _carry_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await _read_message(reader)
        is_change = b"\r\nif-match:" in request.lower() or any(
            part in request for part in (b"/release HTTP", b"/licensing/activations HTTP")
        )
        loss = self.plan.pop(0) if is_change and self.plan else None
        self.reached += loss is not None
        if loss is Loss.KILL_BEFORE:
            self._kill()
        if loss in {Loss.REQUEST, Loss.KILL_BEFORE}:
            return False
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._cloud_port)
        try:
            far_writer.write(request)
            reply = await _read_message(far_reader)
        finally:
            far_writer.close()
        if loss is Loss.KILL_AFTER:
            self._kill()
        if loss is Loss.SILENCE:
            await reader.read()
        if loss is Loss.HALF_THE_REPLY:
            writer.write(reply[: len(reply) // 2])
            await writer.drain()
        if loss is not None:
            return False
        writer.write(reply)
        await writer.drain()
        return True

    def _kill(self) -> None:
        if self.victim is not None:
            os.kill(self.victim, signal.SIGKILL)


@asynccontextmanager
async def lossy_line(site: Site) -> AsyncIterator[Line]:
    """Give a line to a served cloud."""
    line = Line(int(site.url.rpartition(":")[2]))
    server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    line.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for part in head.lower().split(b"\r\n"):
        name, _, value = part.partition(b":")
        if name == b"content-length":
            return head + await reader.readexactly(int(value))
    return head
