"""Seeded clouds of each kind, copied for each case of a restore."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from tests.cloud.lab import Database, copy_database
from tests.cloud.server_databases import ServerDatabases
from tests.support.backed_up import Scene
from tests.support.postgresql import NoPostgresqlError, running_cluster
from tui_licenses.cloud.administration import seed

Copied = Callable[[], AbstractContextManager[Database]]


@dataclass(frozen=True)
class Clouds:
    """A seeded cloud of one kind, to be copied: as a database, or backed up in a scene."""

    kind: str
    folder: Path
    copied: Copied
    empty: Callable[[], Database]

    @contextmanager
    def scene(self) -> Iterator[Scene]:
        """Give a copy that is backed up."""
        with self.copied() as database:
            yield Scene.make(database, Path(mkdtemp(dir=self.folder)))


def clouds_of_each_kind(folder: Path) -> Iterator[Clouds]:
    """Give clouds in files, then those on a server, where there are its programs."""
    template = folder / "template" / "cloud.db"
    _seed(template)

    def new_folder() -> Path:
        return Path(mkdtemp(dir=folder))

    @contextmanager
    def copied() -> Iterator[Database]:
        yield copy_database(template, new_folder())

    yield Clouds("SQLite", folder, copied, lambda: new_folder() / "cloud.db")
    try:
        with running_cluster() as cluster:
            databases = ServerDatabases(cluster, new_folder())
            seeded = databases.empty()
            _seed(seeded)
            databases.copy_from(seeded)
            yield Clouds("PostgreSQL", folder, databases.copied, databases.empty)
            databases.close()
    except NoPostgresqlError as error:
        print(f"Only SQLite was tried: {error}", file=sys.stderr)


def _seed(database: Database) -> None:
    seed(database, instances=8, keys=40, random_seed=11)
