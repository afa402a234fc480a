"""N4: what is tried again and what never, and changes whose request, reply or client is lost."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import product

from tests.support.scripted_server import Received, http, scripted_server
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.lossy_line import (
    KILLS,
    Change,
    Line,
    LineClient,
    Loss,
    Site,
    change_in_this_process,
    lossy_line,
    served_site,
)
from tui_licenses.api.client import Client
from tui_licenses.api.retries import Persistence
from tui_licenses.api.transport import Request, Transport
from tui_licenses.domain.activation import ActivationRequest
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import KeyState, LicenseKey
from tui_licenses.errors import OutcomeUnknownError, TuiLicensesError
from tui_licenses.service.journal_entries import JournalFolder

_KEY = {"Idempotency-Key": "one"}
# Those of the table that may pass, and all that never does.
_PASSING = (408, 425, 429, 502, 503, 504)
_FINAL = (400, 402, 403, 404, 405, 406, 409, 410, 412, 415, 422, 428, 500, 501)
_SENDERS: tuple[tuple[str, dict[str, str], bool], ...] = (
    ("GET", {}, True),
    ("POST", _KEY, True),
    ("POST", {}, False),
    ("PATCH", {}, False),
)
_AT_ONCE = 20
_TRIES = 4
_STARTS_MAXIMUM = 20


async def _retry_table(run: Run) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    cases = tuple(product((*_PASSING, *_FINAL), _SENDERS, (None, "0", later)))
    asked: Counter[str] = Counter()

    def respond(request: Received) -> bytes:
        asked[request.path] += 1
        status, _, pause = request.headers["x-wanted"].partition(" ")
        return http(int(status), b"", {"Retry-After": pause} if pause else {})

    async with scripted_server(respond) as server:
        transport = Transport(server.url, persistence=Persistence(base=0.002))

        async def ask(number: int) -> None:
            status, (method, headers, _), pause = cases[number]
            wanted = {"X-Wanted": f"{status} {pause or ''}".strip()}
            request = Request(method, f"/{number}", headers={**headers, **wanted})
            async with transport.stream(request) as streamed:
                run.expect(streamed.status == status, Broken.OTHER, f"{status} was not told")

        chosen = run.choose(range(len(cases)), fast=60)
        for start in range(0, len(chosen), _AT_ONCE):
            await asyncio.gather(*(ask(number) for number in chosen[start : start + _AT_ONCE]))
        await transport.aclose()
    for number in chosen:
        status, (method, _, is_repeatable), pause = cases[number]
        expected = _TRIES if status in _PASSING and is_repeatable and pause != later else 1
        run.disturb()
        what = f"{method} {status}, Retry-After {pause}: sent {asked[f'/{number}']} times"
        run.expect(asked[f"/{number}"] == expected, Broken.OTHER, what)


class _Losses:
    """Changes over a lossy line, one after another, each compared with the cloud afterwards."""

    def __init__(self, run: Run, site: Site, line: Line, *, is_naive: bool) -> None:
        self._run = run
        self._site = site
        self._line = line
        self._is_naive = is_naive
        self._folder = run.folder / "journal"
        self._direct = self._start(site.url).client
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["tests.trust.lossy_line"])

    def _start(self, url: str) -> LineClient:
        return LineClient(self._site, url, JournalFolder(self._folder), is_naive=self._is_naive)

    async def run_all(self, plans: Sequence[tuple[Loss, ...]]) -> None:
        """Do one change for each plan: another name, or a key that goes to and fro."""
        instance, key = await _place_for_a_key(self._direct)
        for number, plan in enumerate(plans):
            before = instance.revision + key.revision
            if number % 2:
                change = Change(instance, name=f"Depot {number}")
            elif key.state is KeyState.ACTIVE:
                change = Change(instance, key_id=key.id)
            else:
                change = Change(instance, keys=(key.key,))
            what = f"{number}: {[loss.name for loss in plan]}"
            with self._run.case(what):
                told = await self._told(change, plan)
                instance = await self._direct.show_instance(instance.id)
                key = await self._direct.show_key(key.id)
                # A key that comes or goes changes its instance, too.
                once = 1 if change.name is not None else 2
                times = (instance.revision + key.revision - before) / once
                self._run.expect(times <= 1, Broken.CORRUPT, f"{what}: done {times} times")
                self._run.expect(times >= 1, Broken.LOST, f"{what}: never done")
                self._run.expect(told is True, Broken.LOST, f"{what}: told {told}, though done")

    async def _told(self, change: Change, plan: tuple[Loss, ...]) -> bool | None:
        """Do a change, settle it as later starts do, and return whether it is told as done."""
        self._line.plan = list(plan)
        self._line.reached = 0
        told: bool | None = None
        if not plan or plan[0] in KILLS:
            await self._change_and_die(change, dies_early=not plan)
        else:
            told = await self._change_here(change)
        self._run.disturb(not plan or self._line.reached > 0)
        for _ in range(_STARTS_MAXIMUM):
            if not tuple(self._folder.glob("*.change")):
                break
            later = self._start(self._line.url)
            for settled in await later.journal.settle():
                told = None if settled.is_open else "was done" in settled.sentence
            await later.transport.aclose()
        self._line.plan = []
        return told

    async def _change_here(self, change: Change) -> bool | None:
        line = self._start(self._line.url)
        try:
            await change.send(line.client)
        except OutcomeUnknownError:
            return None
        except TuiLicensesError:
            return False
        finally:
            await line.transport.aclose()
        return True

    async def _change_and_die(self, change: Change, *, dies_early: bool) -> None:
        process = self._processes.Process(
            target=change_in_this_process,
            args=(self._site, self._line.url, self._folder, change),
            kwargs={"is_naive": self._is_naive, "dies_early": dies_early},
        )
        process.start()
        self._line.victim = process.pid
        await asyncio.to_thread(process.join)
        self._line.victim = None
        self._run.expect(process.exitcode == -signal.SIGKILL, Broken.OTHER, "nobody was killed")


async def _place_for_a_key(client: Client) -> tuple[Instance, LicenseKey]:
    """Return an instance and an add-on that can be activated there."""
    async for keys in client.key_pages(1000):
        loose = [one for one in keys.items if one.state is KeyState.UNASSIGNED]
        async for instances in client.instance_pages(1000):
            for key, instance in product(loose, instances.items):
                request = ActivationRequest((key.key,), instance_id=instance.id)
                if not key.is_master and not (await client.preview(request)).problems:
                    return instance, key
    raise AssertionError("the seed has such a key")


def _plans(run: Run, count: int) -> list[tuple[Loss, ...]]:
    """Return what is lost: a third of the plans begin with a client that is killed."""
    losses = (Loss.REQUEST, Loss.REPLY, Loss.HALF_THE_REPLY, Loss.SILENCE)
    # Silence is waited for.
    weights = (3, 3, 3, 1)
    plans = []
    for number in range(count):
        later = run.random.choices(losses, weights, k=run.random.randint(0, 7))
        if number % 3 == 0:
            first = run.random.choice(([], [Loss.KILL_BEFORE], [Loss.KILL_AFTER]))
            # Killed before it sent anything, the first thing lost is what settles it.
            plans.append((*first, *later) if first else ())
        else:
            plans.append((*run.random.choices(losses, weights), *later))
    return plans


async def _changes(run: Run, count: int, *, is_naive: bool = False) -> None:
    with served_site(run.folder) as site:
        async with lossy_line(site) as line:
            await _Losses(run, site, line, is_naive=is_naive).run_all(_plans(run, count))


def _run(run: Run) -> None:
    asyncio.run(_retry_table(run))
    asyncio.run(_changes(run, run.count(whole=200, fast=20)))


def _control(run: Run) -> None:
    asyncio.run(_changes(run, 8, is_naive=True))


CLASS = TrustClass("N4", "lost requests, lost replies, killed clients", 440, _run, _control)
