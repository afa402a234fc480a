"""S1: eight servers grant, take back, rename and replace the same things at once."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from itertools import chain

from tests.trust.activation_race import (
    ACTIVATE,
    MUTATIONS,
    Told,
    compete,
    follow,
    judge_answers,
    judge_database,
    prepare,
)
from tests.trust.cloud_databases import seeded_databases
from tests.trust.harness import Run, TrustClass

_WORKERS = 8
_KEYS, _KEYS_FAST = 300, 6
_WORKERS_FAST = 3
# Instances and keys beside the contended ones: with more of them each has fewer add-ons.
_ESTATE = (60, 120)
_NAIVE_KEYS = 10


def _run(run: Run) -> None:
    workers = run.count(_WORKERS, _WORKERS_FAST)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.trust.activation_race"])
    for kind, database, report in seeded_databases(run.folder, *_ESTATE):
        over = run.folder / f"{kind} is over"
        keys = run.count(_KEYS, _KEYS_FAST)
        contest = prepare(database, report.tokens[0], keys, run.random.getrandbits(32))
        with ProcessPoolExecutor(workers + 1, mp_context=context) as pool:
            following = pool.submit(follow, contest, over)
            told = list(chain.from_iterable(pool.map(partial(compete, contest), range(workers))))
            over.touch()
            seen = following.result()
        run.disturb(len(told))
        judge_answers(run, told)
        judge_database(run, contest, told, seen)


def _control(run: Run) -> None:
    """Grant as a ledger does that looks first and writes then, each by itself."""
    file = run.folder / "naive.db"
    with sqlite3.connect(file) as ledger:
        ledger.execute("CREATE TABLE license_key (id TEXT, instance TEXT, revision INTEGER)")
        rows = [(f"key-{number}",) for number in range(_NAIVE_KEYS)]
        ledger.executemany("INSERT INTO license_key VALUES (?, NULL, 1)", rows)
    looked = threading.Barrier(2)

    def compete_naively(worker: int) -> list[Told]:
        ledger = sqlite3.connect(file, isolation_level=None, timeout=30)
        told = []
        for number in range(_NAIVE_KEYS):
            find = "SELECT instance, revision FROM license_key WHERE id = ?"
            instance, revision = ledger.execute(find, (f"key-{number}",)).fetchone()
            looked.wait(30)
            if instance is None:
                change = "UPDATE license_key SET instance = ?, revision = ? WHERE id = ?"
                ledger.execute(change, (f"instance-{worker}", revision + 1, f"key-{number}"))
                told.append(Told(ACTIVATE, number, "201", f"key-{number}", revision + 1))
        ledger.close()
        return told

    with ThreadPoolExecutor(2) as pool:
        told = [each for part in pool.map(compete_naively, range(2)) for each in part]
    run.disturb(len(told))
    judge_answers(run, told)


CLASS = TrustClass(
    "S1",
    "activation races of eight servers on one database, both kinds",
    2 * _WORKERS * _KEYS * len(MUTATIONS),
    _run,
    _control,
    # To be contended is no fault.
    are_faults=False,
)
