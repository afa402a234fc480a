"""S2: a server that is killed or out of disk has stored all it confirmed, and nothing half."""

from __future__ import annotations

import multiprocessing
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from tests.trust.cloud_databases import seeded_databases
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.killed_server import (
    Customer,
    client_of,
    find_customers,
    judge,
    judge_customers,
    judge_repeat,
    killed_under_load,
    served,
    sign_in,
)
from tests.trust.small_disks import mount
from tui_licenses.cloud.administration import NewToken, check, seed
from tui_licenses.cloud.store import open_store

_KILLS, _KILLS_FAST = 400, 3
_FULL, _FULL_FAST = 20, 1
_CUSTOMERS = 3
_ESTATE = (8, 40)
# A check reads all there is: after so many kills, and at the end.
_CHECK_EACH = 50
_DISK = "8m"
_ROOM_BYTES = (16 * 1024, 400 * 1024)
_REFUSED = " 503 "


def _run(run: Run) -> None:
    for kind, database, report in seeded_databases(run.folder, *_ESTATE):
        _kill_servers(run, kind, database, report.tokens[0])
    for number in range(run.count(_FULL, _FULL_FAST)):
        _fill_disk(run, number)


def _kill_servers(run: Run, kind: str, database: str, token: NewToken) -> None:
    store = open_store(database)
    customers = find_customers(database, store, token, _CUSTOMERS)
    with served(database) as (url, _):
        headers = sign_in(url, token)
    wanted, killed, cut = run.count(_KILLS, _KILLS_FAST), 0, 0
    while cut < wanted and killed < 2 * wanted:
        what = f"{kind}, kill {killed}"
        with served(database) as (url, server):
            with client_of(url, headers) as client:
                judge_repeat(run, client, run.random.choice(customers), what)
            was_cut = killed_under_load(run, server, headers, customers)
        cut, killed = cut + was_cut, killed + 1
        judge_customers(run, store, customers, what)
        if killed % _CHECK_EACH == 0:
            _check(run, database, what)
    run.disturb(cut)
    _finish(run, database, headers, customers, kind)
    store.close()


def _finish(
    run: Run, database: str, headers: dict[str, str], customers: tuple[Customer, ...], what: str
) -> None:
    """Let every open request end, compare everything, and check the database."""
    with served(database) as (url, _), client_of(url, headers) as client:
        for customer in customers:
            customer.work(client, 1)
            judge_repeat(run, client, customer, what)
    store = open_store(database)
    judge_customers(run, store, customers, what)
    store.close()
    for customer in customers:
        run.expect(customer.waiting is None, Broken.OTHER, f"{what}: a request never ended")
    _check(run, database, what)


def _check(run: Run, database: str, what: str) -> None:
    for finding in check(database):
        run.report(Broken.CORRUPT, f"{what}: {finding.code} {finding.target}: {finding.message}")


def _fill_disk(run: Run, number: int) -> None:
    folder = run.folder / f"full-{number}"
    folder.mkdir()
    with _small_disk(folder) as is_disk:
        file = folder / "cloud.db"
        report = seed(file, instances=_ESTATE[0], keys=_ESTATE[1])
        database, what = f"sqlite:///{file}", f"disk full {number}"
        store = open_store(database)
        customers = find_customers(database, store, report.tokens[0], _CUSTOMERS)
        store.close()
        with served(database) as (url, _):
            headers = sign_in(url, report.tokens[0])
        room = run.random.randint(*_ROOM_BYTES)
        filler = folder / "filler"
        if is_disk:
            with filler.open("wb") as stream:
                stream.write(bytes(max(0, shutil.disk_usage(folder).free - room)))
        limit = None if is_disk else max(file.stat().st_size, room)
        with served(database, limit) as (url, _), client_of(url, headers) as client:
            for customer in customers:
                customer.work(client)
        # Refused for the disk, and for nothing else.
        refused = [line for customer in customers for line in customer.refused]
        run.disturb(bool(refused))
        for line in refused:
            run.expect(_REFUSED in line, Broken.OTHER, f"{what}: {line}")
        for customer in customers:
            customer.refused.clear()
        filler.unlink(missing_ok=True)
        _finish(run, database, headers, customers, what)


@contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    """Mount a disk of a few megabytes, where that is allowed; say whether it was."""
    try:
        mount(folder, f"size={_DISK}")
    except (OSError, subprocess.SubprocessError):
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _control(run: Run) -> None:
    """Confirm each change, and commit ten at a time."""
    context = multiprocessing.get_context("fork")
    for number in range(3):
        file = run.folder / f"naive-{number}.db"
        with sqlite3.connect(file) as database:
            database.execute("CREATE TABLE change (number INTEGER)")
        ask, asked = context.Pipe()
        writer = context.Process(target=_write_naively, args=(file, asked))
        writer.start()
        confirmed = 0
        # No multiple of ten: something is always confirmed and not committed.
        for _ in range(run.random.randrange(21, 29)):
            ask.send(None)
            confirmed = ask.recv()
        writer.kill()
        writer.join()
        run.disturb()
        with sqlite3.connect(file) as database:
            (stored,) = database.execute("SELECT count(*) FROM change").fetchone()
        judge(run, f"naive {number}", stored, confirmed)


def _write_naively(file: Path, asked: Pipe) -> None:
    database = sqlite3.connect(file)
    number = 0
    while True:
        asked.recv()
        number += 1
        database.execute("INSERT INTO change VALUES (?)", (number,))
        asked.send(number)
        if number % 10 == 0:
            database.commit()


CLASS = TrustClass(
    "S2",
    "servers killed under load and out of disk, both kinds",
    2 * _KILLS + _FULL,
    _run,
    _control,
)
