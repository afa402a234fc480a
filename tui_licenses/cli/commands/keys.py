"""`keys`: list, show, lookup, release."""

from __future__ import annotations

import click

from tui_licenses.cli.asking import key_argument
from tui_licenses.cli.facts import KEY_COLUMNS, features, key_facts, text
from tui_licenses.cli.invocation import Invocation, command, group
from tui_licenses.cli.records import key_record, lookup_record
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import LicenseKey
from tui_licenses.domain.status import KeyStatus, key_status
from tui_licenses.state.app_state import Sort, View
from tui_licenses.state.columns import COLUMNS
from tui_licenses.state.estate import RowKind
from tui_licenses.state.select import select_rows
from tui_licenses.wiring import Services

_SORTABLE = click.Choice([column.id for column in COLUMNS])
_STATUSES = click.Choice([status.value for status in KeyStatus])


def register(root: click.Group) -> None:
    """Add the commands of this file."""

    keys = group(root, "keys", "License keys: masters and add-ons.")

    _register_list(keys)
    _register_single(keys)


def _register_list(keys: click.Group) -> None:
    @command(keys, "list")
    @click.option("--addons/--no-addons", default=False, help="List add-on keys too.")
    @click.option("--status", "statuses", type=_STATUSES, multiple=True, help="Only this status.")
    @click.option("--instance", metavar="ID|NAME", help="Only keys of this instance.")
    @click.option("--query", default="", help="Only keys in whose row this text stands.")
    @click.option("--sort", type=_SORTABLE, help="The column to sort by.")
    @click.option("--descending", is_flag=True, help="Reverse the order.")
    @click.option("--limit", type=click.IntRange(min=0), help="At most so many.")
    def list_keys(
        invocation: Invocation,
        addons: bool,
        statuses: tuple[str, ...],
        instance: str | None,
        query: str,
        sort: str | None,
        descending: bool,
        limit: int | None,
    ) -> None:
        """List the license keys of the account, masters only unless --addons is given."""

        async def ask(services: Services) -> tuple[Inventory, str | None]:
            wanted = await services.inventory.find_instance(instance) if instance else None
            return await services.inventory.current(), wanted.id if wanted else None

        inventory, instance_id = invocation.run(ask)
        days = invocation.configuration().settings.expiring_days
        view = View(
            show_add_ons=addons,
            filter_text=query,
            sort=Sort(sort, descending),
            expiring_days=days,
        )
        mask = invocation.masks_keys()
        shown = [
            key_record(row.key, row.status.value, mask=mask)
            for row in select_rows(inventory, view, invocation.now()).rows
            if row.kind is RowKind.KEY
            and row.key is not None
            and row.status is not None
            and (not statuses or row.status.value in statuses)
            and (instance_id is None or row.key.instance_id == instance_id)
        ]
        invocation.output.items(shown[:limit], KEY_COLUMNS, totalCount=len(shown))


def _register_single(keys: click.Group) -> None:
    @command(keys, "show")
    @click.argument("key", metavar="ID|KEY", callback=key_argument)
    def show(invocation: Invocation, key: str) -> None:
        """Show one key: status, last update, instance, features, dates."""
        _show(invocation, *invocation.run(lambda services: _with_status(services, key, invocation)))

    @command(keys, "lookup")
    @click.argument("key", metavar="KEY", callback=key_argument)
    def lookup(invocation: Invocation, key: str) -> None:
        """Ask whether a 16-character key can be activated from this account."""
        found = invocation.run(lambda services: services.inventory.lookup(key))
        record = lookup_record(found)
        invocation.output.item(
            record,
            [
                ("In this account", "yes" if found.in_account else "no"),
                ("Can be activated", "yes" if found.assignable else "no"),
                *(("Because", reason.message) for reason in found.reasons),
                ("Status", text(found.status)),
                ("Kind", "" if found.kind is None else found.kind.value),
                ("Product", text(found.product_name)),
                ("Features", features(record)),
                ("Instance", text(found.instance_name)),
                ("ID", text(found.key_id)),
            ],
        )

    @command(keys, "release")
    @click.argument("key", metavar="ID|KEY", callback=key_argument)
    @click.option("--reason", required=True, help="Why; it goes into the audit trail.")
    @click.option("--cascade", is_flag=True, help="With a master: release its add-ons too.")
    def release(invocation: Invocation, key: str, reason: str, cascade: bool) -> None:
        """Take a key off its instance, so that it can be activated elsewhere."""

        async def change(services: Services) -> tuple[LicenseKey, str]:
            found = await services.inventory.find_key(key)
            released = await services.activation.release(found, reason, cascade)
            return released, key_status(released, invocation.now()).value

        _show(invocation, *invocation.run(change))


async def _with_status(
    services: Services, handle: str, invocation: Invocation
) -> tuple[LicenseKey, str]:
    """Return a key and its status, which depends on the master of its instance."""
    key = await services.inventory.find_key(handle)
    master_state = None
    if key.instance_id is not None and not key.is_master:
        siblings = await services.inventory.keys_of_instance(key.instance_id)
        master_state = next((other.state for other in siblings if other.is_master), None)
    days = invocation.configuration().settings.expiring_days
    return key, key_status(key, invocation.now(), days, master_state).value


def _show(invocation: Invocation, key: LicenseKey, status: str) -> None:
    record = key_record(key, status, mask=invocation.masks_keys())
    invocation.output.item(record, key_facts(record, invocation.now()))
