"""A served cloud that is killed under load, or has no disk left, keeps what it confirmed."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from random import Random

import pytest

from tests.cloud.conftest import Template
from tests.cloud.lab import Database
from tests.cloud.server_databases import ServerDatabases
from tests.trust.harness import Run
from tests.trust.killed_server import (
    client_of,
    find_customers,
    judge_customers,
    judge_repeat,
    killed_under_load,
    served,
    sign_in,
)
from tui_licenses.cloud.administration import check
from tui_licenses.cloud.store import open_store

_SECONDS_MAXIMUM = 60.0


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Collect broken promises; there must be none at the end of the test."""
    found = Run(Random(7), tmp_path, is_fast=True)
    yield found
    assert found.reported == []


def test_a_server_that_is_killed_loses_nothing_and_does_nothing_twice(
    database: Database, template: Template, run: Run
) -> None:
    store = open_store(database)
    customers = find_customers(database, store, template[1].tokens[0], 3)
    with served(database) as (url, _):
        headers = sign_in(url, template[1].tokens[0])
    for number in range(2):
        with served(database) as (url, server):
            assert killed_under_load(run, server, headers, customers)
        judge_customers(run, store, customers, f"kill {number}")
    with served(database) as (url, _), client_of(url, headers) as client:
        for customer in customers:
            # What was cut off is sent again first, under the same Idempotency-Key.
            customer.work(client, 1)
            judge_repeat(run, client, customer, "repeat")
    judge_customers(run, store, customers, "after the repeats")
    store.close()
    assert [customer.waiting for customer in customers] == [None] * 3
    assert check(database) == ()


def test_a_database_server_that_crashes_loses_nothing(
    postgresql_database: str,
    postgresql_template: Template,
    server_databases: ServerDatabases,
    run: Run,
) -> None:
    store = open_store(postgresql_database)
    token = postgresql_template[1].tokens[0]
    customers = find_customers(postgresql_database, store, token, 3)
    # The server is gone before the customers are waited for, who work as long as it is there.
    with ThreadPoolExecutor(3) as pool, served(postgresql_database) as (url, _):
        headers = sign_in(url, token)
        with client_of(url, headers) as client:
            working = [pool.submit(customer.work, client) for customer in customers]
            deadline = time.monotonic() + _SECONDS_MAXIMUM
            while not all(customer.told for customer in customers):
                ended = wait(working, timeout=0.01, return_when=FIRST_COMPLETED).done
                assert not ended, "refused before the crash"
                assert time.monotonic() < deadline, "nothing was confirmed"
            with server_databases.stopped(signal.SIGQUIT):
                wait(working)
            for customer in customers:
                (refused,) = customer.refused
                assert ": 503 " in refused
                customer.refused.clear()
                # The same server of the cloud goes on as soon as its database is back.
                customer.work(client, 1)
    judge_customers(run, store, customers, "after the crash")
    store.close()
    assert [customer.waiting for customer in customers] == [None] * 3
    assert check(postgresql_database) == ()


def test_a_file_that_cannot_grow_is_told_and_keeps_what_it_confirmed(
    sqlite_database: Path, sqlite_template: Template, run: Run
) -> None:
    token = sqlite_template[1].tokens[0]
    store = open_store(sqlite_database)
    (customer,) = find_customers(sqlite_database, store, token, 1)
    with served(sqlite_database) as (url, _):
        headers = sign_in(url, token)
    limit = sqlite_database.stat().st_size
    with served(sqlite_database, limit) as (url, _), client_of(url, headers) as client:
        customer.work(client)
    (refused,) = customer.refused
    customer.refused.clear()
    assert ": 503 " in refused
    assert customer.waiting is not None
    with served(sqlite_database) as (url, _), client_of(url, headers) as client:
        customer.work(client, 1)
    judge_customers(run, store, [customer], "after the disk had room again")
    store.close()
    assert check(sqlite_database) == ()
