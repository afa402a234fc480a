"""The inventory of an account: loaded whole once, then kept up to date by what has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from tui_licenses.api.client import Client
from tui_licenses.api.faults import unexpected_answer
from tui_licenses.api.parts import Change, Page
from tui_licenses.domain.account import User, plan_name
from tui_licenses.domain.activation import KeyLookup
from tui_licenses.domain.event import AuditEvent
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.instance_table import InstanceTable
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.key_table import KeyTable
from tui_licenses.domain.license_key import LicenseKey, normalise_key
from tui_licenses.errors import (
    FileError,
    NotAllowedError,
    NotFoundError,
    UnavailableError,
    UseError,
)
from tui_licenses.service.local_copy import LocalCopy
from tui_licenses.text import clean

PAGE_SIZE = 1000
# A copy that is a little old costs the next start a few changes more; writing it costs a disk.
_COPY_STANDS = timedelta(minutes=5)

_NEVER = datetime.min.replace(tzinfo=UTC)

Item = TypeVar("Item")


class InventoryService:
    """Reads instances, keys and the audit trail."""

    def __init__(self, client: Client, local_copy: LocalCopy) -> None:
        self._client = client
        self._local_copy = local_copy
        self._copied_at = _NEVER
        self._uncopied: Inventory | None = None
        self._is_identified = False

    async def load(self, on_page: Callable[[Inventory], None] | None = None) -> Inventory:
        """Load everything; `on_page` gets what is there so far after each page.

        The first rows of the list come first: a page of instances and one of keys, then the
        rest. Raises `NotAllowedError` (`plan-not-eligible`) with `plan` and `support_contact`.
        """
        user = await self._user()
        show = on_page or (lambda _inventory: None)
        loading = Inventory(user, InstanceTable.of(), KeyTable.of(), datetime.now(UTC), None)
        instance_pages = self._client.instance_pages(PAGE_SIZE)
        key_pages = self._client.key_pages(PAGE_SIZE)
        first_instances = await anext(instance_pages)
        # Of the first page: what changes during the load is then seen by the first refresh.
        cursor = first_instances.changes_cursor
        first_keys = await anext(key_pages)
        loading = replace(loading, total_count=first_instances.total + first_keys.total)
        try:
            async for instances in _resumed(first_instances, instance_pages):
                extended = loading.instances.extended(instances.items)
                loading = replace(loading, instances=extended)
                if not loading.keys:
                    loading = replace(loading, keys=loading.keys.extended(first_keys.items))
                show(loading)
            async for keys in key_pages:
                loading = replace(loading, keys=loading.keys.extended(keys.items))
                show(loading)
        except ValueError as error:
            raise _impossible(error) from error
        loaded = await asyncio.to_thread(loading.in_order)
        inventory = replace(loaded, cursor=cursor)
        await self._keep(inventory)
        return inventory

    async def refresh(self, inventory: Inventory) -> Inventory:
        """Return the inventory with all changes since its cursor; loads anew where that is gone.

        Raises what `load` raises.
        """
        cursor = inventory.cursor
        if cursor is None:
            return await self.load()
        if not self._is_identified:
            # It comes from the local copy: who is signed in, and may see it, is asked once.
            inventory = replace(inventory, user=await self._user())
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
        fetched_at = datetime.now(UTC)
        current = replace(inventory, cursor=cursor, fetched_at=fetched_at)
        if not changes:
            if self._uncopied is None:
                self._local_copy.touch(fetched_at)
            return current
        try:
            changed = await asyncio.to_thread(_with_changes, current, changes)
        except ValueError as error:
            raise _impossible(error) from error
        await self._keep(changed)
        return changed

    async def current(self) -> Inventory:
        """Return the inventory as it is now: the local copy with what has changed since, or all.

        Raises what `load` raises.
        """
        copy = await asyncio.to_thread(self._local_copy.read)
        if copy is None:
            return await self.load()
        return await self.refresh(copy)

    async def keep_copy(self) -> None:
        """Write the local copy where it is behind what is known."""
        uncopied, self._uncopied = self._uncopied, None
        if uncopied is not None:
            # A copy that cannot be written only makes the next start slower.
            with suppress(FileError):
                await asyncio.to_thread(self._local_copy.write, uncopied)

    async def _keep(self, inventory: Inventory) -> None:
        if inventory.cursor is None:
            return
        self._uncopied = inventory
        if inventory.fetched_at - self._copied_at >= _COPY_STANDS:
            self._copied_at = inventory.fetched_at
            await self.keep_copy()

    async def _user(self) -> User:
        try:
            user = await self._client.who_am_i()
            _check_plan(user)
        except NotAllowedError:
            self._local_copy.forget()
            raise
        self._is_identified = True
        return user

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


async def _resumed(first: Page[Item], rest: AsyncIterator[Page[Item]]) -> AsyncIterator[Page[Item]]:
    yield first
    async for page in rest:
        yield page


def _impossible(error: ValueError) -> UnavailableError:
    return unexpected_answer(
        f"The license cloud answered something that cannot be: {clean(str(error))}."
    )


def _with_changes(inventory: Inventory, changes: list[Change]) -> Inventory:
    instances: dict[str, Instance | None] = {}
    keys: dict[str, LicenseKey | None] = {}
    for change in changes:
        if change.kind == "key":
            keys[change.id] = change.key
        else:
            instances[change.id] = change.instance
    return inventory.with_changes(instances, keys)
