"""License keys: their sixteen characters, kinds, states and features."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tui_licenses.errors import KeyFormatError

KEY_LENGTH = 16
GROUP_LENGTH = 4
_KEY_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_SEPARATORS = frozenset(" -\t\u00a0\u2010\u2011\u2012\u2013\u2014\u2212_.")


class KeyKind(StrEnum):
    """A master licenses an instance; add-ons extend it."""

    MASTER = "master"
    ADD_ON = "addOn"


class KeyState(StrEnum):
    """The stored state of a key (docs/protocol.md, States)."""

    UNASSIGNED = "unassigned"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature a key includes; `quantity` counts licenses (CALs) where the feature has any."""

    code: str
    name: str
    quantity: int | None


@dataclass(frozen=True, slots=True)
class LicenseKey:
    """A license key as its account sees it; `key` holds 16 characters without separators.

    After `expires_at` the key warns, after `terminates_at` it stops. No expiry means perpetual.
    """

    id: str
    key: str
    kind: KeyKind
    product_code: str
    product_name: str
    features: tuple[Feature, ...]
    state: KeyState
    instance_id: str | None
    instance_name: str | None
    master_key_id: str | None
    order_reference: str | None
    issued_at: datetime
    starts_at: datetime | None
    activated_at: datetime | None
    expires_at: datetime | None
    terminates_at: datetime | None
    updated_at: datetime
    revision: int

    @property
    def is_master(self) -> bool:
        """Say whether this key licenses an instance by itself."""
        return self.kind is KeyKind.MASTER


def normalise_key(text: str) -> str:
    """Return the canonical 16 characters of a typed key.

    Lower case, spaces and hyphens are accepted. Raises `KeyFormatError` otherwise;
    the error never repeats the key.
    """
    canonical = "".join(c for c in text if c not in _SEPARATORS).upper()
    if len(canonical) != KEY_LENGTH:
        raise KeyFormatError(
            "key-format",
            f"A license key has {KEY_LENGTH} characters; this one has {len(canonical)}.",
            "Check the key against the order confirmation and type it again.",
        )
    if not set(canonical) <= _KEY_CHARACTERS:
        raise KeyFormatError(
            "key-format",
            "A license key holds only the letters A to Z and the digits 0 to 9.",
            "Check the key against the order confirmation and type it again.",
        )
    return canonical


def group_key(key: str) -> str:
    """Return a key in groups of four: `ABCD-EFGH-IJKL-MNOP`."""
    return "-".join(key[i : i + GROUP_LENGTH] for i in range(0, len(key), GROUP_LENGTH))


def mask_key(key: str) -> str:
    """Return a key with only its last four characters readable."""
    return group_key("•" * (KEY_LENGTH - GROUP_LENGTH) + key[-GROUP_LENGTH:])
