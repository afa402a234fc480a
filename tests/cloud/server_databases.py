"""Databases on the PostgreSQL server of the tests, each with a folder of secrets of its own."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.postgresql import Cluster


class ServerDatabases:
    """Makes databases; the next copy is made while a test works on the one before."""

    def __init__(self, cluster: Cluster, secrets: Path) -> None:
        self.cluster = cluster
        self._secrets = secrets
        # One thread: two copies of a template at once would refuse each other.
        self._maker = ThreadPoolExecutor(1)
        self._next: Future[str] | None = None
        self._template = ""

    def url(self, name: str) -> str:
        """Return the URL of a database whose secrets are in a folder of its name."""
        return f"{self.cluster.url(name)}&secrets={self._secrets / name}"

    def empty(self) -> str:
        """Make an empty database; return its URL."""
        return self.url(self._maker.submit(self.cluster.new_database).result())

    def copy_from(self, url: str) -> None:
        """Let the copies be those of a database that nobody is connected to any more."""
        self._template = database_name(url)
        self._begin_next()

    @contextmanager
    def copied(self) -> Iterator[str]:
        """Give a copy of the template; it is removed afterwards."""
        assert self._next is not None
        name = self._next.result()
        self._begin_next()
        shutil.copytree(self._secrets / self._template, self._secrets / name)
        yield self.url(name)
        self._maker.submit(self.cluster.drop_database, name)

    @contextmanager
    def stopped(self, number: signal.Signals = signal.SIGINT) -> Iterator[None]:
        """Stop the server for a while, when nothing is being made; SIGQUIT is a crash."""
        self._maker.submit(self.cluster.stop, number).result()
        try:
            yield
        finally:
            self._maker.submit(self.cluster.start).result()

    def _begin_next(self) -> None:
        self._next = self._maker.submit(self.cluster.new_database, self._template)

    def close(self) -> None:
        """Wait for what is being made."""
        self._maker.shutdown()


def database_name(url: str) -> str:
    """Return the name of a database by its URL."""
    return urlsplit(url).path.strip("/")


def secrets_folder(url: str) -> Path:
    """Return the folder of the secrets of a database by its URL."""
    return Path(parse_qs(urlsplit(url).query)["secrets"][0])
