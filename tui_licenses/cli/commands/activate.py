"""`activate`: assign keys to an instance, all or none."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from tui_licenses.cli.asking import lines_of_input
from tui_licenses.cli.facts import key, text
from tui_licenses.cli.invocation import Invocation, command
from tui_licenses.cli.records import activation_record, preview_record
from tui_licenses.domain.activation import (
    Activation,
    ActivationPreview,
    ActivationRequest,
    NewInstance,
)
from tui_licenses.domain.countries import check_country
from tui_licenses.domain.instance import Location, check_name
from tui_licenses.domain.license_key import LicenseKey, group_key, mask_key
from tui_licenses.errors import StateError, UseError
from tui_licenses.wiring import Services


@dataclass(frozen=True, slots=True)
class Target:
    """Where the keys are to go, as given on the command line."""

    instance: str | None
    new_instance: str | None
    country: str | None
    label: str | None
    core_version: str | None
    profile: Path | None
    this_host: bool
    replace_master: bool

    def check(self) -> None:
        """Refuse combinations that contradict each other; raises `UseError`."""
        if (self.instance is None) == (self.new_instance is None):
            raise _contradiction("Give either --instance or --new-instance.")
        if self.new_instance is not None and self.country is None:
            raise _contradiction("A new instance needs --country.")
        if self.profile is not None and self.this_host:
            raise _contradiction("--profile and --this-host exclude each other.")
        if self.instance is not None and (self.country or self.label or self.core_version):
            raise _contradiction("--country, --label and --core-version belong to --new-instance.")

    def to_be_created(self) -> NewInstance | None:
        """Return the new instance, checked; None where an existing one was named."""
        if self.new_instance is None or self.country is None:
            return None
        return NewInstance(
            check_name(self.new_instance),
            Location(check_country(self.country), self.label or None),
            self.core_version,
        )


def register(root: click.Group) -> None:
    """Add the commands of this file."""

    @command(root, "activate")
    @click.argument("keys", nargs=-1, metavar="[KEY]…")
    @click.option("--instance", metavar="ID|NAME", help="Activate on this instance.")
    @click.option("--new-instance", metavar="NAME", help="Create an instance of this name.")
    @click.option("--country", metavar="CC", help="ISO 3166 country of the new instance.")
    @click.option("--label", help="Free text beside the country.")
    @click.option("--core-version", help="Core software version of the new instance.")
    @click.option("--profile", type=click.Path(path_type=Path), help="Server profile (XML).")
    @click.option("--this-host", is_flag=True, help="Use the profile of this very host.")
    @click.option("--replace-master", is_flag=True, help="Replace the instance's master key.")
    @click.option("--preview", is_flag=True, help="Show what would happen and change nothing.")
    def activate(
        invocation: Invocation, keys: tuple[str, ...], preview: bool, **given: object
    ) -> None:
        """Activate license keys on an instance, all or none.

        Without keys, or with `-`, they are read from standard input, one per line.
        """
        target = Target(**given)  # type: ignore[arg-type]
        target.check()
        typed = _typed_keys(keys)
        new_instance = target.to_be_created()

        async def request_for(services: Services) -> ActivationRequest:
            checked = services.activation.check_format(typed)
            instance_id = None
            if target.instance is not None:
                instance_id = (await services.inventory.find_instance(target.instance)).id
            return ActivationRequest(
                checked,
                instance_id,
                new_instance,
                await _profile_xml(services, target),
                target.replace_master,
            )

        async def look_ahead(services: Services) -> ActivationPreview:
            return await services.activation.preview(await request_for(services))

        async def submit(services: Services) -> Activation:
            request = await request_for(services)
            return await services.activation.submit(services.activation.prepare(request))

        if preview:
            _show_preview(invocation, invocation.run(look_ahead))
        else:
            _show_activation(invocation, invocation.run(submit))


def _typed_keys(arguments: tuple[str, ...]) -> tuple[str, ...]:
    if arguments and arguments != ("-",):
        return arguments
    if not arguments and sys.stdin.isatty():
        raise UseError("invalid-request", "No license key was given.", "Name one or several keys.")
    typed = tuple(lines_of_input())
    if not typed:
        raise UseError(
            "invalid-request",
            "Standard input holds no license key.",
            "Send one key per line, or name them as arguments.",
        )
    return typed


async def _profile_xml(services: Services, target: Target) -> str | None:
    if target.profile is not None:
        return services.instances.read_profile(target.profile).decode()
    if target.this_host:
        return (await services.instances.this_host_profile()).decode()
    return None


def _show_preview(invocation: Invocation, preview: ActivationPreview) -> None:
    mask = invocation.masks_keys()
    record = preview_record(preview, mask=mask)
    before = {license_key.id for license_key in preview.before}
    after = {license_key.id for license_key in preview.after}
    facts = [("Instance", "new" if preview.instance is None else preview.instance.name)]
    facts += [("-", _line(gone, mask)) for gone in preview.before if gone.id not in after]
    facts += [("+" if kept.id not in before else "=", _line(kept, mask)) for kept in preview.after]
    if preview.problems:
        invocation.output.keep(record)
        raise StateError(
            preview.problems[0].code,
            "These keys cannot be activated there.",
            "Nothing was changed. Correct what is named and preview again.",
            details=preview.problems,
        )
    invocation.output.item(record, facts)


def _show_activation(invocation: Invocation, activation: Activation) -> None:
    record = activation_record(activation, mask=invocation.masks_keys())
    file = record["licenseFile"]
    invocation.output.item(
        record,
        [
            *(
                ("Activated", f"{key(license_key['key'])}  {license_key['productName']}")
                for license_key in record["keys"]
            ),
            ("Instance", activation.instance.name),
            ("License file", "none yet" if file is None else f"serial {file['serial']}"),
            ("SHA-256", "" if file is None else text(file["sha256"])),
        ],
    )
    if file is not None:
        invocation.output.note(f"Next: tui-licenses download license {activation.instance.id}")


def _line(license_key: LicenseKey, mask: bool) -> str:
    shown = mask_key(license_key.key) if mask else group_key(license_key.key)
    return f"{shown}  {'master' if license_key.is_master else 'add-on'}  {license_key.product_name}"


def _contradiction(message: str) -> UseError:
    return UseError("invalid-request", message, "See `tui-licenses activate --help`.")
