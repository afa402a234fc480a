"""`instances`: list, show, rename, relocate, hardware, profile."""

from __future__ import annotations

from pathlib import Path

import click

from tui_licenses.cli.commands.profile import write_profile
from tui_licenses.cli.facts import INSTANCE_COLUMNS, instance_facts
from tui_licenses.cli.invocation import Invocation, command, group
from tui_licenses.cli.records import hardware_record, instance_record
from tui_licenses.domain.countries import check_country
from tui_licenses.domain.hardware import HardwareRow
from tui_licenses.domain.instance import Instance, Location, check_name
from tui_licenses.errors import UseError
from tui_licenses.service.instances import RevisionConflictError
from tui_licenses.state.app_state import Sort, View
from tui_licenses.state.columns import COLUMNS
from tui_licenses.state.estate import RowKind
from tui_licenses.state.select import select_rows
from tui_licenses.wiring import Services

_SORTABLE = click.Choice([column.id for column in COLUMNS])


def register(root: click.Group) -> None:
    """Add the commands of this file."""

    instances = group(root, "instances", "Server instances: names, locations, hardware.")

    _register_reading(instances)
    _register_changing(instances)
    _register_profile(instances)


def _register_reading(instances: click.Group) -> None:
    @command(instances, "list")
    @click.option("--query", default="", help="Only instances in which this text stands.")
    @click.option("--sort", type=_SORTABLE, help="The column to sort by.")
    @click.option("--descending", is_flag=True, help="Reverse the order.")
    @click.option("--limit", type=click.IntRange(min=0), help="At most so many.")
    def list_instances(
        invocation: Invocation, query: str, sort: str | None, descending: bool, limit: int | None
    ) -> None:
        """List the server instances of the account."""
        inventory = invocation.run(lambda services: services.inventory.current())
        view = View(show_add_ons=True, filter_text=query, sort=Sort(sort, descending))
        rows = select_rows(inventory, view, invocation.now()).rows
        shown = [
            instance_record(row.instance)
            for row in rows
            if row.kind is RowKind.INSTANCE and row.instance is not None
        ]
        invocation.output.items(shown[:limit], INSTANCE_COLUMNS, totalCount=len(shown))

    @command(instances, "show")
    @click.argument("instance", metavar="ID|NAME")
    def show(invocation: Invocation, instance: str) -> None:
        """Show one instance."""
        found = invocation.run(lambda services: services.inventory.find_instance(instance))
        _show(invocation, found)

    @command(instances, "hardware")
    @click.argument("instance", metavar="ID|NAME")
    def hardware(invocation: Invocation, instance: str) -> None:
        """Show the server profile of an instance as a table."""

        async def ask(services: Services) -> tuple[HardwareRow, ...]:
            found = await services.inventory.find_instance(instance)
            return await services.instances.hardware(found.id)

        invocation.output.items(
            [hardware_record(row) for row in invocation.run(ask)],
            (
                ("SECTION", lambda record: record["section"]),
                ("ATTRIBUTE", lambda record: record["attribute"]),
                ("VALUE", lambda record: record["value"]),
            ),
        )


def _register_changing(instances: click.Group) -> None:
    @command(instances, "rename")
    @click.argument("instance", metavar="ID|NAME")
    @click.argument("name")
    def rename(invocation: Invocation, instance: str, name: str) -> None:
        """Rename an instance, as it is known in the cloud."""
        checked = check_name(name)

        async def change(services: Services) -> Instance:
            found = await services.inventory.find_instance(instance)
            try:
                return await services.instances.rename(found, checked)
            except RevisionConflictError as error:
                raise _conflict(error, error.current.name, checked) from error

        _show(invocation, invocation.run(change))

    @command(instances, "relocate")
    @click.argument("instance", metavar="ID|NAME")
    @click.option("--country", required=True, metavar="CC", help="ISO 3166 country code.")
    @click.option("--label", help="Free text: a town, a building.")
    def relocate(invocation: Invocation, instance: str, country: str, label: str | None) -> None:
        """Re-assign the geographic location of an instance."""
        location = Location(check_country(country), label or None)

        async def change(services: Services) -> Instance:
            found = await services.inventory.find_instance(instance)
            try:
                return await services.instances.relocate(found, location)
            except RevisionConflictError as error:
                theirs = error.current.location
                raise _conflict(
                    error,
                    f"{theirs.country_code} {theirs.label or ''}".strip(),
                    f"{location.country_code} {location.label or ''}".strip(),
                ) from error

        _show(invocation, invocation.run(change))


def _register_profile(instances: click.Group) -> None:
    @command(instances, "profile")
    @click.argument("instance", metavar="ID|NAME")
    @click.option("--set", "file", type=click.Path(path_type=Path), help="Upload this XML file.")
    @click.option("--this-host", is_flag=True, help="Upload the profile of this very host.")
    def profile(invocation: Invocation, instance: str, file: Path | None, this_host: bool) -> None:
        """Write the server profile of an instance to standard output, or upload a new one."""
        if file is not None and this_host:
            raise UseError(
                "invalid-request", "--set and --this-host exclude each other.", "Give one."
            )

        async def upload(services: Services) -> Instance:
            data = (
                services.instances.read_profile(file)
                if file is not None
                else await services.instances.this_host_profile()
            )
            found = await services.inventory.find_instance(instance)
            return await services.instances.set_profile(found, data)

        async def read(services: Services) -> bytes:
            found = await services.inventory.find_instance(instance)
            return await services.instances.profile(found.id)

        if file is not None or this_host:
            _show(invocation, invocation.run(upload))
        else:
            write_profile(invocation, invocation.run(read))


def _show(invocation: Invocation, instance: Instance) -> None:
    record = instance_record(instance)
    invocation.output.item(record, instance_facts(record, invocation.now()))


def _conflict(error: RevisionConflictError, theirs: str, mine: str) -> RevisionConflictError:
    return RevisionConflictError(
        error.code,
        f"Somebody else changed it meanwhile. Theirs: {theirs}. Yours: {mine}.",
        "Nothing was changed; run the command again to set yours.",
        current=error.current,
    )
