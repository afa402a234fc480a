"""Goals 12 and 13: what a refresh costs, and a start without a network."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median

from benchmarks import programs
from benchmarks.checks import Check, Figure
from benchmarks.errors import BenchmarkError
from benchmarks.homes import Home
from benchmarks.interleave import interleave
from benchmarks.laboratory import Laboratory
from benchmarks.server import CountingProxy, ServedCloud, Traffic
from benchmarks.session import Session
from tui_licenses.cloud.administration import issue
from tui_licenses.domain.license_key import KeyKind

_PRODUCT = "CAL-DEVICE-50"
_CHANGE_COUNTS = (0, 10, 1000)
# Each change carries a whole key; the rest is a request and the head of an answer.
_BYTES_PER_CHANGE, _BYTES_PER_REFRESH = 1_000, 1_000
_CHANGES_PER_REQUEST = 1_000
_REQUEST_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Way:
    """A home that reaches its cloud over a proxy that counts."""

    served: ServedCloud
    proxy: CountingProxy
    home: Home


def _way(laboratory: Laboratory) -> Way:
    served = laboratory.serve(laboratory.once(Laboratory.main_estate))
    proxy = laboratory.proxy(served)
    home = laboratory.new_home(served, proxy.url)
    # A refresh by the clock would come in between.
    home.use_context(proxy.url, has_refresh=False)
    return Way(served, proxy, home)


def measure_refreshes(laboratory: Laboratory) -> dict[int, Traffic]:
    """Return what passes when so many keys have changed; −1 stands for the first sync."""
    way = laboratory.once(_way)
    passed: dict[int, Traffic] = {}
    with Session(programs.ours(way.home)) as session:
        laboratory.wait_for_all_rows(session, 600)
        session.wait_until_idle()
        passed[-1] = way.proxy.traffic
        for count in _CHANGE_COUNTS:
            if count:
                issue(
                    way.served.home.database,
                    way.served.account_id,
                    kind=KeyKind.ADD_ON,
                    product_code=_PRODUCT,
                    count=count,
                )
            before = way.proxy.traffic
            session.send("r")
            _wait_for_request(way.proxy, before)
            session.wait_until_idle()
            passed[count] = way.proxy.traffic.since(before)
        session.leave()
    return passed


def _wait_for_request(proxy: CountingProxy, before: Traffic) -> None:
    deadline = time.monotonic() + _REQUEST_SECONDS
    while not proxy.traffic.since(before).request_count:
        if time.monotonic() > deadline:
            raise BenchmarkError("the key r sends no request")
        time.sleep(0.01)


def refresh_cost(laboratory: Laboratory) -> list[Check]:
    """Check requests and bytes of a refresh against what has changed."""
    passed = laboratory.once(measure_refreshes)
    whole = passed[-1]
    checks = []
    for count in _CHANGE_COUNTS:
        most = count * _BYTES_PER_CHANGE + _BYTES_PER_REFRESH
        checks += [
            Check(
                f"a refresh with {count:,} changed keys, bytes",
                passed[count].byte_count,
                "B",
                most,
                Figure("the first sync", whole.byte_count, "B"),
                is_steady=True,
            ),
            Check(
                f"a refresh with {count:,} changed keys, requests",
                passed[count].request_count,
                "",
                1 + count // _CHANGES_PER_REQUEST,
                Figure("the first sync", whole.request_count, ""),
                is_steady=True,
            ),
        ]
    return checks


def start_without_network(laboratory: Laboratory) -> list[Check]:
    """Check a start with the network down, against the smallest app."""
    way = laboratory.once(_way)
    laboratory.once(measure_refreshes)
    minimal = laboratory.minimal()

    def start_minimal() -> float:
        with Session(minimal) as session:
            ready = session.wait_until_ready()
            session.settle()
            session.leave()
        return ready

    ages: list[bool] = []

    def start_ours() -> float:
        with Session(programs.ours(way.home)) as session:
            ready = session.wait_until_ready(seconds=10)
            session.settle()
            ages.append("as of" in session.screen.text())
            session.leave()
        return ready

    way.home.use_context(way.proxy.url)
    way.proxy.is_open = False
    try:
        measures = {"minimal": start_minimal, "ours": start_ours}
        starts = interleave(laboratory.runs, measures, warm_ups=1)
    finally:
        way.proxy.is_open = True
    return [
        Check(
            "first row without a network",
            median(starts["ours"]),
            "ms",
            1.15,
            Figure("minimal", median(starts["minimal"]), "ms"),
            is_ratio=True,
        ),
        Check("starts without the age of the rows", ages.count(False), "", 0, is_steady=True),
    ]
