"""The inventory: every instance and key of an account, loaded whole and kept up to date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from tui_licenses.api.client import Change, Client
from tui_licenses.domain.account import User, plan_name
from tui_licenses.domain.activation import KeyLookup
from tui_licenses.domain.event import AuditEvent
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import LicenseKey, normalise_key
from tui_licenses.errors import NotAllowedError, NotFoundError, UseError
from tui_licenses.text import clean

PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Inventory:
    """What an account has, as of `fetched_at`; `cursor` is where its changes are followed from.

    `cursor` is None while the load is not finished, and with a cloud that cannot be followed.
    """

    user: User
    instances: tuple[Instance, ...]
    keys: tuple[LicenseKey, ...]
    fetched_at: datetime
    cursor: str | None


class InventoryService:
    """Reads instances, keys and the audit trail."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def load(self, on_page: Callable[[Inventory], None] | None = None) -> Inventory:
        """Load everything; `on_page` gets what is there so far after each page.

        Raises `NotAllowedError` (`plan-not-eligible`) with `plan` and `support_contact`.
        """
        user = await self._client.who_am_i()
        _check_plan(user)
        inventory = Inventory(user, (), (), datetime.now(UTC), None)
        instances: list[Instance] = []
        keys: list[LicenseKey] = []
        cursor: str | None = None
        async for instance_page in self._client.instance_pages(PAGE_SIZE):
            # The first one: what changes during the load is then seen by the first refresh.
            cursor = cursor or instance_page.changes_cursor
            instances.extend(instance_page.items)
            inventory = replace(inventory, instances=tuple(instances))
            if on_page is not None:
                on_page(inventory)
        async for key_page in self._client.key_pages(PAGE_SIZE):
            keys.extend(key_page.items)
            if on_page is not None:
                on_page(replace(inventory, keys=tuple(keys)))
        return replace(inventory, keys=tuple(keys), cursor=cursor)

    async def refresh(self, inventory: Inventory) -> Inventory:
        """Return the inventory with all changes since its cursor; loads anew where that is gone."""
        cursor = inventory.cursor
        if cursor is None:
            return await self.load()
        changes: list[Change] = []
        has_more = True
        try:
            while has_more:
                page = await self._client.changes(cursor, PAGE_SIZE)
                changes.extend(page.items)
                cursor, has_more = page.next_cursor, page.has_more
        except UseError as error:
            if error.code != "invalid-cursor":
                raise
            return await self.load()
        updated = replace(inventory, cursor=cursor, fetched_at=datetime.now(UTC))
        return _with_changes(updated, changes) if changes else updated

    async def show_instance(self, instance_id: str) -> Instance:
        """Return one instance; raises `NotFoundError` (`instance-not-found`)."""
        return await self._client.show_instance(instance_id)

    async def show_key(self, key_id: str) -> LicenseKey:
        """Return one key; raises `NotFoundError` (`key-not-found`)."""
        return await self._client.show_key(key_id)

    async def find_instance(self, handle: str) -> Instance:
        """Return the instance with an id or an unambiguous name.

        Raises `UseError` (`ambiguous-name`) with the ids, `NotFoundError` (`instance-not-found`).
        """
        if _is_id(handle):
            return await self._client.show_instance(handle.strip().lower())
        wanted = handle.strip().casefold()
        found: list[Instance] = []
        async for page in self._client.instance_pages(PAGE_SIZE):
            found += [
                instance for instance in page.items if instance.name.strip().casefold() == wanted
            ]
        exact = [instance for instance in found if instance.name == handle] or found
        if len(exact) == 1:
            return exact[0]
        if not exact:
            raise NotFoundError(
                "instance-not-found",
                f"There is no instance named “{clean(handle)}”.",
                "List the instances with `tui-licenses instances list`.",
            )
        raise UseError(
            "ambiguous-name",
            f"{len(exact)} instances are named “{clean(handle)}”: "
            f"{', '.join(clean(instance.id) for instance in exact)}.",
            "Give the id instead of the name.",
        )

    async def find_key(self, handle: str) -> LicenseKey:
        """Return the key with an id, or the one whose sixteen characters are given in any way.

        Raises `UseError` (`key-format`), `NotFoundError` (`key-not-found`), `NotAllowedError`
        (`key-not-in-account`).
        """
        if _is_id(handle):
            return await self._client.show_key(handle.strip().lower())
        found = await self.lookup(handle)
        if found.key_id is None:
            for reason in found.reasons:
                raise NotAllowedError(
                    reason.code,
                    clean(reason.message),
                    "Sign in to the account that owns the key.",
                )
            raise NotFoundError(
                "key-not-found",
                "There is no such license key in this account.",
                "List the keys with `tui-licenses keys list`.",
            )
        return await self._client.show_key(found.key_id)

    async def keys_of_instance(self, instance_id: str) -> tuple[LicenseKey, ...]:
        """Return the keys of one instance, its master first."""
        keys: list[LicenseKey] = []
        async for page in self._client.key_pages(PAGE_SIZE, instance_id=instance_id):
            keys.extend(page.items)
        # Stable: the cloud's order stays within masters and within add-ons.
        return tuple(sorted(keys, key=lambda key: not key.is_master))

    async def lookup(self, key_text: str) -> KeyLookup:
        """Return what may be told about a typed key."""
        return await self._client.lookup(normalise_key(key_text))

    async def events(self, limit: int | None = None) -> tuple[AuditEvent, ...]:
        """Return the audit trail, newest first; all of it unless `limit` is given."""
        events: list[AuditEvent] = []
        size = PAGE_SIZE if limit is None else max(1, min(limit, PAGE_SIZE))
        async for page in self._client.event_pages(size):
            events.extend(page.items)
            if limit is not None and len(events) >= limit:
                break
        return tuple(events[:limit])


def _check_plan(user: User) -> None:
    tab = user.account.licenses_tab
    if tab.available:
        return
    error = NotAllowedError(
        "plan-not-eligible",
        clean(tab.reason)
        if tab.reason
        else f"The plan {clean(plan_name(user.account.plan))} has no Licenses tab.",
        f"Ask {clean(tab.support_contact)} to move the account to a plan that has it."
        if tab.support_contact
        else "Ask your support or sales contact to move the account to a plan that has it.",
    )
    error.plan = user.account.plan
    error.support_contact = tab.support_contact
    raise error


def _is_id(handle: str) -> bool:
    try:
        UUID(handle.strip())
    except ValueError:
        return False
    # A key of sixteen characters is never an id; neither is an id written without hyphens.
    return "-" in handle


def _with_changes(inventory: Inventory, changes: list[Change]) -> Inventory:
    instances = {instance.id: instance for instance in inventory.instances}
    keys = {key.id: key for key in inventory.keys}
    renamed: dict[str, str] = {}
    for change in changes:
        if change.key is not None:
            keys[change.id] = change.key
        elif change.instance is not None:
            instances[change.id] = change.instance
            renamed[change.id] = change.instance.name
        elif change.kind == "key":
            keys.pop(change.id, None)
        else:
            instances.pop(change.id, None)
    followed = tuple(
        replace(key, instance_name=renamed[key.instance_id])
        if key.instance_id in renamed and key.instance_name != renamed[key.instance_id]
        else key
        for key in keys.values()
    )
    return replace(inventory, instances=tuple(instances.values()), keys=followed)
