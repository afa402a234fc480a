"""Changes that are never lost and never done twice: noted before they are sent, settled after.

Every change is written to disk with its Idempotency-Key and only then sent. Its note is removed
when its outcome is known. Where no answer came, the same request is sent again with the same key,
to which the cloud answers what it answered before, or does it now: at once a few times, then with
the next command or refresh, whatever became of this process meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tui_licenses.api.answers import error_of, media_type_of
from tui_licenses.api.clock import JUDGE_SECONDS, ServerClock
from tui_licenses.api.faults import unexpected_answer
from tui_licenses.api.retries import NOT_BEGUN_STATUSES
from tui_licenses.api.schemas import BASE_PATH
from tui_licenses.api.transport import Answer, Delivery, Request, Sends
from tui_licenses.errors import (
    FileError,
    OutcomeUnknownError,
    SignInError,
    TuiLicensesError,
    UnavailableError,
)
from tui_licenses.service.journal_entries import (
    DamagedEntryError,
    Entry,
    HeldEntry,
    JournalFolder,
)

# The cloud remembers what it answered for seven days (docs/protocol.md); then the same request
# would be a new one. The last hour is left out, for clocks that differ.
REMEMBERED = timedelta(days=7) - timedelta(hours=1)

# How long to wait, in seconds, before an unknown outcome is asked for at once.
_PAUSES = (1.0, 3.0)
_AT_ONCE_SECONDS = 45.0
# Refused before the cloud looks whether it knows the request: says nothing about an earlier one.
_SAY_NOTHING = frozenset({"plan-not-eligible"})
# The cloud, or something in its place, answers: the outcome of another change can be asked for.
_OF_ONE_CHANGE = frozenset({"internal", "request-in-progress", "unexpected-answer"})
_JSON = "application/json"
_UNKNOWN = "Unknown, checking"
_CLOCK_WRONG = (
    "The clocks of this host and of the license cloud differ too much to tell whether the cloud "
    "still remembers it. Set the clock of this host (`timedatectl`, chrony) and try again."
)
_FORGOTTEN = (
    "The license cloud does not remember its outcome any more, so it is not sent again. "
    "See with `tui-licenses events list` whether it was done."
)
_SETTLE_NEXT = (
    "Do not repeat it by hand: the next command or refresh asks the license cloud again, "
    "and tells what became of it."
)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Settled:
    """What is to be told of one change.

    `is_open` says that its outcome is still not known, `is_away` that none can be asked for now.
    """

    sentence: str
    is_open: bool = False
    is_away: bool = False


class Journal:
    """Sends changes, and settles those whose outcome is not known."""

    def __init__(
        self,
        folder: JournalFolder,
        session: Sends,
        owner: Callable[[], Awaitable[str]],
        tell: Callable[[str], None] = lambda _: None,
        *,
        cloud_clock: ServerClock,
        clock: Callable[[], datetime] = _now,
        pauses: Iterable[float] = _PAUSES,
    ) -> None:
        """Prepare a journal; `owner` names cloud and subject, `tell` shows one line at once.

        `cloud_clock` is the clock that what the session sends makes known.
        """
        self._folder = folder
        self._session = session
        self._owner = owner
        self._tell = tell
        self._cloud_clock = cloud_clock
        self._clock = clock
        self._pauses = tuple(pauses)

    async def send(self, request: Request) -> Answer:
        """Note a change, send it, and return its answer, which is a success or a refusal.

        Raises `OutcomeUnknownError` where none came, `FileError` where nothing can be noted (then
        nothing was sent), and what the session raises before anything was sent.
        """
        begun_at = self._cloud_clock.now() or self._clock()
        entry = Entry.of(request, await self._owner(), begun_at)
        held = await self._noted(entry)
        try:
            return await self._answer(entry, held, self._pauses, was_lost=held.was_open)
        finally:
            held.let_go()

    async def _noted(self, entry: Entry) -> HeldEntry:
        """Note a change; one that is cancelled meanwhile is not noted."""
        noting = asyncio.get_running_loop().run_in_executor(None, self._folder.add, entry)
        try:
            return await asyncio.shield(noting)
        except asyncio.CancelledError:
            # The thread cannot be stopped.
            with suppress(FileError):
                held = await noting
                _forget_unsent(held, was_lost=held.was_open)
                held.let_go()
            raise

    async def settle(self) -> list[Settled]:
        """Ask again for every outcome that is not known; return what to tell of each.

        Raises what the sign-in raises; the cloud being away is told, not raised.
        """
        owner = await self._owner()
        told: list[Settled] = []
        for path in await asyncio.to_thread(self._folder.paths):
            held = await asyncio.to_thread(self._folder.hold, path)
            if held is None:
                continue
            try:
                settled = await self._settled(held, owner)
            finally:
                held.let_go()
            if settled is not None:
                told.append(settled)
                if settled.is_away:
                    # The others would wait for the same silence, one after the other.
                    break
        return told

    async def _settled(self, held: HeldEntry, owner: str) -> Settled | None:
        """Return what became of an entry; None for one of another sign-in, which stays."""
        try:
            entry = await asyncio.to_thread(held.read)
        except DamagedEntryError as error:
            aside = await asyncio.to_thread(held.set_aside)
            return Settled(f"{error.message} It is now {aside.name}. {error.next_step}")
        except FileError as error:
            return Settled(f"{_UNKNOWN}: {error.message} {error.next_step}", is_open=True)
        if entry.owner != owner and self._cloud_clock.now() is None:
            # Its age can be told another time.
            return None
        begun = f"{entry.what}, begun {entry.begun_at:%Y-%m-%d %H:%M} UTC"
        try:
            now = await self._cloud_now()
            if now is not None and not timedelta(days=-1) < now - entry.begun_at < REMEMBERED:
                held.remove()
                return Settled(f"Never settled: {begun}. {_FORGOTTEN}")
            if entry.owner != owner:
                return None
            if now is None:
                return Settled(f"{_UNKNOWN}: {begun}. {_CLOCK_WRONG}", is_open=True)
            answer = await self._answer(entry, held, (), was_lost=True)
        except UnavailableError as error:
            # What an `OutcomeUnknownError` came of is what to tell.
            reason = error.__cause__
            return _still_open(begun, reason if isinstance(reason, TuiLicensesError) else error)
        if _is_success(answer):
            return Settled(f"Settled: {begun}, was done.")
        refusal = error_of(answer).message
        return Settled(f"Settled: {begun}, was refused and changed nothing. {refusal}")

    async def _cloud_now(self) -> datetime | None:
        """Return the time by which the cloud forgets; None where this host's is another.

        A cloud that tells no time is taken to have this host's. Raises what the session raises.
        """
        if self._cloud_clock.now() is None:
            await self._session.send(Request("GET", f"{BASE_PATH}/users/me"))
        here = self._clock()
        there = self._cloud_clock.now() or here
        # When it was begun was perhaps noted by the same wrong clock.
        return there if abs(here - there) <= timedelta(seconds=JUDGE_SECONDS) else None

    async def _answer(
        self, entry: Entry, held: HeldEntry, pauses: Iterable[float], *, was_lost: bool
    ) -> Answer:
        """Send a change until its outcome is known; `was_lost` says that it was sent before."""
        ends = time.monotonic() + _AT_ONCE_SECONDS
        waiting = iter(pauses)
        while True:
            request = entry.request()
            delivery = request.delivery
            try:
                answer = await self._session.send(request)
            except asyncio.CancelledError:
                _forget_unsent(held, delivery, was_lost=was_lost)
                raise
            except TuiLicensesError as error:
                reason = error
                was_lost = was_lost or delivery.is_sent or delivery.was_lost
                if not was_lost:
                    held.remove()
                    raise
            else:
                was_lost = was_lost or delivery.was_lost
                undecided = _why_undecided(answer, was_lost=was_lost)
                if undecided is None:
                    held.remove()
                    return answer
                reason, was_lost = undecided, True
            pause = next(waiting, None)
            if pause is None or time.monotonic() + pause > ends:
                raise OutcomeUnknownError(entry.what, reason.message, _SETTLE_NEXT) from reason
            self._tell(f"{_UNKNOWN}: {entry.what}.")
            await asyncio.sleep(pause)


def _forget_unsent(held: HeldEntry, delivery: Delivery | None = None, *, was_lost: bool) -> None:
    """Remove the note of a cancelled change of which nothing has left this host."""
    if not was_lost and (delivery is None or not (delivery.is_sent or delivery.was_lost)):
        held.remove()


def _still_open(begun: str, reason: TuiLicensesError) -> Settled:
    is_away = (
        isinstance(reason, (SignInError, UnavailableError)) and reason.code not in _OF_ONE_CHANGE
    )
    sentence = f"{_UNKNOWN}: {begun}. {reason.message} {_SETTLE_NEXT}"
    return Settled(sentence, is_open=True, is_away=is_away)


def _why_undecided(answer: Answer, *, was_lost: bool) -> TuiLicensesError | None:
    """Return why an answer does not tell the outcome of a change, or None where it does."""
    if _is_success(answer):
        return None
    if 200 <= answer.status < 300:
        return unexpected_answer("Something answered in place of the license cloud.")
    error = error_of(answer)
    says_nothing = isinstance(error, SignInError) or error.code in _SAY_NOTHING
    if says_nothing or answer.status in NOT_BEGUN_STATUSES:
        # Nothing came of this try; what came of one before it stays open.
        return error if was_lost else None
    return error if isinstance(error, UnavailableError) else None


def _is_success(answer: Answer) -> bool:
    return 200 <= answer.status < 300 and media_type_of(answer) == _JSON
