"""A served cloud that is killed under load, and customers who remember what they were told.

Each customer owns one instance and one add-on key, and asks for one change after the other; so
what must be stored is known exactly: what was confirmed, and perhaps the one request more whose
reply never came.
"""

from __future__ import annotations

import logging
import multiprocessing
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from threading import Thread
from typing import NamedTuple
from uuid import uuid4

import httpx
from sqlalchemy import select

from tests.cloud.lab import BASE
from tests.trust.cloud_databases import with_own_master
from tests.trust.clouds import sign_in_at
from tests.trust.harness import Broken, Run
from tui_licenses.cloud import tables
from tui_licenses.cloud.administration import NewToken, issue
from tui_licenses.cloud.serve import serve
from tui_licenses.cloud.store import Store
from tui_licenses.domain.license_key import KeyKind

_READY_SECONDS, _REPLY_SECONDS = 60, 20

# Warm: each server is forked from a process that has imported everything.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.trust.killed_server", "tui_licenses.cloud.app", "uvicorn"])


class State(NamedTuple):
    """What is stored of a customer: the revisions of its key and its instance, and the name."""

    key: int
    instance: int
    name: str


@dataclass(frozen=True)
class Asked:
    """A request with its Idempotency-Key, and the state that it leads to."""

    method: str
    path: str
    body: dict[str, object]
    then: State
    idempotency_key: str = field(default_factory=lambda: str(uuid4()))


@dataclass
class Customer:
    """What one customer has, was told, and is waiting for."""

    instance_id: str
    key_id: str
    key: str
    state: State
    told: list[tuple[Asked, int, bytes]] = field(default_factory=list)
    waiting: Asked | None = None
    refused: list[str] = field(default_factory=list)

    def next_request(self) -> Asked:
        """Return the next change: activate, rename, release, rename, and so on."""
        number = len(self.told)
        if number % 2:
            name = f"Renamed {number}"
            then = State(self.state.key, self.state.instance + 1, name)
            return Asked("PATCH", f"/licensing/instances/{self.instance_id}", {"name": name}, then)
        then = State(self.state.key + 1, self.state.instance + 1, self.state.name)
        if self.state.key % 2:
            body: dict[str, object] = {"keys": [self.key], "instanceId": self.instance_id}
            return Asked("POST", "/licensing/activations", body, then)
        body = {"reason": "needed elsewhere"}
        return Asked("POST", f"/licensing/keys/{self.key_id}/release", body, then)

    def work(self, client: httpx.Client, requests: int | None = None) -> None:
        """Ask until the server is gone or refuses, what was left open first; or so many times."""
        while requests is None or requests > 0:
            asked = self.waiting = self.waiting or self.next_request()
            try:
                answer = _send(client, asked)
            except httpx.TransportError:
                return
            if not answer.is_success:
                self.refused.append(f"{asked.path}: {answer.status_code} {answer.text[:200]}")
                return
            self.told.append((asked, answer.status_code, answer.content))
            self.state, self.waiting = asked.then, None
            requests = None if requests is None else requests - 1


def _send(client: httpx.Client, asked: Asked) -> httpx.Response:
    headers = {"Idempotency-Key": asked.idempotency_key, "Accept-Encoding": "identity"}
    headers |= {"If-Match": "*"} if asked.method == "PATCH" else {}
    return client.request(asked.method, BASE + asked.path, json=asked.body, headers=headers)


def find_customers(
    database: str | Path, store: Store, token: NewToken, count: int
) -> tuple[Customer, ...]:
    """Return customers with an instance and a new add-on key each."""
    keys = issue(
        database, token.account_id, kind=KeyKind.ADD_ON, product_code="CAL-USER-25", count=count
    )
    with store.read() as connection:
        found = connection.execute(with_own_master(token.account_id).limit(count)).all()
    return tuple(
        Customer(row.id, given.id, given.key, State(1, row.revision, row.name))
        for row, given in zip(found, keys, strict=True)
    )


def judge(run: Run, what: str, stored: object, confirmed: object, waiting: object = None) -> None:
    """Report what is stored unless it is what was confirmed, or the one request more."""
    if stored in (confirmed, waiting):
        return
    broken = Broken.CORRUPT if waiting is not None else Broken.LOST
    run.report(broken, f"{what}: stored {stored}, confirmed {confirmed}, asked for {waiting}")


def judge_customers(run: Run, store: Store, customers: Sequence[Customer], what: str) -> None:
    """Compare what every customer was told with what is stored."""
    key, instance = tables.license_key, tables.instance
    for customer in customers:
        with store.read() as connection:
            revision, name = connection.execute(
                select(instance.c.revision, instance.c.name).where(
                    instance.c.id == customer.instance_id
                )
            ).one()
            of_key = connection.execute(
                select(key.c.revision).where(key.c.id == customer.key_id)
            ).scalar_one()
        waiting = None if customer.waiting is None else customer.waiting.then
        judge(run, what, State(of_key, revision, name), customer.state, waiting)
        for refused in customer.refused:
            run.report(Broken.OTHER, f"{what}: {refused}")
        customer.refused.clear()


def judge_repeat(run: Run, client: httpx.Client, customer: Customer, what: str) -> None:
    """Send a confirmed request again: it must answer the same, byte for byte."""
    if customer.told:
        asked, status, content = run.random.choice(customer.told)
        answer = _send(client, asked)
        same = (answer.status_code, answer.content) == (status, content)
        run.expect(same, Broken.CORRUPT, f"{what}: a repeat answers {answer.status_code}, not so")


@contextmanager
def served(
    database: str | Path, file_bytes: int | None = None
) -> Iterator[tuple[str, ServerProcess]]:
    """Serve a database from a process of its own; give its URL. It is killed at the end."""
    process = ServerProcess(database, file_bytes)
    try:
        yield process.url, process
    finally:
        process.kill()


class ServerProcess:
    """A server in a process of its own; `file_bytes` bounds every file it writes."""

    def __init__(self, database: str | Path, file_bytes: int | None) -> None:
        ready, tell = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(target=_serve, args=(database, tell, file_bytes))
        self._process.start()
        tell.close()
        if not ready.poll(_READY_SECONDS):
            self.kill()
            raise TimeoutError("the server does not become ready")
        self.url = str(ready.recv())
        ready.close()

    def kill(self) -> None:
        """Kill the server as the kernel does that has no memory left."""
        self._process.kill()
        self._process.join()


def _serve(database: str | Path, tell: Pipe, file_bytes: int | None) -> None:
    if file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    logging.disable()
    serve(database, port=0, on_ready=tell.send)


def sign_in(url: str, token: NewToken) -> dict[str, str]:
    """Return the headers of a sign-in, which the database keeps longer than any server lives."""
    return {"Authorization": f"Bearer {sign_in_at(url, token)}"}


def client_of(url: str, headers: dict[str, str]) -> httpx.Client:
    """Return a client that is signed in."""
    # Nothing is encrypted here; to load certificates would take longer than all the rest.
    return httpx.Client(base_url=url, headers=headers, timeout=_REPLY_SECONDS, verify=False)


def killed_under_load(
    run: Run, server: ServerProcess, headers: dict[str, str], customers: Sequence[Customer]
) -> bool:
    """Kill a server while every customer asks; say whether a request was cut off by it."""
    clients = [client_of(server.url, headers) for _ in customers]
    threads = [
        Thread(target=customer.work, args=(client,))
        for customer, client in zip(customers, clients, strict=True)
    ]
    told = sum(len(customer.told) for customer in customers)
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + _REPLY_SECONDS
    while sum(len(customer.told) for customer in customers) == told and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(run.random.uniform(0, 0.03))
    server.kill()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()
    return any(customer.waiting for customer in customers)
