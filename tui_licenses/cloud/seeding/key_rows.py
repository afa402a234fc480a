"""Key rows and ids of the seed, drawn from one random source."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from uuid import UUID

import msgspec

from tui_licenses.cloud.instants import MICROSECONDS_PER_SECOND, NEVER
from tui_licenses.cloud.operations.audit import ADMINISTRATOR_NAME
from tui_licenses.cloud.operations.change_set import assigned_position, unassigned_position
from tui_licenses.cloud.rows import encode_features
from tui_licenses.cloud.seeding.catalogue import Product
from tui_licenses.cloud.seeding.writer import Columns, SeedWriter
from tui_licenses.domain.license_key import GROUP_LENGTH, KEY_LENGTH, Feature, KeyState

DAY = 24 * 3600 * MICROSECONDS_PER_SECOND

_ALPHABET = string.ascii_uppercase + string.digits


@dataclass(frozen=True, slots=True)
class KeyDates:
    """The dates of one key, as stored."""

    issued: int
    activated: int | None
    expires: int | None
    terminates: int | None = None
    starts: int | None = None


@cache
def _features_text(features: tuple[Feature, ...]) -> str:
    return encode_features(features)


class SeededKeys:
    """Makes key rows; the same random source makes the same ones."""

    def __init__(self, random: Random, now: int, writer: SeedWriter) -> None:
        self._random = random
        self._now = now
        self._writer = writer

    def new_id(self) -> str:
        """Return the next id."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def make(
        self,
        account_id: str,
        product: Product,
        state: KeyState,
        dates: KeyDates,
        place: tuple[Columns, str] | None,
    ) -> Columns:
        """Return a key row; `place` is the row of its instance and the id of its activation."""
        key_id = self.new_id()
        key = "".join(self._random.choices(_ALPHABET, k=KEY_LENGTH))
        instance_id = activation_id = None
        if place is None:
            position = unassigned_position(product.kind, product.code, key_id)
        else:
            instance, activation_id = place
            instance_id = instance["id"]
            position = assigned_position(
                instance["name"], instance_id, product.kind, dates.activated or 0, key_id
            )
        return {
            "id": key_id,
            "account_id": account_id,
            "key": key,
            "last_four": key[-GROUP_LENGTH:],
            "kind": product.kind,
            "product_code": product.code,
            "features": _features_text(product.features),
            "state": state,
            "instance_id": instance_id,
            "activation_id": activation_id,
            "order_reference": f"SO-{self._random.randrange(10_000, 100_000)}",
            "issued_at": dates.issued,
            "starts_at": dates.starts,
            "activated_at": dates.activated,
            "expires_at": dates.expires,
            "expiry_order": NEVER if dates.expires is None else dates.expires,
            "terminates_at": dates.terminates,
            "updated_at": min(self._now, dates.activated or dates.issued),
            "revision": 1 if place is None else 2,
            "position": position,
        }

    def event(
        self, account_id: str, at: int, action: str, target_id: str, after: Mapping[str, object]
    ) -> Columns:
        """Return an audit row about an instance."""
        return {
            "account_id": account_id,
            "at": at,
            "actor": ADMINISTRATOR_NAME,
            "action": action,
            "target_kind": "instance",
            "target_id": target_id,
            "before": None,
            "after": msgspec.json.encode(after).decode(),
            "request_id": None,
        }
