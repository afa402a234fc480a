"""`download`: license files, certificates and server profiles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from tui_licenses.cli.facts import SAVED_FILE_COLUMNS
from tui_licenses.cli.invocation import Invocation, command, group
from tui_licenses.cli.output import error_record
from tui_licenses.cli.records import saved_file_record
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import KeyState, LicenseKey, mask_key, normalise_key
from tui_licenses.domain.status import license_file_refusal
from tui_licenses.errors import (
    Detail,
    FileError,
    NotAllowedError,
    NotFoundError,
    PartialFailureError,
    StateError,
    UseError,
)
from tui_licenses.service.downloads import DocumentKind, DownloadOutcome
from tui_licenses.wiring import Services

Subject = Instance | LicenseKey
Find = Callable[[Services, str], Awaitable[Subject]]
Choose = Callable[[Inventory], Sequence[Subject]]


def register(root: click.Group) -> None:
    """Add the commands of this file."""

    download = group(root, "download", "Download license files, certificates and server profiles.")

    _add(
        download,
        DocumentKind.LICENSE,
        "Download the license file (.bin) of an instance: its master key and all add-ons.",
        "ID names an instance, or any key of it.",
        _instance_of,
        _with_license_file,
    )
    _add(
        download,
        DocumentKind.CERTIFICATE,
        "Download the certificate (PDF) of a key.",
        "ID names a key.",
        lambda services, handle: services.inventory.find_key(handle),
        lambda inventory: [key for key in inventory.keys if key.state is not KeyState.UNASSIGNED],
    )
    _add(
        download,
        DocumentKind.PROFILE,
        "Download the server profile (XML) of an instance, byte for byte.",
        "ID names an instance.",
        lambda services, handle: services.inventory.find_instance(handle),
        lambda inventory: [instance for instance in inventory.instances if instance.has_profile],
    )


def _add(
    parent: click.Group, kind: DocumentKind, what: str, handles: str, find: Find, choose: Choose
) -> None:
    @command(parent, kind.value, text=f"{what}\n\n{handles}")
    @click.argument("ids", nargs=-1, metavar="[ID]…")
    @click.option("--all", "everything", is_flag=True, help="Download all there are.")
    @click.option(
        "--to",
        "folder",
        type=click.Path(path_type=Path),
        default=Path(),
        help="The folder to save into, created if need be; the current one if left out.",
    )
    @click.option("--force", is_flag=True, help="Replace files that hold something else.")
    def download(
        invocation: Invocation, ids: tuple[str, ...], everything: bool, folder: Path, force: bool
    ) -> None:
        if everything == bool(ids):
            raise UseError(
                "invalid-request",
                "Give either ids or --all.",
                "See `tui-licenses download --help`.",
            )

        async def work(services: Services) -> list[DownloadOutcome]:
            subjects, missing = await _subjects(services, ids, find, choose)
            total = len(subjects)
            done: list[DownloadOutcome] = []

            def tell(outcome: DownloadOutcome) -> None:
                done.append(outcome)
                name = outcome.file.path.name if outcome.file else "failed"
                invocation.output.progress(len(done), total, name)

            is_new = bool(subjects) and _make_folder(folder)
            outcomes = await services.downloads.many(
                kind, subjects, folder, force=force, on_outcome=tell
            )
            if is_new and not any(outcome.file for outcome in outcomes):
                _remove_if_empty(folder)
            return [*outcomes, *missing]

        _show(invocation, invocation.run(work), is_single=len(ids) == 1)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _make_folder(folder: Path) -> bool:
    """Create the folder to save into where there is none; say whether it is new."""
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    except OSError as error:
        raise FileError(
            "folder-not-writable",
            f"The folder {folder} cannot be created: {error.strerror}.",
            "Choose another folder with --to, or create this one.",
        ) from error
    return True


async def _subjects(
    services: Services, ids: tuple[str, ...], find: Find, choose: Choose
) -> tuple[list[Subject], list[DownloadOutcome]]:
    if not ids:
        return list(choose(await services.inventory.load())), []
    found: dict[str, Subject] = {}
    missing: list[DownloadOutcome] = []
    for handle in ids:
        try:
            subject = await find(services, handle)
            found[subject.id] = subject
        except (NotFoundError, NotAllowedError, StateError, UseError) as error:
            if error.code == "plan-not-eligible":
                raise
            missing.append(DownloadOutcome(_without_key(handle), None, error))
    return list(found.values()), missing


def _without_key(handle: str) -> str:
    """Return a handle for an error: a typed key is masked there."""
    try:
        return mask_key(normalise_key(handle))
    except UseError:
        return handle


async def _instance_of(services: Services, handle: str) -> Instance:
    """Return the instance that an id, a name, a key's id or a key stands for."""
    try:
        return await services.inventory.find_instance(handle)
    except NotFoundError as error:
        try:
            key = await services.inventory.find_key(handle)
        except UseError:
            raise error from None
        except NotFoundError as no_key:
            raise NotFoundError(
                "not-found",
                "There is neither an instance nor a license key with such an id, name or key.",
                "See `tui-licenses instances list` and `tui-licenses keys list --addons`.",
            ) from no_key
    if key.instance_id is None:
        raise StateError(
            "no-master",
            f"The key ending in {key.key[-4:]} is not assigned to an instance.",
            "Activate it first; then there is a license file.",
        )
    return await services.inventory.show_instance(key.instance_id)


def _with_license_file(inventory: Inventory) -> list[Instance]:
    states = {key.id: key.state for key in inventory.keys}
    return [
        instance
        for instance in inventory.instances
        if license_file_refusal(instance, states.get(instance.master_key_id or "")) is None
    ]


def _show(invocation: Invocation, outcomes: list[DownloadOutcome], *, is_single: bool) -> None:
    failed = [(outcome.subject_id, outcome.error) for outcome in outcomes if outcome.error]
    if failed and is_single:
        raise failed[0][1]
    records = [_record(outcome) for outcome in outcomes]
    if not failed:
        invocation.output.items(records, SAVED_FILE_COLUMNS)
        return
    invocation.output.outcomes(records, SAVED_FILE_COLUMNS)
    codes = {error.code for _, error in failed}
    if len(failed) == len(outcomes) and len(codes) == 1:
        # One cause for all of them, as a folder that cannot be written: that is what to tell.
        raise failed[0][1]
    raise PartialFailureError(
        "partial-failure",
        f"{len(failed)} of {len(outcomes)} documents could not be downloaded.",
        "The others are saved. Correct what is named and run the command again.",
        details=tuple(Detail(item, error.code, str(error)) for item, error in failed),
    )


def _record(outcome: DownloadOutcome) -> dict[str, Any]:
    if outcome.file is not None:
        return saved_file_record(outcome.subject_id, outcome.file)
    error = outcome.error
    told = {} if error is None else error_record(error.code, error.message, error.next_step)
    return {"subjectId": outcome.subject_id, **told}
