"""Domain values for tests: complete ones, of which a test names only what it is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tui_licenses.domain.account import Account, LicensesTab, Role, User
from tui_licenses.domain.instance import Instance, InstanceState, Location
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import Feature, KeyKind, KeyState, LicenseKey

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

_USER = User(
    "00000000-0000-4000-8000-000000000001",
    "anna@example.com",
    "Anna Example",
    Role.ADMINISTRATOR,
    Account("account-1", "Example", "Enterprise", None, None, LicensesTab(True, None, None)),
)
_INSTANCE = Instance(
    id="11111111-1111-4111-8111-111111111111",
    name="Berlin",
    location=Location("DE", "Rack 4"),
    core_version="4.2.0",
    state=InstanceState.LICENSED,
    hostname="berlin.example.com",
    fingerprint="ab" * 32,
    profile_revision=1,
    master_key_id="22222222-2222-4222-8222-222222222222",
    key_count=1,
    add_on_count=0,
    activated_at=NOW,
    created_at=NOW,
    updated_at=NOW,
    revision=3,
)
_KEY = LicenseKey(
    id="22222222-2222-4222-8222-222222222222",
    key="ABCDEFGH12345678",
    kind=KeyKind.MASTER,
    product_code="core",
    product_name="Core",
    features=(Feature("core", "Core", None),),
    state=KeyState.ACTIVE,
    instance_id=_INSTANCE.id,
    instance_name=_INSTANCE.name,
    master_key_id=None,
    order_reference=None,
    issued_at=NOW,
    starts_at=None,
    activated_at=NOW,
    expires_at=None,
    terminates_at=None,
    updated_at=NOW,
    revision=1,
)


def make_user(**changes: Any) -> User:  # noqa: ANN401 - any member of the value
    """Return a user with these members."""
    return replace(_USER, **changes)


def make_instance(**changes: Any) -> Instance:  # noqa: ANN401
    """Return an instance with these members."""
    return replace(_INSTANCE, **changes)


def make_key(**changes: Any) -> LicenseKey:  # noqa: ANN401
    """Return a license key with these members."""
    return replace(_KEY, **changes)


def with_other(
    inventory: Inventory,
    *,
    instances: Iterable[Instance] | None = None,
    keys: Iterable[LicenseKey] | None = None,
) -> Inventory:
    """Return an inventory with other instances or keys, in their default order."""
    return Inventory.of(
        inventory.user,
        inventory.instances if instances is None else instances,
        inventory.keys if keys is None else keys,
        inventory.fetched_at,
        inventory.cursor,
    )
