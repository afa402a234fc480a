"""What the journal keeps, and what it goes on with, where an outcome cannot be known yet."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import format_datetime
from uuid import uuid4

import pytest

from tests.service.test_journal import (
    CHANGE,
    DONE,
    NOW,
    Client,
    entries,
    folder,
    left_open,
    scripted,
)
from tests.support.scripted_server import (
    TOKEN_PATH,
    Answer,
    Behaviour,
    Received,
    ScriptedServer,
    http,
    problem,
    scripted_server,
    signing_in,
)
from tui_licenses.api.transport import IDEMPOTENCY_KEY, Request
from tui_licenses.errors import OutcomeUnknownError
from tui_licenses.service.journal import REMEMBERED
from tui_licenses.service.journal_entries import Entry, HeldEntry, JournalFolder


def _with_key(key: str) -> Request:
    return Request(
        CHANGE.method,
        CHANGE.path,
        headers={**CHANGE.headers, IDEMPOTENCY_KEY: key},
        body=CHANGE.body,
        what=CHANGE.what,
    )


def _leave_three_open(url: str) -> list[str]:
    keys = [str(uuid4()) for _ in range(3)]
    for key in keys:
        JournalFolder(folder()).add(Entry.of(_with_key(key), f"{url}\nsubject", NOW)).let_go()
    return keys


class _SlowFolder(JournalFolder):
    """Says when a note is being written, and writes it when it may."""

    def __init__(self) -> None:
        super().__init__(folder())
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()

    def add(self, entry: Entry) -> HeldEntry:
        self.has_begun.set()
        assert self.may_go_on.wait(5)
        return super().add(entry)


async def _cancelled_in_the_sign_in(open_before: bool) -> str:
    """Cancel a change that has not left yet; return the address of its cloud."""
    is_asked = asyncio.Event()

    def respond(request: Received) -> Answer:
        assert request.path == TOKEN_PATH
        is_asked.set()
        return Behaviour.HANG

    async with scripted_server(respond) as server:
        if open_before:
            left_open(server.url)
        sending = asyncio.create_task(Client(server.url).send())
        await is_asked.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        return server.url


async def test_a_change_cancelled_before_anything_has_left_is_not_done_later() -> None:
    await _cancelled_in_the_sign_in(open_before=False)
    assert entries() == []


async def test_a_change_cancelled_while_it_is_noted_is_not_done_later() -> None:
    async with scripted_server(scripted(DONE)) as server:
        client, slow = Client(server.url), _SlowFolder()
        client.journal._folder = slow
        sending = asyncio.create_task(client.send())
        await asyncio.to_thread(slow.has_begun.wait, 5)
        sending.cancel()
        slow.may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert server.received == []
    assert entries() == []


async def test_a_change_cancelled_after_it_has_left_stays_open() -> None:
    async with scripted_server(signing_in(lambda _: Behaviour.HANG)) as server:
        client = Client(server.url)
        sending = asyncio.create_task(client.send())
        await server.asked(1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    assert len(entries()) == 1


async def test_a_change_that_was_open_before_stays_open_when_its_repeat_never_leaves() -> None:
    url = await _cancelled_in_the_sign_in(open_before=True)
    assert len(entries()) == 1
    with pytest.raises(OutcomeUnknownError):
        await Client(url).send()
    assert len(entries()) == 1


async def test_a_conflict_without_the_present_value_leaves_the_change_open() -> None:
    async with scripted_server(scripted(problem("revision-mismatch", 412))) as server:
        keys = _leave_three_open(server.url)
        told = await Client(server.url).settle()
    assert len(told) == len(entries()) == len(keys)
    assert all(line.startswith("Unknown, checking: ") for line in told)


async def test_one_change_that_stays_open_does_not_hold_up_the_others() -> None:
    stuck = ""

    def respond(request: Received) -> Answer:
        in_progress = problem("request-in-progress", 409)
        return in_progress if request.headers.get("idempotency-key") == stuck else DONE

    async with scripted_server(signing_in(respond)) as server:
        stuck = _leave_three_open(server.url)[0]
        told = await Client(server.url).settle()
    assert [path.stem for path in entries()] == [stuck]
    assert sum("was done" in line for line in told) == 2


async def test_where_the_cloud_is_silent_one_change_waits_for_all() -> None:
    async with scripted_server(signing_in(lambda _: Behaviour.HANG)) as server:
        _leave_three_open(server.url)
        (told,) = await Client(server.url).settle()
    assert told.startswith("Unknown, checking: ")
    assert len(entries()) == 3


async def test_a_note_that_others_can_read_is_kept_and_told_with_what_mends_it() -> None:
    async with scripted_server(scripted(DONE)) as server:
        path = left_open(server.url)
        path.chmod(0o640)
        (told,) = await Client(server.url).settle()
        assert f"chmod 600 {path}" in told
        assert CHANGE.path not in server.paths()
        path.chmod(0o600)
        (told,) = await Client(server.url).settle()
    assert "was done" in told


@asynccontextmanager
async def _cloud_at(ahead: timedelta) -> AsyncIterator[ScriptedServer]:
    date = {"Date": format_datetime(NOW + ahead, usegmt=True)}
    async with scripted_server(signing_in(lambda _: http(200, {}, date))) as server:
        yield server


async def test_the_cloud_tells_by_its_own_clock_what_it_has_forgotten() -> None:
    async with _cloud_at(timedelta(seconds=100)) as server:
        left_open(server.url, NOW - REMEMBERED + timedelta(seconds=50))
        (told,) = await Client(server.url).settle()
        assert CHANGE.path not in server.paths()
    assert told.startswith("Never settled: ")
    assert entries() == []


@pytest.mark.parametrize("ahead", [timedelta(days=8), timedelta(days=-8), timedelta(seconds=302)])
@pytest.mark.parametrize("age", [timedelta(), REMEMBERED])
async def test_by_a_wrong_clock_a_change_is_neither_sent_nor_forgotten(
    ahead: timedelta, age: timedelta
) -> None:
    async with _cloud_at(ahead) as server:
        left_open(server.url, NOW - age)
        (told,) = await Client(server.url).settle()
        assert CHANGE.path not in server.paths()
    assert "Set the clock of this host" in told
    assert len(entries()) == 1
