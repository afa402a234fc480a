"""One database of each kind is seeded for all tests; each test gets a copy, once for each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cloud.lab import (
    INSTANCES,
    KEYS,
    SEEDED_FOR,
    Database,
    Lab,
    copy_database,
    open_lab,
)
from tests.cloud.server_databases import ServerDatabases
from tests.support.postgresql import NoPostgresqlError, running_cluster
from tui_licenses.cloud.administration import SeedReport, seed

KINDS = ("sqlite", "postgresql")

Template = tuple[Database, SeedReport]


def _seed(database: Database) -> Template:
    report = seed(database, instances=INSTANCES, keys=KEYS, random_seed=7, now=SEEDED_FOR)
    return database, report


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Seed the file that every test on SQLite copies."""
    return _seed(tmp_path_factory.mktemp("template") / "cloud.db")


@pytest.fixture(scope="session")
def server_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerDatabases]:
    """Run a PostgreSQL server for the tests of this process."""
    try:
        with running_cluster() as cluster:
            databases = ServerDatabases(cluster, tmp_path_factory.mktemp("secrets"))
            yield databases
            databases.close()
    except NoPostgresqlError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def postgresql_template(server_databases: ServerDatabases) -> Template:
    """Seed the database that every test on PostgreSQL copies."""
    seeded = _seed(server_databases.empty())
    server_databases.copy_from(str(seeded[0]))
    return seeded


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Run a test once for each kind of database."""
    return str(request.param)


@pytest.fixture
def template(database_kind: str, request: pytest.FixtureRequest) -> Template:
    """Give the seeded database of one kind, and what its seed told."""
    seeded: Template = request.getfixturevalue(f"{database_kind}_template")
    return seeded


@pytest.fixture
def sqlite_database(sqlite_template: Template, tmp_path: Path) -> Path:
    """Give a test a seeded file of its own."""
    return copy_database(Path(sqlite_template[0]), tmp_path)


@pytest.fixture
def postgresql_database(
    postgresql_template: Template, server_databases: ServerDatabases
) -> Iterator[str]:
    """Give a test a seeded database of its own on a server."""
    with server_databases.copied() as database:
        yield database


@pytest.fixture
def database(database_kind: str, request: pytest.FixtureRequest) -> Database:
    """Give a test a seeded database of its own."""
    own: Database = request.getfixturevalue(f"{database_kind}_database")
    return own


@pytest.fixture
def empty_database(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Give a test a place for a database where none was made yet."""
    if database_kind == "sqlite":
        return tmp_path / "cloud.db"
    databases: ServerDatabases = request.getfixturevalue("server_databases")
    return databases.empty()


@pytest.fixture
async def lab(template: Template, database: Database) -> AsyncIterator[Lab]:
    """Give a test a running cloud of its own."""
    opened = open_lab(database, template[1])
    async with opened.client:
        yield opened
    opened.store.close()
