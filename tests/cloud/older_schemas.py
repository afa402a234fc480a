"""The way back to older schemas, for tests of the migrations."""

from __future__ import annotations

# What the first schema had and has not: the way back from 0002.
BACK_TO_0001 = (
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

# What the schema 0002 had not.
BACK_TO_0002 = (
    "DROP TRIGGER event_is_never_changed",
    "DROP TRIGGER event_is_never_removed",
    "ALTER TABLE event DROP COLUMN link",
    "ALTER TABLE account DROP COLUMN event_head",
    "ALTER TABLE account DROP COLUMN event_seal",
    "UPDATE alembic_version SET version_num = '0002'",
)
