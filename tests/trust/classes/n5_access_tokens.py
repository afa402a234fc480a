"""N5: fifty tasks in each of four processes, all without a good access token, whatever the clock.

They exchange once between them, everybody is answered, and nobody waits for one that was killed.
"""

from __future__ import annotations

import asyncio
import fcntl
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle, islice, product
from multiprocessing.synchronize import Barrier
from pathlib import Path

from tests.support.scripted_server import (
    TOKEN_PATH,
    Received,
    http,
    problem,
    scripted_server,
)
from tests.trust.harness import Broken, Run, TrustClass
from tui_licenses.api.access_token import AccessToken, SharedAccessToken
from tui_licenses.api.clock import boot_seconds
from tui_licenses.api.session import Session
from tui_licenses.api.transport import Request, Transport
from tui_licenses.credentials import Credentials
from tui_licenses.files import write_private
from tui_licenses.secret import Secret

_PROCESSES, _TASKS = 4, 50
_LIFETIME_SECONDS = 900
_EXCHANGE_SECONDS = 0.01
# Everybody is answered long before a holder that hangs would be given up.
_ROUND_SECONDS_MAXIMUM = 15.0
_SKEWS = (-3600, -1800, -60, 0, 60, 1800, 3600)
_FORK = multiprocessing.get_context("fork")


class _State(StrEnum):
    """What the processes find."""

    ABSENT = "no token"
    ENDED = "a token that has ended"
    REFUSED = "a token that the cloud has forgotten"
    DAMAGED = "a damaged file"
    READABLE = "a file that others can read"
    KILLED = "a lock whose holder is killed"


@dataclass(frozen=True)
class _Round:
    """One round: what is found, and how wrong the clocks of the clients are."""

    state: _State
    skew_seconds: int
    is_wall_clock: bool

    @property
    def exchanges(self) -> int:
        """Return how often the processes may exchange between them, and have to."""
        # On a clock that is slow the token has not ended, and the cloud still takes it.
        shift = 0 if self.is_wall_clock else self.skew_seconds
        is_taken = self.state is _State.ENDED and -_LIFETIME_SECONDS < shift < 0
        return 0 if is_taken else 1


class _Cloud:
    """Gives tokens, counts them, and accepts those from a number on."""

    def __init__(self) -> None:
        self.url = ""
        self.exchanges = 0
        self.first_good = 1

    def respond(self, request: Received) -> bytes:
        if request.path == TOKEN_PATH:
            self.exchanges += 1
            token = f"tla_{self.exchanges}"
            time.sleep(_EXCHANGE_SECONDS)
            return http(
                200,
                {
                    "accessToken": token,
                    "expiresIn": _LIFETIME_SECONDS,
                    "tokenType": "Bearer",
                },
            )
        sent = request.headers.get("authorization", "").removeprefix("Bearer tla_")
        is_good = sent.isdecimal() and int(sent) >= self.first_good
        return http(200, {}) if is_good else problem("token-expired", 401)


@contextmanager
def _serving() -> Iterator[_Cloud]:
    """Run the cloud in a thread."""
    cloud, is_ready, loop = _Cloud(), threading.Event(), asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with scripted_server(cloud.respond) as server:
            cloud.url = server.url
            is_ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    is_ready.wait()
    try:
        yield cloud
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


_barrier: Barrier | None = None


def _meet(barrier: Barrier) -> None:
    global _barrier  # noqa: PLW0603 - how a pool hands something to its processes
    _barrier = barrier


async def _owner() -> str:
    return "acme"


async def _credentials() -> Credentials:
    return Credentials("subject", Secret("tlr_refresh"))


def _ask(url: str, file: Path, one: _Round, is_shared: bool) -> tuple[int, float, list[str]]:
    """Ask in one process: return how many were answered, after how long, and what went wrong."""
    shift = 0 if one.is_wall_clock else one.skew_seconds
    wall = time.time
    if one.is_wall_clock:
        time.time = lambda: wall() + one.skew_seconds

    async def work() -> tuple[int, list[str]]:
        transport = Transport(url)
        shared = SharedAccessToken(file, _owner) if is_shared else None
        session = Session(transport, _credentials, shared, lambda: boot_seconds() + shift)
        try:
            answers = await asyncio.gather(
                *(session.send(Request("GET", "/api/v3/me")) for _ in range(_TASKS)),
                return_exceptions=True,
            )
        finally:
            await transport.aclose()
        good = [one for one in answers if not isinstance(one, BaseException) and one.status == 200]
        return len(good), [repr(one) for one in answers if isinstance(one, BaseException)]

    assert _barrier is not None
    _barrier.wait()
    started = time.monotonic()
    try:
        count, errors = asyncio.run(work())
    finally:
        time.time = wall
    return count, time.monotonic() - started, errors


def _prepare(cloud: _Cloud, file: Path, state: _State) -> None:
    file.unlink(missing_ok=True)
    if state is _State.ABSENT:
        return
    # The cloud still takes the last token it gave, where there is one.
    now, cloud.exchanges = boot_seconds(), cloud.exchanges + 1
    token = AccessToken(Secret(f"tla_{cloud.exchanges}"), now - 100, now + _LIFETIME_SECONDS - 160)
    if state is _State.ENDED:
        token = AccessToken(token.text, now - _LIFETIME_SECONDS, now - 1)
    SharedAccessToken(file, _owner).keep(token, asyncio.run(_owner()))
    if state in {_State.REFUSED, _State.KILLED}:
        cloud.first_good = cloud.exchanges + 1
    elif state is _State.DAMAGED:
        write_private(file, b'{"owner":"acme\xff"')
    elif state is _State.READABLE:
        file.chmod(0o644)


def _hold(file: Path) -> int:
    """Let a process hold the lock; it is to be killed."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        descriptor = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(writing, b"1")
        signal.pause()
        os._exit(0)
    os.read(reading, 1)
    os.close(reading)
    os.close(writing)
    return process


def _rounds(run: Run, *, is_shared: bool) -> None:
    cases = product(_State, _SKEWS, (True, False))
    rounds = [_Round(*case) for case in islice(cycle(cases), 100)]
    barrier = _FORK.Barrier(_PROCESSES)
    file = run.folder / "access-tokens" / "acme.json"
    file.parent.mkdir(mode=0o700)
    with ProcessPoolExecutor(_PROCESSES, _FORK, initializer=_meet, initargs=(barrier,)) as pool:
        # All processes are there before the thread of the cloud is.
        list(pool.map(abs, range(_PROCESSES)))
        with _serving() as cloud:
            for one in run.choose(rounds, fast=5):
                _round(run, pool, cloud, file, one, is_shared)


def _round(
    run: Run, pool: ProcessPoolExecutor, cloud: _Cloud, file: Path, one: _Round, is_shared: bool
) -> None:
    _prepare(cloud, file, one.state)
    before = cloud.exchanges
    holder = _hold(file) if one.state is _State.KILLED else None
    asking = [pool.submit(_ask, cloud.url, file, one, is_shared) for _ in range(_PROCESSES)]
    if holder is not None:
        with suppress(TimeoutError):
            asking[0].result(0.1)
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
    found = [future.result() for future in asking]
    run.disturb()
    exchanges = cloud.exchanges - before
    is_right = exchanges == one.exchanges
    run.expect(is_right, Broken.OTHER, f"{one}: {exchanges} exchanges, not {one.exchanges}")
    for answered, seconds, errors in found:
        run.expect(answered == _TASKS, Broken.LOST, f"{one}: {answered} answered, {errors[:1]}")
        run.expect(
            seconds < _ROUND_SECONDS_MAXIMUM, Broken.OTHER, f"{one}: waited for {seconds:.1f} s"
        )


def _run(run: Run) -> None:
    _rounds(run, is_shared=True)


def _control(run: Run) -> None:
    """Let every process exchange for itself."""
    _rounds(run, is_shared=False)


CLASS = TrustClass("N5", "access tokens: 4 processes of 50 tasks, clocks", 100, _run, _control)
