"""The tables of the license cloud, the same on SQLite and PostgreSQL.

Instants are whole microseconds since 1970 in UTC. `sequence` is the number an account gave to
the latest change of a row; what a client copies follows it (docs/protocol.md, `changes`).
`position` is the place of a key in the default order, spelled out so that one index serves it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

metadata = MetaData()

# Lists are read in the order of these columns: bytes, not the rules of a language.
OrderedText: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")


class Identifier(TypeDecorator[str]):
    """An id of ours, or of what a caller asks for and we may not have."""

    impl = OrderedText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Ask for a text with a NUL, which PostgreSQL refuses, as for one that no row has."""
        del dialect
        return None if value is None else value.replace("\0", "\ufffd")

    @property
    def python_type(self) -> type[str]:
        """Return the type of its values, which the type it is made of does not pass on."""
        return str


# STRICT tables of SQLite know INTEGER only, which holds 64 bits there.
LongInteger: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Column[str]:
    return Column("id", Identifier, primary_key=True)


def _account() -> Column[str]:
    return Column("account_id", Identifier, ForeignKey("account.id"), nullable=False)


cloud_setting = Table(
    "cloud_setting",
    metadata,
    Column("name", OrderedText, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_strict=True,
)

account = Table(
    "account",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("plan_starts_at", LongInteger),
    Column("plan_ends_at", LongInteger),
    Column("support_contact", Text),
    Column("created_at", LongInteger, nullable=False),
    Column("sequence", LongInteger, nullable=False),
    Column("event_count", LongInteger, nullable=False),
    # The digest of the last event, and the MAC that vouches for it (audit_chain).
    Column("event_head", Text, nullable=False, server_default=""),
    Column("event_seal", Text, nullable=False, server_default=""),
    Column("instance_count", Integer, nullable=False),
    Column("key_count", Integer, nullable=False),
    Column("add_on_count", Integer, nullable=False),
    sqlite_strict=True,
)

subject = Table(
    "subject",
    metadata,
    _id(),
    _account(),
    Column("display_name", Text, nullable=False),
    Column("email", Text),
    Column("role", Text, nullable=False),
    Column("refresh_salt", LargeBinary, nullable=False),
    Column("refresh_hash", LargeBinary, nullable=False),
    Column("created_at", LongInteger, nullable=False),
    Column("revoked_at", LongInteger),
    CheckConstraint("role IN ('reader', 'operator', 'administrator')", name="subject_role"),
    Index("subject_by_account", "account_id", "created_at", "id"),
    sqlite_strict=True,
)

access_token = Table(
    "access_token",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("subject_id", Identifier, ForeignKey("subject.id"), nullable=False, index=True),
    Column("created_at", LongInteger, nullable=False),
    Column("expires_at", LongInteger, nullable=False, index=True),
    sqlite_strict=True,
)

product = Table(
    "product",
    metadata,
    Column("code", OrderedText, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("features", Text, nullable=False),
    CheckConstraint("kind IN ('master', 'addOn')", name="product_kind"),
    sqlite_strict=True,
)

product_word = Table(
    "product_word",
    metadata,
    Column("word", OrderedText, primary_key=True),
    Column("product_code", OrderedText, ForeignKey("product.code"), primary_key=True),
    sqlite_strict=True,
)

instance = Table(
    "instance",
    metadata,
    _id(),
    _account(),
    Column("name", Text, nullable=False),
    Column("name_order", OrderedText, nullable=False),
    Column("country_code", OrderedText, nullable=False),
    Column("location_label", Text),
    Column("core_version", Text),
    Column("state", Text, nullable=False),
    Column("hostname", Text),
    Column("fingerprint", Text),
    Column("profile_revision", Integer, nullable=False),
    # No foreign key: the key refers to its instance already, and a circle cannot be filled.
    Column("master_key_id", OrderedText),
    Column("key_count", Integer, nullable=False),
    Column("add_on_count", Integer, nullable=False),
    Column("activated_at", LongInteger),
    Column("created_at", LongInteger, nullable=False),
    Column("updated_at", LongInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sequence", LongInteger, nullable=False),
    CheckConstraint(
        "state IN ('pending', 'licensed', 'unlicensed', 'retired')", name="instance_state"
    ),
    Index("instance_by_name", "account_id", "name_order", "id"),
    Index("instance_by_state", "account_id", "state", "name_order", "id"),
    Index("instance_by_sequence", "account_id", "sequence"),
    Index("instance_by_update", "account_id", "updated_at", "id"),
    sqlite_strict=True,
)

instance_word = Table(
    "instance_word",
    metadata,
    Column("account_id", Identifier, ForeignKey("account.id"), primary_key=True),
    Column("word", OrderedText, primary_key=True),
    Column("instance_id", Identifier, ForeignKey("instance.id"), primary_key=True, index=True),
    sqlite_strict=True,
)

activation = Table(
    "activation",
    metadata,
    _id(),
    _account(),
    Column("instance_id", Identifier, ForeignKey("instance.id"), nullable=False),
    Column("created_at", LongInteger, nullable=False),
    sqlite_strict=True,
)

_CURRENT_MASTER = text("kind = 'master' AND state IN ('active', 'suspended')")
_HAS_START = text("starts_at IS NOT NULL")

license_key = Table(
    "license_key",
    metadata,
    _id(),
    _account(),
    Column("key", OrderedText, nullable=False, unique=True),
    Column("last_four", OrderedText, nullable=False),
    Column("kind", Text, nullable=False),
    Column("product_code", OrderedText, ForeignKey("product.code"), nullable=False),
    Column("features", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("instance_id", Identifier, ForeignKey("instance.id")),
    Column("activation_id", OrderedText, ForeignKey("activation.id")),
    Column("order_reference", Text),
    Column("issued_at", LongInteger, nullable=False),
    Column("starts_at", LongInteger),
    Column("activated_at", LongInteger),
    Column("expires_at", LongInteger),
    # `expires_at`, or a number beyond all dates: a list sorted by expiry ends with the perpetual.
    Column("expiry_order", LongInteger, nullable=False),
    Column("terminates_at", LongInteger),
    Column("updated_at", LongInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sequence", LongInteger, nullable=False),
    Column("position", OrderedText, nullable=False),
    # `state`, but `suspended` for the active add-ons of a suspended or revoked master.
    Column("shown_state", Text, nullable=False, server_default="unassigned"),
    CheckConstraint("kind IN ('master', 'addOn')", name="license_key_kind"),
    CheckConstraint(
        "state IN ('unassigned', 'active', 'suspended', 'revoked', 'superseded')",
        name="license_key_state",
    ),
    CheckConstraint(
        "state <> 'active' OR (instance_id IS NOT NULL AND activated_at IS NOT NULL)",
        name="license_key_active_has_instance",
    ),
    CheckConstraint(
        "state <> 'unassigned' OR instance_id IS NULL", name="license_key_unassigned_is_free"
    ),
    Index("license_key_by_position", "account_id", "position"),
    Index("license_key_by_kind", "account_id", "kind", "position"),
    Index("license_key_by_shown_state", "account_id", "shown_state", "expiry_order", "id"),
    Index("license_key_by_sequence", "account_id", "sequence"),
    Index("license_key_by_expiry", "account_id", "expiry_order", "id"),
    Index("license_key_by_update", "account_id", "updated_at", "id"),
    Index("license_key_by_last_four", "account_id", "last_four"),
    # The account and the product too: keys found by the name of their instance are counted in it.
    Index("license_key_by_instance", "instance_id", "account_id", "product_code"),
    Index(
        "license_key_by_start",
        "account_id",
        "starts_at",
        sqlite_where=_HAS_START,
        postgresql_where=_HAS_START,
    ),
    Index(
        "license_key_current_master",
        "instance_id",
        unique=True,
        sqlite_where=_CURRENT_MASTER,
        postgresql_where=_CURRENT_MASTER,
    ),
    sqlite_strict=True,
)

# How many keys of an account, product and shown state expire in which week (operations/tallies).
key_tally = Table(
    "key_tally",
    metadata,
    Column("account_id", Identifier, ForeignKey("account.id"), primary_key=True),
    Column("shown_state", OrderedText, primary_key=True),
    Column("expiry_week", LongInteger, primary_key=True),
    Column("product_code", OrderedText, ForeignKey("product.code"), primary_key=True),
    Column("key_count", Integer, nullable=False),
    sqlite_strict=True,
)

profile = Table(
    "profile",
    metadata,
    Column("instance_id", Identifier, ForeignKey("instance.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("hostname", Text),
    Column("fingerprint", Text),
    Column("uploaded_at", LongInteger, nullable=False),
    sqlite_strict=True,
)

license_file = Table(
    "license_file",
    metadata,
    Column("instance_id", Identifier, ForeignKey("instance.id"), primary_key=True),
    Column("serial", Integer, nullable=False),
    Column("issued", LongInteger, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", Integer, nullable=False),
    sqlite_strict=True,
)

event = Table(
    "event",
    metadata,
    Column("account_id", Identifier, ForeignKey("account.id"), primary_key=True),
    Column("sequence", LongInteger, primary_key=True),
    Column("at", LongInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("target_id", Identifier, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("request_id", Text),
    # The digest of this event and the one before it (audit_chain).
    Column("link", Text, nullable=False, server_default=""),
    Index("event_by_target", "account_id", "target_id", "sequence"),
    sqlite_strict=True,
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("account_id", Identifier, ForeignKey("account.id"), primary_key=True),
    Column("idempotency_key", OrderedText, primary_key=True),
    Column("request_hash", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", LongInteger, nullable=False, index=True),
    sqlite_strict=True,
)
