"""No statement of the cloud reads a large table from end to end."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.cloud.conftest import Template
from tests.cloud.every_request import ASKED_FOR, make_every_request
from tests.cloud.lab import copy_database, open_lab
from tests.cloud.query_plans import (
    MILLION,
    Recording,
    explain,
    faults,
    plant_statistics,
    recording,
)
from tui_licenses.cloud import tables

_INDEXES = sorted(
    str(index.name)
    for table in tables.metadata.sorted_tables
    for index in table.indexes
    if not index.unique
)
# Without it master keys are found by walking past their add-ons: slower, and no scan.
_UNSEEN = frozenset({"license_key_by_kind"})
Recorded = tuple[Path, Recording]


@pytest.fixture(scope="module")
def recorded(sqlite_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Make every request once, and give its statements and a database to plan them for."""
    database = copy_database(Path(sqlite_template[0]), tmp_path_factory.mktemp("plans"))
    lab = open_lab(database, sqlite_template[1])

    async def make() -> None:
        async with lab.client:
            await make_every_request(lab, found)

    with recording() as found:
        asyncio.run(make())
    lab.store.close()
    return database, found


def _faults(database: Path, found: Recording) -> list[str]:
    connection = sqlite3.connect(database)
    judged = []
    for statement, (request, parameters) in found.statements.items():
        plan = explain(connection, statement, parameters)
        found_here = faults(statement, plan, ASKED_FOR.get(request))
        judged += [f"{request}: {step}: {statement}" for step in found_here]
    connection.close()
    return judged


@pytest.mark.parametrize("statistics", [MILLION, {}], ids=["a million keys", "never analysed"])
def test_no_request_reads_a_large_table_from_end_to_end(
    recorded: Recorded, statistics: dict[tuple[str, str], str]
) -> None:
    database, found = recorded
    plant_statistics(database, statistics)
    assert _faults(database, found) == []


def test_the_statistics_name_indexes_that_exist(recorded: Recorded) -> None:
    connection = sqlite3.connect(recorded[0])
    rows = connection.execute("SELECT tbl_name, name FROM sqlite_schema WHERE type = 'index'")
    existing = {(str(table), str(name)) for table, name in rows}
    connection.close()
    known = {pair for pair in existing if pair[0] not in {"alembic_version", "cloud_setting"}}
    assert set(MILLION) == known


def test_every_index_serves_a_request(recorded: Recorded) -> None:
    database, found = recorded
    plant_statistics(database, MILLION)
    connection = sqlite3.connect(database)
    steps = "\n".join(
        step.text
        for statement, (_, parameters) in found.statements.items()
        for step in explain(connection, statement, parameters)
    )
    connection.close()
    assert [name for name in _INDEXES if f" {name} " not in steps] == []


@pytest.mark.parametrize("index", [name for name in _INDEXES if name not in _UNSEEN])
def test_without_an_index_a_request_is_found_out(
    recorded: Recorded, tmp_path: Path, index: str
) -> None:
    database, found = recorded
    poorer = tmp_path / "cloud.db"
    poorer.write_bytes(database.read_bytes())
    plant_statistics(poorer, MILLION)
    connection = sqlite3.connect(poorer)
    connection.execute(f"DROP INDEX {index}")
    connection.close()
    assert _faults(poorer, found) != []
