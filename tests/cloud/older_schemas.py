"""The way back to older schemas, for tests of the migrations."""

from __future__ import annotations

from tests.cloud.lab import Database, plant
from tui_licenses.cloud.database import find_database
from tui_licenses.cloud.sealed_trail import mark_path

# What the first schema had and has not: the way back from 0002.
_BACK_TO_0001 = (
    "DROP TABLE key_tally",
    "DROP INDEX license_key_by_shown_state",
    "DROP INDEX license_key_by_start",
    "DROP INDEX license_key_by_instance",
    "DROP INDEX instance_by_state",
    "DROP INDEX subject_by_account",
    "ALTER TABLE license_key DROP COLUMN shown_state",
    "CREATE INDEX license_key_by_state ON license_key (account_id, state, position)",
    "CREATE INDEX license_key_by_instance ON license_key (instance_id)",
    """CREATE INDEX license_key_blocked_master ON license_key (instance_id)
    WHERE kind = 'master' AND state IN ('suspended', 'revoked')""",
    "UPDATE alembic_version SET version_num = '0001'",
)

# What the schema 0002 had not, but for its guards.
BACK_TO_0002 = (
    "ALTER TABLE event DROP COLUMN link",
    "ALTER TABLE account DROP COLUMN event_head",
    "ALTER TABLE account DROP COLUMN event_seal",
    "UPDATE alembic_version SET version_num = '0002'",
)

_UNGUARD = ("DROP TRIGGER event_is_never_changed", "DROP TRIGGER event_is_never_removed")


def unguard(database: Database) -> None:
    """Take away what refuses to change the audit trail."""
    if find_database(database).is_file:
        plant(database, *_UNGUARD)
    else:
        plant(database, *(f"{statement} ON event" for statement in _UNGUARD))


def strip_chain(database: Database) -> None:
    """Take the chain away as whoever can write the database, and no more, can."""
    unguard(database)
    if not find_database(database).is_file:
        plant(database, "DROP FUNCTION refuse_event_change")
    plant(database, *BACK_TO_0002)


def go_back_to_0002(database: Database) -> None:
    """Make a database one of the schema before the events were chained."""
    strip_chain(database)
    mark_path(find_database(database).path).unlink(missing_ok=True)


def go_back_to_0001(database: Database) -> None:
    """Make a database one of the first schema."""
    go_back_to_0002(database)
    plant(database, *_BACK_TO_0001)
