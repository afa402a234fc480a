"""One database is seeded for all tests; each gets a copy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cloud.lab import INSTANCES, KEYS, SEEDED_FOR, Lab, copy_database, open_lab
from tui_licenses.cloud.administration import SeedReport, seed

Template = tuple[Path, SeedReport]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Seed the database that every test copies."""
    database = tmp_path_factory.mktemp("template") / "cloud.db"
    report = seed(database, instances=INSTANCES, keys=KEYS, random_seed=7, now=SEEDED_FOR)
    return database, report


@pytest.fixture
def database(template: Template, tmp_path: Path) -> Path:
    """Give a test a seeded database of its own."""
    return copy_database(template[0], tmp_path)


@pytest.fixture
async def lab(template: Template, database: Path) -> AsyncIterator[Lab]:
    """Give a test a running cloud of its own."""
    opened = open_lab(database, template[1])
    async with opened.client:
        yield opened
    opened.store.close()
