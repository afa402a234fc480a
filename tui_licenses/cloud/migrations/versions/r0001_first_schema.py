"""The first schema."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ORDERED_TEXT: TypeEngine[str] = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_LONG_INTEGER: TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CURRENT_MASTER = sa.text("kind = 'master' AND state IN ('active', 'suspended')")
_BLOCKED_MASTER = sa.text("kind = 'master' AND state IN ('suspended', 'revoked')")


def _create_account() -> None:
    op.create_table(
        "account",
        sa.Column("id", _ORDERED_TEXT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("plan_starts_at", _LONG_INTEGER, nullable=True),
        sa.Column("plan_ends_at", _LONG_INTEGER, nullable=True),
        sa.Column("support_contact", sa.Text(), nullable=True),
        sa.Column("created_at", _LONG_INTEGER, nullable=False),
        sa.Column("sequence", _LONG_INTEGER, nullable=False),
        sa.Column("event_count", _LONG_INTEGER, nullable=False),
        sa.Column("instance_count", sa.Integer(), nullable=False),
        sa.Column("key_count", sa.Integer(), nullable=False),
        sa.Column("add_on_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )


def _create_cloud_setting() -> None:
    op.create_table(
        "cloud_setting",
        sa.Column("name", _ORDERED_TEXT, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_strict=True,
    )


def _create_product() -> None:
    op.create_table(
        "product",
        sa.Column("code", _ORDERED_TEXT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('master', 'addOn')", name="product_kind"),
        sa.PrimaryKeyConstraint("code"),
        sqlite_strict=True,
    )


def _create_event() -> None:
    op.create_table(
        "event",
        sa.Column("account_id", _ORDERED_TEXT, nullable=False),
        sa.Column("sequence", _LONG_INTEGER, nullable=False),
        sa.Column("at", _LONG_INTEGER, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target_kind", sa.Text(), nullable=False),
        sa.Column("target_id", _ORDERED_TEXT, nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("account_id", "sequence"),
        sqlite_strict=True,
    )
    op.create_index(
        "event_by_target", "event", ["account_id", "target_id", "sequence"], unique=False
    )


def _create_idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("account_id", _ORDERED_TEXT, nullable=False),
        sa.Column("idempotency_key", _ORDERED_TEXT, nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _LONG_INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("account_id", "idempotency_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"], unique=False)


def _create_instance() -> None:
    op.create_table(
        "instance",
        sa.Column("id", _ORDERED_TEXT, nullable=False),
        sa.Column("account_id", _ORDERED_TEXT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_order", _ORDERED_TEXT, nullable=False),
        sa.Column("country_code", _ORDERED_TEXT, nullable=False),
        sa.Column("location_label", sa.Text(), nullable=True),
        sa.Column("core_version", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hostname", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("profile_revision", sa.Integer(), nullable=False),
        sa.Column("master_key_id", _ORDERED_TEXT, nullable=True),
        sa.Column("key_count", sa.Integer(), nullable=False),
        sa.Column("add_on_count", sa.Integer(), nullable=False),
        sa.Column("activated_at", _LONG_INTEGER, nullable=True),
        sa.Column("created_at", _LONG_INTEGER, nullable=False),
        sa.Column("updated_at", _LONG_INTEGER, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sequence", _LONG_INTEGER, nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'licensed', 'unlicensed', 'retired')", name="instance_state"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index(
        "instance_by_name", "instance", ["account_id", "name_order", "id"], unique=False
    )
    op.create_index("instance_by_sequence", "instance", ["account_id", "sequence"], unique=False)
    op.create_index(
        "instance_by_update", "instance", ["account_id", "updated_at", "id"], unique=False
    )


def _create_product_word() -> None:
    op.create_table(
        "product_word",
        sa.Column("word", _ORDERED_TEXT, nullable=False),
        sa.Column("product_code", _ORDERED_TEXT, nullable=False),
        sa.ForeignKeyConstraint(["product_code"], ["product.code"]),
        sa.PrimaryKeyConstraint("word", "product_code"),
        sqlite_strict=True,
    )


def _create_subject() -> None:
    op.create_table(
        "subject",
        sa.Column("id", _ORDERED_TEXT, nullable=False),
        sa.Column("account_id", _ORDERED_TEXT, nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("refresh_salt", sa.LargeBinary(), nullable=False),
        sa.Column("refresh_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _LONG_INTEGER, nullable=False),
        sa.Column("revoked_at", _LONG_INTEGER, nullable=True),
        sa.CheckConstraint("role IN ('reader', 'operator', 'administrator')", name="subject_role"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )


def _create_access_token() -> None:
    op.create_table(
        "access_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("subject_id", _ORDERED_TEXT, nullable=False),
        sa.Column("created_at", _LONG_INTEGER, nullable=False),
        sa.Column("expires_at", _LONG_INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"]),
        sa.PrimaryKeyConstraint("token_hash"),
        sqlite_strict=True,
    )
    op.create_index("ix_access_token_expires_at", "access_token", ["expires_at"], unique=False)
    op.create_index("ix_access_token_subject_id", "access_token", ["subject_id"], unique=False)


def _create_activation() -> None:
    op.create_table(
        "activation",
        sa.Column("id", _ORDERED_TEXT, nullable=False),
        sa.Column("account_id", _ORDERED_TEXT, nullable=False),
        sa.Column("instance_id", _ORDERED_TEXT, nullable=False),
        sa.Column("created_at", _LONG_INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )


def _create_instance_word() -> None:
    op.create_table(
        "instance_word",
        sa.Column("account_id", _ORDERED_TEXT, nullable=False),
        sa.Column("word", _ORDERED_TEXT, nullable=False),
        sa.Column("instance_id", _ORDERED_TEXT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"]),
        sa.PrimaryKeyConstraint("account_id", "word", "instance_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_instance_word_instance_id", "instance_word", ["instance_id"], unique=False)


def _create_license_file() -> None:
    op.create_table(
        "license_file",
        sa.Column("instance_id", _ORDERED_TEXT, nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("issued", _LONG_INTEGER, nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"]),
        sa.PrimaryKeyConstraint("instance_id"),
        sqlite_strict=True,
    )


def _create_profile() -> None:
    op.create_table(
        "profile",
        sa.Column("instance_id", _ORDERED_TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("hostname", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("uploaded_at", _LONG_INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"]),
        sa.PrimaryKeyConstraint("instance_id", "revision"),
        sqlite_strict=True,
    )


def _license_key_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", _ORDERED_TEXT, nullable=False),
        sa.Column("account_id", _ORDERED_TEXT, nullable=False),
        sa.Column("key", _ORDERED_TEXT, nullable=False),
        sa.Column("last_four", _ORDERED_TEXT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("product_code", _ORDERED_TEXT, nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("instance_id", _ORDERED_TEXT, nullable=True),
        sa.Column("activation_id", _ORDERED_TEXT, nullable=True),
        sa.Column("order_reference", sa.Text(), nullable=True),
        sa.Column("issued_at", _LONG_INTEGER, nullable=False),
        sa.Column("starts_at", _LONG_INTEGER, nullable=True),
        sa.Column("activated_at", _LONG_INTEGER, nullable=True),
        sa.Column("expires_at", _LONG_INTEGER, nullable=True),
        sa.Column("expiry_order", _LONG_INTEGER, nullable=False),
        sa.Column("terminates_at", _LONG_INTEGER, nullable=True),
        sa.Column("updated_at", _LONG_INTEGER, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sequence", _LONG_INTEGER, nullable=False),
        sa.Column("position", _ORDERED_TEXT, nullable=False),
    ]


def _create_license_key() -> None:
    op.create_table(
        "license_key",
        *_license_key_columns(),
        sa.CheckConstraint("kind IN ('master', 'addOn')", name="license_key_kind"),
        sa.CheckConstraint(
            "state <> 'active' OR (instance_id IS NOT NULL AND activated_at IS NOT NULL)",
            name="license_key_active_has_instance",
        ),
        sa.CheckConstraint(
            "state <> 'unassigned' OR instance_id IS NULL", name="license_key_unassigned_is_free"
        ),
        sa.CheckConstraint(
            "state IN ('unassigned', 'active', 'suspended', 'revoked', 'superseded')",
            name="license_key_state",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["activation_id"], ["activation.id"]),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"]),
        sa.ForeignKeyConstraint(["product_code"], ["product.code"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sqlite_strict=True,
    )


def _index_license_key() -> None:
    op.create_index(
        "license_key_blocked_master",
        "license_key",
        ["instance_id"],
        unique=False,
        sqlite_where=_BLOCKED_MASTER,
        postgresql_where=_BLOCKED_MASTER,
    )
    op.create_index(
        "license_key_by_expiry", "license_key", ["account_id", "expiry_order", "id"], unique=False
    )
    op.create_index("license_key_by_instance", "license_key", ["instance_id"], unique=False)
    op.create_index(
        "license_key_by_kind", "license_key", ["account_id", "kind", "position"], unique=False
    )
    op.create_index(
        "license_key_by_last_four", "license_key", ["account_id", "last_four"], unique=False
    )
    op.create_index(
        "license_key_by_position", "license_key", ["account_id", "position"], unique=False
    )
    op.create_index(
        "license_key_by_sequence", "license_key", ["account_id", "sequence"], unique=False
    )
    op.create_index(
        "license_key_by_state", "license_key", ["account_id", "state", "position"], unique=False
    )
    op.create_index(
        "license_key_by_update", "license_key", ["account_id", "updated_at", "id"], unique=False
    )
    op.create_index(
        "license_key_current_master",
        "license_key",
        ["instance_id"],
        unique=True,
        sqlite_where=_CURRENT_MASTER,
        postgresql_where=_CURRENT_MASTER,
    )


def upgrade() -> None:
    """Create every table."""
    _create_account()
    _create_cloud_setting()
    _create_product()
    _create_event()
    _create_idempotency()
    _create_instance()
    _create_product_word()
    _create_subject()
    _create_access_token()
    _create_activation()
    _create_instance_word()
    _create_license_file()
    _create_profile()
    _create_license_key()
    _index_license_key()
