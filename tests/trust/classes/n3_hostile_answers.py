"""N3: answers without end, without pace or without sense cost little time and little memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.hostile_answers import HostileAnswer, answering, hostile_answers
from tui_licenses.api.answers import decode
from tui_licenses.api.retries import Persistence
from tui_licenses.api.schemas import WireUser
from tui_licenses.api.transport import Request, TimeLimits, Transport
from tui_licenses.errors import TuiLicensesError

# In the same proportions as the real ones, which only make the run longer.
_LIMITS = TimeLimits(connect=0.5, read=0.5, write=0.5, whole=1.0, download_bytes_per_second=5000)
_SECONDS_MAXIMUM = 2.5
_BYTES_MAXIMUM = 64 * 1024 * 1024

_Ask = Callable[[str, bool], Awaitable[object]]


async def _try_all(run: Run, ask: _Ask) -> None:
    answers = hostile_answers()
    for is_download in (False,) if run.is_fast else (False, True):
        await asyncio.gather(
            *(_try(run, ask, entry, is_download) for entry in answers if entry.is_slow)
        )
        for entry in answers:
            if not entry.is_slow:
                await _try(run, ask, entry, is_download)


async def _try(run: Run, ask: _Ask, hostile: HostileAnswer, is_download: bool) -> None:
    asked: list[str] = []
    what = f"{hostile.name}{' as a download' if is_download else ''}"
    async with answering(hostile, asked) as url:
        before = _forget_peak()
        started = time.monotonic()
        with run.case(what, TuiLicensesError):
            taken = await ask(url, is_download)
            run.report(Broken.CORRUPT, f"{what} was taken for {str(taken)[:60]!a}")
        seconds = time.monotonic() - started
        grown = _peak() - before
    run.disturb(len(asked) > 0)
    run.expect(seconds < _SECONDS_MAXIMUM, Broken.OTHER, f"{what} took {seconds:.1f} s")
    run.expect(grown < _BYTES_MAXIMUM, Broken.OTHER, f"{what} took {grown / 2**20:.0f} MiB")


async def _ask(url: str, is_download: bool) -> object:
    transport = Transport(url, limits=_LIMITS, persistence=Persistence(base=0.01))
    try:
        async with transport.stream(Request("GET", "/x", is_download=is_download)) as streamed:
            return decode(await streamed.whole(), WireUser)
    finally:
        await transport.aclose()


async def _ask_naively(url: str, _is_download: bool) -> object:
    async with httpx.AsyncClient(timeout=0.5, trust_env=False) as client:
        # What has no end would never come back: even a naive user presses Ctrl-C at last.
        async with asyncio.timeout(_SECONDS_MAXIMUM + 0.5):
            return (await client.get(f"{url}/x")).json()


async def _try_some(run: Run, ask: _Ask) -> None:
    for hostile in hostile_answers():
        if hostile.name in {"a dripping body", "a bomb of 300 MiB", "JSON that says it is a page"}:
            await _try(run, ask, hostile, is_download=False)


def _forget_peak() -> int:
    """Forget the most memory this process ever had; return what it has now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _peak()


def _peak() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _run(run: Run) -> None:
    asyncio.run(_try_all(run, _ask))


def _control(run: Run) -> None:
    asyncio.run(_try_some(run, _ask_naively))


CLASS = TrustClass("N3", "answers without end, pace or sense", 130, _run, _control, alone=True)
