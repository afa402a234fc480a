"""The audit trail: chained, sealed, guarded; whatever is done to it behind its back is found."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cloud.every_request import make_every_request
from tests.cloud.lab import Lab
from tests.cloud.older_schemas import BACK_TO_0002
from tests.cloud.query_plans import Recording
from tui_licenses.cloud.administration import check, make_account
from tui_licenses.cloud.sqlite import connect_engine
from tui_licenses.cloud.store import open_store

UNGUARD = ("DROP TRIGGER event_is_never_changed", "DROP TRIGGER event_is_never_removed")
_LAST = "(SELECT max(sequence) FROM event AS other WHERE other.account_id = event.account_id)"

DAMAGE = {
    "an edit": ("UPDATE event SET actor = 'nobody' WHERE sequence = 2",),
    "an edit of the last": (f"UPDATE event SET after = NULL WHERE sequence = {_LAST}",),
    "a gap": ("DELETE FROM event WHERE sequence = 2",),
    "the beginning cut off": ("DELETE FROM event WHERE sequence = 1",),
    "the end cut off": (f"DELETE FROM event WHERE sequence = {_LAST}",),
    "everything removed": ("DELETE FROM event", "UPDATE account SET event_count = 0"),
    "two events exchanged": (
        "UPDATE event SET sequence = sequence + 100 WHERE sequence = 1",
        "UPDATE event SET sequence = 1 WHERE sequence = 2",
        "UPDATE event SET sequence = 2 WHERE sequence = 101",
    ),
    "the end cut off and counted anew": (
        f"DELETE FROM event WHERE sequence = {_LAST}",
        (
            "UPDATE account SET event_count = (SELECT count(*) FROM event"
            " WHERE event.account_id = account.id), event_head = (SELECT link FROM event"
            " WHERE event.account_id = account.id ORDER BY sequence DESC LIMIT 1)"
        ),
    ),
    "the seal taken away": ("UPDATE account SET event_seal = ''",),
    "the seal of another account": (
        (
            "UPDATE account SET event_seal = (SELECT event_seal FROM account AS other"
            " WHERE other.id <> account.id)"
        ),
    ),
}


def plant(database: Path, *statements: str) -> None:
    """Change a database behind the back of its rules."""
    connection = sqlite3.connect(database)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("statements", DAMAGE.values(), ids=DAMAGE)
def test_what_is_done_to_events_is_found(
    sqlite_database: Path, statements: tuple[str, ...]
) -> None:
    assert check(sqlite_database) == ()
    plant(sqlite_database, *UNGUARD, *statements)
    codes = {finding.code for finding in check(sqlite_database)}
    assert (
        {"audit-wrong", "audit-unguarded"}
        <= codes
        <= {
            "audit-wrong",
            "audit-unguarded",
            "counter-wrong",
        }
    )


@pytest.mark.parametrize(
    "statement", ["UPDATE event SET actor = 'nobody'", "DELETE FROM event WHERE sequence = 1"]
)
def test_the_database_refuses_to_change_events(sqlite_database: Path, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        plant(sqlite_database, statement)
    assert check(sqlite_database) == ()


async def test_every_change_continues_the_chain(lab: Lab) -> None:
    before = lab.count("event")
    await make_every_request(lab, Recording())
    assert lab.count("event") > before
    assert check(lab.database) == ()


def test_the_events_of_an_older_database_are_chained_when_it_is_opened(
    sqlite_database: Path,
) -> None:
    engine = connect_engine(sqlite_database)
    with engine.connect() as connection, connection.begin():
        for statement in BACK_TO_0002:
            connection.exec_driver_sql(statement)
    engine.dispose()
    open_store(sqlite_database).close()
    assert check(sqlite_database) == ()
    make_account(sqlite_database, "Acme", "Pro")
    assert check(sqlite_database) == ()
