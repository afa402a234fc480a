"""Goal 16: the license cloud with a thousand keys and with a million.

In process, through the ASGI application: what is measured is the cloud, not HTTP.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.checks import Check, Figure
from benchmarks.cloud_in_process import MILLISECONDS, CloudInProcess
from benchmarks.interleave import interleave
from benchmarks.laboratory import Laboratory

_LARGE, _SMALL = "1,000,000 keys", "1,000 keys"
_SIZES = {_SMALL: (40, 1_000), _LARGE: (40_000, 1_000_000)}
_ROUNDS_PER_RUN = 6
_PAGE = "/licensing/keys?limit=1000&includeAddOns=true"
# What “flat” means: caches and the depth of an index are allowed to show.
_FLAT = 1.5

Times = dict[str, list[float]]


@dataclass(slots=True)
class _Stock:
    """What one cloud has left to be measured with."""

    cloud: CloudInProcess
    add_ons: list[str]
    instance_ids: list[str]
    key_ids: list[str]
    next_page: str
    number: int = 0


def measure_clouds(laboratory: Laboratory) -> dict[str, Times]:
    """Ask both clouds the same, in turn, and make bare transactions in between."""
    sizes = _SIZES if laboratory.options.has_large else {_SMALL: _SIZES[_SMALL]}
    rounds = laboratory.runs * _ROUNDS_PER_RUN
    stocks = {name: _open(laboratory, size, rounds + 1) for name, size in sizes.items()}
    # What the copies have left to write would slow down every commit below.
    os.sync()
    with closing(_bare_database(laboratory.folder("bare") / "bare.sqlite3")) as bare:
        measures: dict[str, Callable[[], dict[str, float]]] = {
            name: partial(_ask, stock) for name, stock in stocks.items()
        }
        measures["bare"] = partial(_commit, bare)
        samples = interleave(rounds, measures, warm_ups=1)
    for stock in stocks.values():
        stock.cloud.close()
    return {
        name: {what: [sample[what] for sample in found] for what in found[0]}
        for name, found in samples.items()
    }


def _open(laboratory: Laboratory, size: tuple[int, int], rounds: int) -> _Stock:
    home = laboratory.estate(*size).copy_into(laboratory.folder("cloud"))
    cloud = CloudInProcess(home.database)
    page = cloud.get(_PAGE).answer.json()
    active = [key["id"] for key in page["items"] if key["state"] == "active"]
    next_page = page["nextCursor"]
    return _Stock(
        cloud,
        cloud.issue_add_ons(rounds),
        cloud.licensed_instance_ids(),
        active,
        _PAGE if next_page is None else f"{_PAGE}&cursor={next_page}",
    )


def _ask(stock: _Stock) -> dict[str, float]:
    """Ask for one of each; no instance is asked twice for its first license file, if possible."""
    cloud = stock.cloud
    instance_id = stock.instance_ids[stock.number % len(stock.instance_ids)]
    key_id = stock.key_ids[stock.number % len(stock.key_ids)]
    stock.number += 1
    path = f"/licensing/instances/{instance_id}/license-file"
    first_file = cloud.get(path)
    second_file = cloud.get(path)
    certificate = cloud.get(f"/licensing/keys/{key_id}/certificate")
    page = cloud.get(_PAGE)
    next_page = cloud.get(stock.next_page)
    activation = cloud.activate(stock.add_ons.pop(), instance_id)
    return {
        "activation": activation.milliseconds,
        "list page of 1,000 keys": page.milliseconds,
        "next list page of 1,000 keys": next_page.milliseconds,
        "first license file": first_file.milliseconds,
        "license file": second_file.milliseconds,
        "certificate": certificate.cpu_milliseconds,
    }


def _bare_database(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    for statement in (
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "CREATE TABLE entry (id INTEGER PRIMARY KEY, words TEXT NOT NULL)",
    ):
        connection.execute(statement)
    return connection


def _commit(connection: sqlite3.Connection) -> dict[str, float]:
    begun = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO entry (words) VALUES ('one row, as small as it comes')")
    connection.execute("COMMIT")
    return {"transaction": (time.perf_counter() - begun) * MILLISECONDS}


def cloud_at_size(laboratory: Laboratory) -> list[Check]:
    """Check each request at the largest size there is, and that size does not matter."""
    times = laboratory.once(measure_clouds)
    size = _LARGE if _LARGE in times else _SMALL
    if size == _SMALL:
        laboratory.note("Goal 16 is measured with 1,000 keys only: the large cloud was left out.")
    typical = {what: median(found) for what, found in times[size].items()}
    transaction = Figure("a transaction", median(times["bare"]["transaction"]), "ms")
    checks = [
        Check(f"an activation, {size}", typical["activation"], "ms", 3, transaction, is_ratio=True),
        Check(f"list page of 1,000 keys, {size}", typical["list page of 1,000 keys"], "ms", 30),
    ]
    for what, limit in (("first license file", 500), ("license file", 500), ("certificate", 15)):
        unit = "/s a core" if what == "certificate" else "/s"
        rate = MILLISECONDS / typical[what]
        checks.append(Check(f"{what}, {size}", rate, unit, limit, is_least=True))
    if size == _LARGE:
        checks += [
            Check(
                f"{what}, {_LARGE} against {_SMALL}",
                typical[what],
                "ms",
                _FLAT,
                Figure(_SMALL, median(times[_SMALL][what]), "ms"),
                is_ratio=True,
            )
            for what in typical
        ]
    return checks
