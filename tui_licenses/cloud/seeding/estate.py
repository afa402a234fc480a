"""One account of the lab estate: its instances, their keys, and the keys that wait."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import Any

from tui_licenses.cloud import tables
from tui_licenses.cloud.instants import MICROSECONDS_PER_SECOND
from tui_licenses.cloud.search import name_order, words
from tui_licenses.cloud.seeding.catalogue import ADD_ONS, CORE_VERSIONS, MASTERS, PLACES
from tui_licenses.cloud.seeding.key_rows import DAY, KeyDates, SeededKeys
from tui_licenses.cloud.seeding.server_profiles import make_profile
from tui_licenses.cloud.seeding.writer import Columns, SeedWriter
from tui_licenses.domain.instance import InstanceState
from tui_licenses.domain.license_key import KeyKind, KeyState, mask_key
from tui_licenses.errors import UseError

# Two of these cannot be activated, because they have expired or start later.
UNASSIGNED_MASTERS_LEAST = 12
UNASSIGNED_ADD_ONS_LEAST = 3
ADD_ONS_MAXIMUM = 40
# Keys that show a state no plain key has; see `_special_keys`.
_SPECIAL_KEYS = 6


class Part(Enum):
    """What an instance shows in the lab."""

    LICENSED = auto()
    PENDING = auto()
    UNLICENSED = auto()
    PARTNER = auto()
    RETIRED = auto()


@dataclass(frozen=True, slots=True)
class EstatePlan:
    """How many of what an account gets."""

    account_id: str
    instances: int
    keys: int
    partner_account_id: str | None

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return what each instance shows; the retired one is extra."""
        pending, unlicensed = 1 + self.instances // 20, 1 + self.instances // 20
        partner = 0 if self.partner_account_id is None else 1
        licensed = self.instances - pending - unlicensed - partner
        return (
            *(Part.LICENSED,) * licensed,
            *(Part.PENDING,) * pending,
            *(Part.UNLICENSED,) * unlicensed,
            *(Part.PARTNER,) * partner,
            Part.RETIRED,
        )

    @property
    def unassigned_masters(self) -> int:
        """Return how many masters wait for an instance."""
        return max(UNASSIGNED_MASTERS_LEAST, self.keys // 50)

    @property
    def unassigned_add_ons(self) -> int:
        """Return how many add-ons wait at least; what finds no instance comes on top."""
        return max(UNASSIGNED_ADD_ONS_LEAST, self.keys // 20)

    def check(self) -> None:
        """Raise `UseError` (`invalid-request`) where the keys cannot fill the estate."""
        licensed = self.parts.count(Part.LICENSED)
        least = self.unassigned_masters + self.unassigned_add_ons + licensed + _SPECIAL_KEYS
        if self.instances < 6 or self.keys < least:
            raise UseError(
                "invalid-request",
                f"A lab estate of {self.instances} instances needs at least {least} keys.",
                "Give at least 6 instances and more keys, or leave both out.",
            )


class Estate:
    """Writes the rows of one account; the same random source gives the same rows."""

    def __init__(self, plan: EstatePlan, random: Random, now: int, writer: SeedWriter) -> None:
        self._plan = plan
        self._random = random
        self._now = now
        self._writer = writer
        self._keys = SeededKeys(random, now, writer)
        self._number = 0

    def write(self) -> None:
        """Write instances with their keys, then the keys without an instance."""
        plan = self._plan
        parts = plan.parts
        licensed = parts.count(Part.LICENSED)
        waiting = plan.unassigned_masters + plan.unassigned_add_ons
        shares = self._shares(licensed, plan.keys - waiting - licensed - _SPECIAL_KEYS)
        written = 0
        for index, part in enumerate(parts):
            written += self._write_instance(index, part, shares[index] if index < licensed else 0)
            self._writer.flush_if_full()
        self._write_unassigned(plan.keys - written)

    def _shares(self, licensed: int, add_ons: int) -> list[int]:
        """Return how many plain add-ons each licensed instance gets: uneven, as in life."""
        shares = [0] * licensed
        left = min(add_ons, ADD_ONS_MAXIMUM * licensed)
        while left:
            index = self._random.randrange(licensed)
            if shares[index] < ADD_ONS_MAXIMUM:
                shares[index] += 1
                left -= 1
        return shares

    def _write_instance(self, index: int, part: Part, add_ons: int) -> int:
        """Write one instance with its keys; return how many keys of the account it took."""
        row = self._instance_row(index, part)
        if part not in {Part.LICENSED, Part.PARTNER}:
            self._store_instance(row, part)
            return 0
        activated = row["created_at"]
        activation_id = self._keys.new_id()
        row |= {"state": InstanceState.LICENSED, "activated_at": activated}
        owner = self._plan.account_id
        if part is Part.PARTNER and self._plan.partner_account_id is not None:
            owner = self._plan.partner_account_id
        master_state = KeyState.ACTIVE
        if index == 3:
            master_state = KeyState.SUSPENDED
        place = (row, activation_id)
        master = self._keys.make(
            owner, self._random.choice(MASTERS), master_state, self._dates(activated), place
        )
        keys = [master]
        for offset in range(add_ons):
            dates = self._dates(activated + offset * DAY // 24)
            product = ADD_ONS[(index + offset) % len(ADD_ONS)]
            keys.append(self._keys.make(owner, product, KeyState.ACTIVE, dates, place))
        if part is Part.LICENSED:
            keys += self._special_keys(index, activated, place)
        row |= {
            "master_key_id": master["id"],
            "key_count": len(keys),
            "add_on_count": sum(key["kind"] == KeyKind.ADD_ON for key in keys),
        }
        self._store_instance(row, part)
        self._writer.add(
            tables.activation,
            {
                "id": activation_id,
                "account_id": owner,
                "instance_id": row["id"],
                "created_at": activated,
            },
        )
        for key in keys:
            self._writer.add(tables.license_key, key)
        self._write_event(row, activated, activation_id, keys)
        return 0 if part is Part.PARTNER else len(keys)

    def _special_keys(
        self, index: int, activated: int, place: tuple[Columns, str]
    ) -> list[Columns]:
        """Return the six keys that show the rarer states, on the first three instances."""
        owner, make, now = self._plan.account_id, self._keys.make, self._now
        year = 365 * DAY
        if index == 0:
            old = KeyDates(activated - 2 * year, activated - year, activated - 30 * DAY)
            soon = KeyDates(activated, activated + DAY, now + 9 * DAY)
            return [
                make(owner, MASTERS[0], KeyState.SUPERSEDED, old, place),
                make(owner, ADD_ONS[0], KeyState.ACTIVE, soon, place),
            ]
        dates = KeyDates(activated, activated + 2 * DAY, None)
        if index == 1:
            past = KeyDates(activated, activated + DAY, now - 12 * DAY, now + 18 * DAY)
            return [
                make(owner, ADD_ONS[2], KeyState.SUSPENDED, dates, place),
                make(owner, ADD_ONS[3], KeyState.REVOKED, dates, place),
                make(owner, ADD_ONS[5], KeyState.ACTIVE, past, place),
            ]
        if index == 2:
            tomorrow = KeyDates(activated, activated + DAY, now + DAY)
            return [make(owner, ADD_ONS[6], KeyState.ACTIVE, tomorrow, place)]
        return []

    def _dates(self, activated: int) -> KeyDates:
        """Return the dates of a plain key: half of them perpetual, few near their end."""
        issued = activated - self._random.randrange(1, 60) * DAY
        fate = self._random.random()
        if fate < 0.5:
            return KeyDates(issued, activated, None)
        if fate < 0.58:
            return KeyDates(issued, activated, self._now + self._random.randrange(2, 30) * DAY)
        if fate < 0.64:
            return KeyDates(issued, activated, self._now - self._random.randrange(1, 200) * DAY)
        expires = self._now + self._random.randrange(40, 1000) * DAY
        return KeyDates(issued, activated, expires, expires + 30 * DAY)

    def _instance_row(self, index: int, part: Part) -> Columns:
        place = PLACES[index % len(PLACES)]
        base = place.names[index // len(PLACES) % len(place.names)]
        turn = index // (len(PLACES) * len(place.names))
        name = base if turn == 0 else f"{base} {turn + 1}"
        if index == 1:
            # Two servers of one name: who types the name must be asked which one.
            place, name = PLACES[0], PLACES[0].names[0]
        created = self._now - self._random.randrange(30, 1500) * DAY
        created -= self._random.randrange(24 * 3600) * MICROSECONDS_PER_SECOND
        state = {
            Part.UNLICENSED: InstanceState.UNLICENSED,
            Part.RETIRED: InstanceState.RETIRED,
        }.get(part, InstanceState.PENDING)
        return {
            "id": self._keys.new_id(),
            "account_id": self._plan.account_id,
            "name": name,
            "name_order": name_order(name),
            "country_code": place.country_code,
            "location_label": place.label if self._random.random() > 0.1 else None,
            "core_version": None if part is Part.PENDING else self._random.choice(CORE_VERSIONS),
            "state": state,
            "master_key_id": None,
            "key_count": 0,
            "add_on_count": 0,
            "activated_at": None,
            "created_at": created,
            "updated_at": created + self._random.randrange(20) * DAY,
            "revision": 1 + self._random.randrange(4),
        }

    def _store_instance(self, row: Columns, part: Part) -> None:
        """Write an instance with its words and its profile; the unlicensed have none."""
        self._number += 1
        profile: dict[str, Any] = {"profile_revision": 0, "hostname": None, "fingerprint": None}
        if part is not Part.UNLICENSED:
            # The second pending instance has a profile that identifies nothing.
            identity = part is not Part.PENDING or self._number % 2 == self._plan.instances % 2
            made = make_profile(self._random, self._number, identity=identity)
            profile = {
                "profile_revision": 1,
                "hostname": made.hostname,
                "fingerprint": made.fingerprint,
            }
            self._writer.add(
                tables.profile,
                {
                    "instance_id": row["id"],
                    "revision": 1,
                    "content": made.content,
                    "sha256": made.sha256,
                    "hostname": made.hostname,
                    "fingerprint": made.fingerprint,
                    "uploaded_at": row["created_at"],
                },
            )
        self._writer.add(tables.instance, row | profile)
        for word in words(row["name"]):
            self._writer.add(
                tables.instance_word,
                {"account_id": row["account_id"], "word": word, "instance_id": row["id"]},
            )

    def _write_event(self, row: Columns, at: int, activation_id: str, keys: list[Columns]) -> None:
        after = {
            "activationId": activation_id,
            "keys": [mask_key(key["key"]) for key in keys],
            "instanceCreated": True,
        }
        self._writer.add(
            tables.event,
            self._keys.event(row["account_id"], at, "keys.activated", row["id"], after),
        )

    def _write_unassigned(self, count: int) -> None:
        """Write the keys that wait: masters first; one of each kind starts later or has expired."""
        owner, year = self._plan.account_id, 365 * DAY
        for index in range(count):
            is_master = index < self._plan.unassigned_masters
            products = MASTERS if is_master else ADD_ONS
            issued = self._now - self._random.randrange(1, 300) * DAY
            ordinal = index if is_master else index - self._plan.unassigned_masters
            if ordinal == 0:
                dates = KeyDates(issued, None, None, starts=self._now + 45 * DAY)
            elif ordinal == 1 and is_master:
                dates = KeyDates(issued - year, None, self._now - 20 * DAY)
            else:
                dates = KeyDates(issued, None, self._now + year if index % 3 else None)
            key = self._keys.make(
                owner, products[ordinal % len(products)], KeyState.UNASSIGNED, dates, None
            )
            self._writer.add(tables.license_key, key)
            self._writer.flush_if_full()
