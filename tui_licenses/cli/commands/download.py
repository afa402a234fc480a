"""`download`: license files, certificates and server profiles."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tui_licenses.cli.facts import SAVED_FILE_COLUMNS
from tui_licenses.cli.invocation import Invocation, command, group
from tui_licenses.cli.output import error_record
from tui_licenses.cli.records import saved_file_record
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import KeyState, mask_key, normalise_key
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
from tui_licenses.service.outcomes import BulkResult, DocumentKind, DownloadOutcome, Subject
from tui_licenses.state.app_state import View
from tui_licenses.state.bulk_progress import BulkProgress
from tui_licenses.state.select import select_rows
from tui_licenses.text import clean
from tui_licenses.wiring import Services

Find = Callable[[Services, str], Awaitable[Subject]]
Choose = Callable[[Inventory], Sequence[Subject]]

# From so many ids on it costs less to load the account once than to look up each.
_LOOKED_UP_MAXIMUM = 8
# Redrawn at most so often: on a slow line the bar must not cost what the files do.
_PROGRESS_SECONDS = 0.25


_FROM_INPUT = (
    "Ids are read from standard input, one per line, for `-` or where none is given and it is no "
    "terminal. Files that are here and still current are not fetched again; SHA256SUMS beside "
    "them lists them for `sha256sum -c`."
)


@dataclass(frozen=True, slots=True)
class Finished:
    """A download that has ended, by itself or by Ctrl-C."""

    outcomes: list[DownloadOutcome]
    checksums_error: FileError | None
    is_stopped: bool


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


_TO = click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The folder to save into, created if need be; the current one if left out.",
)
_FORCE = click.option(
    "--force",
    is_flag=True,
    help="Replace files that hold something else; each stays beside the new one as NAME.bak.",
)


def _add(
    parent: click.Group, kind: DocumentKind, what: str, handles: str, find: Find, choose: Choose
) -> None:
    @command(parent, kind.value, text=f"{what}\n\n{handles} {_FROM_INPUT}")
    @click.argument("ids", nargs=-1, metavar="[ID]…")
    @click.option("--all", "everything", is_flag=True, help="Download all there are.")
    @click.option(
        "--query",
        metavar="TEXT",
        help="Download those that the filter of the list finds by these words, add-ons included.",
    )
    @_TO
    @_FORCE
    def download(
        invocation: Invocation,
        ids: tuple[str, ...],
        everything: bool,
        query: str | None,
        folder: Path,
        force: bool,
    ) -> None:
        handles = _handles(ids, everything, query)

        async def work(services: Services) -> Finished:
            if handles is None:
                inventory = await services.inventory.load()
                subjects = list(choose(inventory))
                if query is not None:
                    subjects = _matching(subjects, inventory, query, invocation)
                missing: list[DownloadOutcome] = []
            else:
                subjects, missing = await _found(services, handles, find, kind)
            is_new = bool(subjects) and _make_folder(folder)
            result, is_stopped = await _save(
                invocation, services, kind, subjects, folder, force=force
            )
            if is_new and not any(outcome.file for outcome in result.outcomes):
                _remove_if_empty(folder)
            return Finished([*result.outcomes, *missing], result.checksums_error, is_stopped)

        is_single = handles is not None and len(handles) == 1
        _show(invocation, invocation.run(work), is_single=is_single)


def _handles(ids: tuple[str, ...], everything: bool, query: str | None) -> tuple[str, ...] | None:
    """Return the ids that were given, as arguments or on standard input; None with an option."""
    if sum((everything, query is not None, bool(ids))) > 1:
        raise UseError(
            "invalid-request",
            "Ids, --all and --query exclude each other.",
            "See `tui-licenses download --help`.",
        )
    if everything or query is not None:
        return None
    if ids and ids != ("-",):
        return ids
    if not ids and sys.stdin.isatty():
        raise UseError(
            "invalid-request",
            "Nothing was named that could be downloaded.",
            "Give ids, --all or --query; see `tui-licenses download --help`.",
        )
    handles = tuple(line.strip() for line in sys.stdin if line.strip())
    if not handles:
        raise UseError(
            "invalid-request",
            "Standard input holds no id.",
            "Send one id per line, name them as arguments, or give --all or --query.",
        )
    return handles


async def _save(
    invocation: Invocation,
    services: Services,
    kind: DocumentKind,
    subjects: Sequence[Subject],
    folder: Path,
    *,
    force: bool,
) -> tuple[BulkResult, bool]:
    """Save documents with a progress bar; Ctrl-C stops it. Says whether that happened."""
    progress = BulkProgress(len(subjects))
    drawn_at = float("-inf")

    def tell(outcome: DownloadOutcome) -> None:
        nonlocal drawn_at
        progress.count(outcome)
        now = time.monotonic()
        if progress.is_done or now - drawn_at >= _PROGRESS_SECONDS:
            drawn_at = now
            invocation.output.progress(_bar(progress), is_last=progress.is_done)

    if not subjects:
        return BulkResult((), None), False
    bulk = services.downloads.bulk(kind, subjects, folder, force=force, on_outcome=tell)
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        # A second Ctrl-C ends the program at once, as ever.
        loop.remove_signal_handler(signal.SIGINT)
        stopped.set()
        bulk.stop()

    loop.add_signal_handler(signal.SIGINT, stop)
    try:
        result = await bulk.run()
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    if not progress.is_done:
        invocation.output.progress(_bar(progress), is_last=True)
    return result, stopped.is_set()


def _bar(progress: BulkProgress) -> str:
    return f"{progress.bar}, {progress.failed:,} failed" if progress.failed else progress.bar


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _make_folder(folder: Path) -> bool:
    """Create the folder to save into where there is none; say whether it is new."""
    try:
        # Whatever the umask: nothing is saved where anybody may change it.
        folder.mkdir(mode=0o755)
    except FileExistsError:
        return False
    except OSError as error:
        raise FileError(
            "folder-not-writable",
            f"The folder {folder} cannot be created: {error.strerror}.",
            "Choose another folder with --to, or create this one.",
        ) from error
    return True


async def _found(
    services: Services, handles: Sequence[str], find: Find, kind: DocumentKind
) -> tuple[list[Subject], list[DownloadOutcome]]:
    """Return what handles stand for, each once, and an outcome for each that stands for nothing."""
    known: dict[str, Subject] = {}
    if len(handles) > _LOOKED_UP_MAXIMUM:
        known = _known(await services.inventory.load(), kind)
    found: dict[str, Subject] = {}
    missing: list[DownloadOutcome] = []
    for handle in handles:
        try:
            subject = known.get(_plain(handle)) or known.get(_as_key(handle))
            subject = subject or await find(services, handle)
            found[subject.id] = subject
        except (NotFoundError, NotAllowedError, StateError, UseError) as error:
            if error.code == "plan-not-eligible":
                raise
            missing.append(DownloadOutcome(_without_key(handle), None, error))
    return list(found.values()), missing


def _known(inventory: Inventory, kind: DocumentKind) -> dict[str, Subject]:
    """Return the subjects of an account by all that stands for just one of them.

    What is not in it, as a name that two instances have, is looked up and so refused in words.
    """
    if kind is DocumentKind.CERTIFICATE:
        return {text: key for key in inventory.keys for text in (key.key, key.id)}
    by_id = {instance.id: instance for instance in inventory.instances}
    known: dict[str, Subject] = {}
    if kind is DocumentKind.LICENSE:
        for key in inventory.keys:
            if key.instance_id in by_id:
                known[key.key] = known[key.id] = by_id[key.instance_id]
    names = Counter(_plain(instance.name) for instance in inventory.instances)
    known |= {
        _plain(instance.name): instance
        for instance in inventory.instances
        if names[_plain(instance.name)] == 1
    }
    return known | by_id


def _plain(handle: str) -> str:
    return handle.strip().casefold()


def _as_key(handle: str) -> str:
    try:
        return normalise_key(handle)
    except UseError:
        return ""


def _matching(
    subjects: Sequence[Subject], inventory: Inventory, query: str, invocation: Invocation
) -> list[Subject]:
    """Return the subjects that the filter of the list shows for a query."""
    view = View(show_add_ons=True, filter_text=query)
    shown = select_rows(inventory, view, invocation.now()).rows.ids()
    matching = [subject for subject in subjects if subject.id in shown]
    if not matching:
        raise NotFoundError(
            "not-found",
            f"Nothing that could be downloaded matches “{clean(query)}”.",
            "Try fewer words; the filter of the list finds the same.",
        )
    return matching


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


def _show(invocation: Invocation, finished: Finished, *, is_single: bool) -> None:
    outcomes = finished.outcomes
    if finished.checksums_error is not None:
        invocation.output.warn(f"SHA256SUMS was not written: {finished.checksums_error.message}")
    failed = [(outcome.subject_id, outcome.error) for outcome in outcomes if outcome.error]
    records = [_record(outcome) for outcome in outcomes]
    if finished.is_stopped:
        invocation.output.outcomes(records, SAVED_FILE_COLUMNS)
        raise KeyboardInterrupt
    if failed and is_single:
        raise failed[0][1]
    if not failed:
        invocation.output.items(records, SAVED_FILE_COLUMNS)
        return
    invocation.output.outcomes(records, SAVED_FILE_COLUMNS)
    causes = {error.code: error for _, error in failed if error.code != "not-fetched"}
    if len(failed) == len(outcomes) and len(causes) == 1:
        # One cause for all of them, as a folder that cannot be written: that is what to tell.
        raise next(iter(causes.values()))
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
