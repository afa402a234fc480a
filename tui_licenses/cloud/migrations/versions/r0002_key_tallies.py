"""Keys counted as readers see them, so that a filtered list is counted without reading it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ORDERED_TEXT: TypeEngine[str] = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_LONG_INTEGER: TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HAS_START = sa.text("starts_at IS NOT NULL")


def _create_key_tally() -> None:
    op.create_table(
        "key_tally",
        sa.Column("account_id", _ORDERED_TEXT, nullable=False),
        sa.Column("shown_state", _ORDERED_TEXT, nullable=False),
        sa.Column("expiry_week", _LONG_INTEGER, nullable=False),
        sa.Column("product_code", _ORDERED_TEXT, nullable=False),
        sa.Column("key_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["product_code"], ["product.code"]),
        sa.PrimaryKeyConstraint("account_id", "shown_state", "expiry_week", "product_code"),
        sqlite_strict=True,
    )


def _fill() -> None:
    op.execute("UPDATE license_key SET shown_state = state WHERE state <> shown_state")
    op.execute(
        "UPDATE license_key SET shown_state = 'suspended' WHERE state = 'active'"
        " AND kind = 'addOn' AND instance_id IN (SELECT instance.id FROM instance"
        " JOIN license_key AS master ON master.id = instance.master_key_id"
        " WHERE master.state IN ('suspended', 'revoked'))"
    )
    # Microseconds by the week, as `operations.tallies.WEEK` counts them.
    op.execute(
        "INSERT INTO key_tally (account_id, shown_state, expiry_week, product_code, key_count)"
        " SELECT account_id, shown_state, expiry_order / 604800000000, product_code, count(*)"
        " FROM license_key GROUP BY 1, 2, 3, 4"
    )


def _index() -> None:
    op.drop_index("license_key_by_state", "license_key")
    op.drop_index("license_key_blocked_master", "license_key")
    op.drop_index("license_key_by_instance", "license_key")
    op.create_index(
        "license_key_by_shown_state",
        "license_key",
        ["account_id", "shown_state", "expiry_order", "id"],
        unique=False,
    )
    op.create_index(
        "license_key_by_instance",
        "license_key",
        ["instance_id", "account_id", "product_code"],
        unique=False,
    )
    op.create_index(
        "license_key_by_start",
        "license_key",
        ["account_id", "starts_at"],
        unique=False,
        sqlite_where=_HAS_START,
        postgresql_where=_HAS_START,
    )
    op.create_index(
        "instance_by_state",
        "instance",
        ["account_id", "state", "name_order", "id"],
        unique=False,
    )
    op.create_index(
        "subject_by_account", "subject", ["account_id", "created_at", "id"], unique=False
    )


def upgrade() -> None:
    """Add shown states, tallies and the indexes that serve them; fill them from what is stored."""
    op.add_column(
        "license_key",
        sa.Column("shown_state", sa.Text(), nullable=False, server_default="unassigned"),
    )
    _create_key_tally()
    _fill()
    _index()
    if op.get_bind().dialect.name == "sqlite":
        # What ANALYZE found while a database was small misleads it when it has grown.
        op.execute("DROP TABLE IF EXISTS sqlite_stat1")
