"""S8: what is acknowledged was forced to disk before: saves of a client, commits of a cloud."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.trust.faulty_calls import run_child
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.sync_order import ACKNOWLEDGED, TRACED_CALLS, SyncOrder, is_in_order
from tests.trust.tracing import can_trace, run_traced
from tests.trust.writers import PLAIN, Writer, use_home, writers
from tui_licenses import paths
from tui_licenses.cloud.embedded import ensure_embedded
from tui_licenses.config import Configuration
from tui_licenses.wiring import open_services

_ACKNOWLEDGEMENTS, _FAST_ACKNOWLEDGEMENTS = 100, 20


def _acknowledge() -> None:
    """Say something that a trace shows."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.write(nowhere, ACKNOWLEDGED.encode())
    os.close(nowhere)


def _save_all(writer: Writer, home: Path, count: int) -> None:
    for number in range(count):
        _make_way(writer, home)
        writer.write(home, 1 + number % 2)
        _acknowledge()


def _make_way(writer: Writer, home: Path) -> None:
    if not writer.replaces:
        writer.file(home).unlink(missing_ok=True)


async def _rename_all(count: int) -> None:
    services = open_services(Configuration(), None, {})
    instance = (await services.inventory.load()).instances[0]
    for number in range(count):
        instance = await services.instances.rename(instance, f"Site {number}")
        _acknowledge()
    await services.aclose()


def _trace(run: Run, what: str, home: Path, count: int, work: Callable[[], None]) -> None:
    traced = run_traced(work, "-y", "-s", "32", "-e", f"trace={TRACED_CALLS}")
    order = SyncOrder(str(home))
    order.follow(traced.lines)
    run.disturb(order.acknowledged)
    all_told = traced.is_acknowledged and order.acknowledged == count
    run.expect(all_told, Broken.OTHER, f"{what}: {order.acknowledged} of {count} acknowledged")
    for unsynced in order.too_early:
        run.report(Broken.LOST, f"{what}: acknowledged before it was on disk: {unsynced}")


def _watch(run: Run, writer: Writer, home: Path, count: int) -> None:
    """Look at the order of calls without strace, which sees those of Python only."""
    for number in range(count):
        _make_way(writer, home)
        ending = run_child(partial(writer.write, home, 1 + number % 2))
        run.disturb()
        is_kept = ending.is_acknowledged and is_in_order(ending.calls)
        run.expect(is_kept, Broken.LOST, f"{writer.name}: {' '.join(ending.calls)}")


def _save(run: Run, writer: Writer, count: int) -> None:
    home = run.folder / writer.name.replace(" ", "-")
    home.mkdir(mode=0o700)
    use_home(home)
    writer.write(home, 1)
    if can_trace():
        _trace(run, writer.name, home, count, partial(_save_all, writer, home, count))
    else:
        _watch(run, writer, home, count)


def _commit(run: Run, count: int) -> None:
    home = run.folder / "cloud"
    home.mkdir(mode=0o700)
    use_home(home)
    ensure_embedded(paths.embedded_database_file(), instances=20, keys=60)
    _trace(run, "cloud", home, count, lambda: asyncio.run(_rename_all(count)))


def _run(run: Run) -> None:
    count = run.count(_ACKNOWLEDGEMENTS, _FAST_ACKNOWLEDGEMENTS)
    # Without strace nothing can be seen of SQLite: more is looked at here instead.
    saves = count if can_trace() else 2 * count
    for writer in writers():
        _save(run, writer, saves // len(writers()))
    if can_trace():
        _commit(run, count)


def _control(run: Run) -> None:
    _save(run, PLAIN, 5)


CLASS = TrustClass(
    "S8",
    "synced before it is acknowledged",
    200,
    _run,
    _control,
    # Nothing is disturbed: the order of calls is looked at.
    are_faults=False,
)
