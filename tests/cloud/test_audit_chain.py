"""The audit trail: chained, sealed, guarded; whatever is done to it behind its back is found."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DatabaseError

from tests.cloud.every_request import make_every_request
from tests.cloud.lab import Database, Lab, plant
from tests.cloud.older_schemas import go_back_to_0002, strip_chain, unguard
from tests.cloud.query_plans import Recording
from tui_licenses.cloud.administration import check, initialise, make_account
from tui_licenses.cloud.database import find_database
from tui_licenses.cloud.store import Engines, open_store, read_schema_version
from tui_licenses.errors import FileError, UseError

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
            " WHERE other.id <> account.id ORDER BY id LIMIT 1)"
        ),
    ),
}


@pytest.mark.parametrize("statements", DAMAGE.values(), ids=DAMAGE)
def test_what_is_done_to_events_is_found(database: Database, statements: tuple[str, ...]) -> None:
    assert check(database) == ()
    unguard(database)
    plant(database, *statements)
    codes = {finding.code for finding in check(database)}
    told = {"audit-wrong", "audit-unguarded"}
    assert told <= codes <= told | {"counter-wrong"}


@pytest.mark.parametrize(
    "statement", ["UPDATE event SET actor = 'nobody'", "DELETE FROM event WHERE sequence = 1"]
)
def test_the_database_refuses_to_change_events(database: Database, statement: str) -> None:
    store = open_store(database)
    with pytest.raises(DatabaseError, match="never changed"), store.write() as connection:
        connection.exec_driver_sql(statement)
    store.close()
    assert check(database) == ()


async def test_every_change_continues_the_chain(lab: Lab) -> None:
    before = lab.count("event")
    await make_every_request(lab, Recording())
    assert lab.count("event") > before
    assert check(lab.database) == ()


def test_the_events_of_an_older_database_are_chained_when_it_is_opened(database: Database) -> None:
    go_back_to_0002(database)
    open_store(database).close()
    assert check(database) == ()
    make_account(database, "Acme", "Pro")
    assert check(database) == ()


def _schema(database: Database) -> str | None:
    engines = Engines.of(find_database(database))
    try:
        return read_schema_version(engines.reading)
    finally:
        engines.dispose()


def test_a_check_of_an_older_database_does_not_migrate_it(database: Database) -> None:
    go_back_to_0002(database)
    with pytest.raises(UseError) as refused:
        check(database)
    assert refused.value.code == "database-not-current"
    assert "cloud init" in refused.value.next_step
    assert _schema(database) == "0002"
    assert initialise(database).migrated
    assert check(database) == ()


def test_a_trail_whose_chain_was_taken_away_is_not_sealed_again(database: Database) -> None:
    strip_chain(database)
    plant(database, "UPDATE event SET actor = 'nobody' WHERE sequence = 2")
    for opening in (check, initialise, open_store):
        with pytest.raises(FileError) as refused:
            opening(database)
        assert refused.value.code == "audit-stripped"
    assert _schema(database) == "0002"


def test_a_migration_that_cannot_seal_leaves_the_database_as_it_was(database: Database) -> None:
    go_back_to_0002(database)
    place = find_database(database).path
    pepper = place.with_name(f"{place.stem}-pepper.key")
    pepper.rename(pepper.with_suffix(".away"))
    with pytest.raises(FileError):
        open_store(database)
    assert _schema(database) == "0002"
    pepper.with_suffix(".away").rename(pepper)
    open_store(database).close()
    assert check(database) == ()
