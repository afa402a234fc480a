"""Many documents in one run: a few requests in flight, batches to disk, an outcome for each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from tui_licenses.errors import (
    FileError,
    SignInError,
    StateError,
    TuiLicensesError,
    UnavailableError,
)
from tui_licenses.files import FOLDER_REFUSALS
from tui_licenses.service.checksums import update_checksums
from tui_licenses.service.outcomes import BulkResult, DownloadOutcome, Subject
from tui_licenses.service.saving import Fetched, Saved

# Enough to hide the latency of a far cloud; more would only queue up there.
IN_FLIGHT_MAXIMUM = 8
# While one batch is being saved the requests of the next are in flight; more is never held.
_WORKERS = 2 * IN_FLIGHT_MAXIMUM
# A disk that is asked by several at once writes for all of them in one go.
_SAVED_AT_ONCE = 4
# With so many in a row nothing answers, or nothing can be written: the rest would fail too.
_FAILURES_IN_A_ROW = IN_FLIGHT_MAXIMUM

Result = TypeVar("Result")


class BulkDownload:
    """One run over many subjects, which can be stopped; an error of one never stops the others.

    What is saved stays saved. Nothing is held but what is in flight, being saved, or an outcome.
    """

    def __init__(
        self,
        subjects: Sequence[Subject],
        folder: Path,
        fetch: Callable[[Sequence[Subject]], Awaitable[Sequence[Fetched | TuiLicensesError]]],
        save: Callable[[Sequence[Fetched]], Sequence[Saved | TuiLicensesError]],
        on_outcome: Callable[[DownloadOutcome], None] | None = None,
        *,
        at_once: int,
    ) -> None:
        """Prepare; `fetch` gets up to `at_once` documents, `save` blocks and writes some."""
        self._subjects = subjects
        self._folder = folder
        self._fetch = fetch
        self._save = save
        self._on_outcome = on_outcome
        self._at_once = at_once
        self._outcomes: list[DownloadOutcome | None] = [None] * len(subjects)
        self._checksums: dict[str, str] = {}
        self._places = asyncio.Semaphore(IN_FLIGHT_MAXIMUM)
        self._saving = asyncio.Semaphore(_SAVED_AT_ONCE)
        self._fetched: list[tuple[int, Fetched]] = []
        self._workers: list[asyncio.Task[None]] = []
        self._failures_in_a_row = 0
        self._is_stopped = False

    async def run(self) -> BulkResult:
        """Save a document for each subject; after `stop`, or an end by force, as many as are."""
        numbered = iter(enumerate(self._subjects))

        async def work() -> None:
            # All workers share one iterator: each subject is taken once.
            while not self._is_stopped and (part := tuple(islice(numbered, self._at_once))):
                await self._get(part)

        try:
            async with asyncio.TaskGroup() as group:
                self._workers += [
                    group.create_task(work()) for _ in range(min(_WORKERS, len(self._subjects)))
                ]
        finally:
            errors: list[FileError | None] = [None]
            if self._checksums:
                await to_the_end(self._update_checksums, errors.append)
        return BulkResult(tuple(map(self._outcome, range(len(self._subjects)))), errors[-1])

    def stop(self) -> None:
        """Give up what is in flight; what is being saved is saved, and `run` returns."""
        self._is_stopped = True
        for worker in self._workers:
            worker.cancel()

    async def _get(self, part: Sequence[tuple[int, Subject]]) -> None:
        numbers = [number for number, _ in part]
        try:
            async with self._places:
                fetched = await self._fetch([subject for _, subject in part])
        except TuiLicensesError as error:
            self._tell(numbers, [error] * len(part))
            return
        refused = {
            number: one
            for number, one in zip(numbers, fetched, strict=True)
            if isinstance(one, TuiLicensesError)
        }
        self._tell(list(refused), list(refused.values()))
        self._fetched += [
            (number, one)
            for number, one in zip(numbers, fetched, strict=True)
            if not isinstance(one, TuiLicensesError)
        ]
        async with self._saving:
            # Whoever comes in first saves for all who have come meanwhile.
            batch, self._fetched = self._fetched, []
            if batch:
                await to_the_end(
                    lambda: self._save([fetched for _, fetched in batch]),
                    lambda saved: self._tell([number for number, _ in batch], saved),
                )

    def _tell(self, numbers: Sequence[int], outcomes: Sequence[Saved | TuiLicensesError]) -> None:
        """Keep outcomes that came together, and tell each; give up where nothing works."""
        for number, outcome in zip(numbers, outcomes, strict=True):
            subject_id = self._subjects[number].id
            if isinstance(outcome, Saved):
                self._checksums |= outcome.checksums
                told = DownloadOutcome(subject_id, outcome.file, None)
            else:
                told = DownloadOutcome(subject_id, None, outcome)
            self._outcomes[number] = told
            if self._on_outcome is not None:
                self._on_outcome(told)
        if outcomes:
            has_failed = all(map(_is_general, outcomes))
            self._failures_in_a_row = self._failures_in_a_row + 1 if has_failed else 0
        if self._failures_in_a_row >= _FAILURES_IN_A_ROW or any(map(_is_final, outcomes)):
            self.stop()

    def _update_checksums(self) -> FileError | None:
        # A folder gets the list with the first bulk download; from then on it is kept true.
        return update_checksums(self._folder, self._checksums, may_create=len(self._subjects) > 1)

    def _outcome(self, number: int) -> DownloadOutcome:
        outcome = self._outcomes[number]
        return outcome or DownloadOutcome(self._subjects[number].id, None, _NOT_FETCHED)


async def to_the_end(function: Callable[[], Result], then: Callable[[Result], None]) -> None:
    """Run a function in a thread and then another here, both also where this is cancelled.

    What a thread writes is written whole, and somebody hears of it.
    """
    running = asyncio.ensure_future(asyncio.to_thread(function))
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError as error:
            # However often: an impatient user presses Ctrl-C more than once.
            cancelled = error
    then(running.result())
    if cancelled is not None:
        raise cancelled


def _is_final(outcome: Saved | TuiLicensesError) -> bool:
    """Say whether the folder took a file no more: it takes none of the others either."""
    return isinstance(outcome, FileError) and outcome.code in FOLDER_REFUSALS


def _is_general(outcome: Saved | TuiLicensesError) -> bool:
    """Say whether an outcome is an error of network, sign-in or disk, not of one item."""
    if isinstance(outcome, FileError):
        return outcome.code != "file-exists"
    return isinstance(outcome, UnavailableError | SignInError)


_NOT_FETCHED = StateError(
    "not-fetched",
    "Not fetched: the download was stopped before.",
    "Start it again: what is here already is not fetched twice.",
)
