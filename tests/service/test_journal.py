"""A change is noted before it is sent, and forgotten only when its outcome is known."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path

import pytest

from tests.support.scripted_server import (
    Answer,
    Behaviour,
    Received,
    Responder,
    http,
    problem,
    scripted_server,
    signing_in,
)
from tui_licenses import paths
from tui_licenses.api.retries import Persistence
from tui_licenses.api.session import Session
from tui_licenses.api.transport import Request, TimeLimits, Transport
from tui_licenses.credentials import Credentials
from tui_licenses.errors import (
    FileError,
    OutcomeUnknownError,
    SignInError,
    UnavailableError,
)
from tui_licenses.secret import Secret
from tui_licenses.service.journal import REMEMBERED, Journal
from tui_licenses.service.journal_entries import Entry, JournalFolder

KEY = "6f1c2f0e-1d5c-4f6e-9c57-0d7b5e1f2a3b"
CHANGE = Request(
    "POST",
    "/api/v3/licensing/keys/K/release",
    headers={"Content-Type": "application/json", "Idempotency-Key": KEY},
    body=b'{"reason":"moved"}',
    what="the release of key K",
)
DONE = http(200, {"done": True})
REFUSED = problem("key-revoked", 409)
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def folder() -> Path:
    return paths.journal_folder("work")


def entries() -> list[Path]:
    return sorted(folder().glob("*.change")) if folder().exists() else []


def scripted(*answers: Answer) -> Responder:
    script: Iterator[Answer] = chain(answers, repeat(answers[-1]))
    return signing_in(lambda _: next(script))


class Client:
    """A journal that speaks to a scripted cloud; every client is a new start of the program."""

    def __init__(self, url: str, subject: str = "subject", now: datetime = NOW) -> None:
        self.told: list[str] = []
        limits = TimeLimits(connect=1, read=0.3, write=1, whole=0.6)
        self.transport = Transport(url, limits=limits, persistence=Persistence(base=0.01))
        self.subject = subject

        async def credentials() -> Credentials:
            return Credentials(self.subject, Secret("refresh"))

        async def owner() -> str:
            return f"{url}\n{self.subject}"

        self.journal = Journal(
            JournalFolder(folder()),
            Session(self.transport, credentials),
            owner,
            self.told.append,
            cloud_clock=self.transport.clock,
            clock=lambda: now,
            pauses=(0.01, 0.02),
        )

    async def send(self) -> int:
        try:
            return (await self.journal.send(CHANGE)).status
        finally:
            await self.transport.aclose()

    async def settle(self) -> list[str]:
        try:
            return [settled.sentence for settled in await self.journal.settle()]
        finally:
            await self.transport.aclose()


def left_open(url: str, now: datetime = NOW) -> Path:
    """Leave a change open, as a process that was killed leaves it."""
    JournalFolder(folder()).add(Entry.of(CHANGE, f"{url}\nsubject", now)).let_go()
    (path,) = entries()
    return path


async def test_a_change_stands_in_a_private_file_before_it_is_sent() -> None:
    seen: list[tuple[int, bytes]] = []

    def respond(request: Received) -> Answer:
        (path,) = entries()
        seen.append((path.stat().st_mode & 0o777, path.read_bytes()))
        assert request.headers["idempotency-key"] == path.stem == KEY
        return DONE

    async with scripted_server(signing_in(respond)) as server:
        assert await Client(server.url).send() == 200
    ((mode, content),) = seen
    assert mode == 0o600
    assert folder().stat().st_mode & 0o777 == 0o700
    assert content.endswith(b"\n" + (CHANGE.body or b""))
    assert entries() == []


async def test_a_refusal_is_an_outcome() -> None:
    async with scripted_server(scripted(REFUSED)) as server:
        assert await Client(server.url).send() == 409
        assert len(server.paths()) == 1
    assert entries() == []


@pytest.mark.parametrize("lost", [Behaviour.CUT, Behaviour.HANG, problem("internal", 500)])
async def test_a_lost_answer_is_asked_for_at_once_and_never_called_a_failure(lost: Answer) -> None:
    async with scripted_server(scripted(lost, DONE)) as server:
        client = Client(server.url)
        assert await client.send() == 200
        sent = [one for one in server.received if one.path == CHANGE.path]
    assert {one.headers["idempotency-key"] for one in sent} == {KEY}
    assert {one.body for one in sent} == {CHANGE.body}
    assert len(sent) == 2
    assert all(line == "Unknown, checking: the release of key K." for line in client.told)
    assert entries() == []


@pytest.mark.parametrize(
    "lost",
    [
        Behaviour.CUT,
        Behaviour.HANG,
        http(200, b"<html>", {"Content-Type": "text/html"}),
        http(502, b"<html>", {"Content-Type": "text/html"}),
        problem("request-in-progress", 409),
        http(302, b"", {"Location": "https://portal.example"}),
    ],
)
async def test_an_outcome_that_stays_unknown_is_settled_by_the_next_start(lost: Answer) -> None:
    times = 12
    async with scripted_server(scripted(*([lost] * times), DONE)) as server:
        with pytest.raises(OutcomeUnknownError) as caught:
            await Client(server.url).send()
        assert "the release of key K" in caught.value.message
        assert "by hand" in caught.value.next_step
        assert len(entries()) == 1
        told = []
        # Lost once at least already, and asked for by every start: these are enough.
        for _ in range(times):
            told += await Client(server.url).settle() if entries() else []
        assert entries() == []
    assert told[-1] == "Settled: the release of key K, begun 2026-07-01 12:00 UTC, was done."
    assert all("Unknown, checking: the release of key K" in line for line in told[:-1])


async def test_what_never_left_this_host_is_a_failure_and_no_riddle() -> None:
    async with scripted_server(scripted(DONE)) as server:
        url = server.url
    with pytest.raises(UnavailableError) as caught:
        await Client(url).send()
    assert not isinstance(caught.value, OutcomeUnknownError)
    assert caught.value.code == "connection-refused"
    assert entries() == []


@pytest.mark.parametrize(
    "answer", [problem("rate-limited", 429, {"Retry-After": "600"}), problem("token-invalid", 401)]
)
async def test_what_the_cloud_did_not_begin_is_a_failure_and_no_riddle(answer: Answer) -> None:
    async with scripted_server(scripted(answer)) as server:
        assert await Client(server.url).send() in {401, 429}
    assert entries() == []


async def test_a_refusal_to_look_says_nothing_about_what_was_sent_before() -> None:
    async with scripted_server(scripted(problem("plan-not-eligible", 403))) as server:
        left_open(server.url)
        (told,) = await Client(server.url).settle()
        assert told.startswith("Unknown, checking: the release of key K")
    assert len(entries()) == 1


async def test_a_role_is_looked_at_after_what_was_sent_before() -> None:
    async with scripted_server(scripted(problem("role-insufficient", 403))) as server:
        left_open(server.url)
        (told,) = await Client(server.url).settle()
    assert "was refused and changed nothing" in told
    assert entries() == []


async def test_a_change_that_was_refused_meanwhile_is_told_as_that() -> None:
    async with scripted_server(scripted(REFUSED)) as server:
        left_open(server.url)
        (told,) = await Client(server.url).settle()
    assert "was refused and changed nothing. About key-revoked." in told
    assert entries() == []


async def test_a_change_of_another_sign_in_waits_for_that_one() -> None:
    async with scripted_server(scripted(DONE)) as server:
        left_open(server.url)
        assert await Client(server.url, subject="somebody else").settle() == []
        assert server.paths() == []
    assert len(entries()) == 1


@pytest.mark.parametrize("age", [REMEMBERED, timedelta(days=400), timedelta(days=-2)])
async def test_what_the_cloud_has_forgotten_is_told_and_never_sent(age: timedelta) -> None:
    async with scripted_server(scripted(DONE)) as server:
        left_open(server.url, NOW - age)
        (told,) = await Client(server.url).settle()
        assert CHANGE.path not in server.paths()
    assert told.startswith("Never settled: the release of key K")
    assert "events list" in told
    assert entries() == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data.replace(b"moved", b"mover"),
        lambda data: data.replace(b"/api/v3/licensing/", b"/api/v3/elsewhere/"),
        lambda data: data.replace(b'"POST"', b'"CONNECT"'),
        lambda data: data.replace(b'"headers":{', b'"headers":{"Cookie":"x",'),
        lambda data: b"[" * 100_000,
        lambda data: os.urandom(5000),
    ],
)
async def test_a_damaged_note_is_set_aside_and_told(damage: Callable[[bytes], bytes]) -> None:
    async with scripted_server(scripted(DONE)) as server:
        path = left_open(server.url)
        path.write_bytes(damage(path.read_bytes()))
        (told,) = await Client(server.url).settle()
        assert server.paths() == []
        assert await Client(server.url).settle() == []
    assert path.name in told
    assert path.with_suffix(".damaged").exists()
    assert entries() == []


async def test_a_note_that_others_could_write_is_not_believed() -> None:
    async with scripted_server(scripted(DONE)) as server:
        left_open(server.url).chmod(0o666)
        (told,) = await Client(server.url).settle()
        assert server.paths() == []
    assert "is no entry of the journal" in told


async def test_a_change_that_is_being_sent_is_left_to_whoever_sends_it() -> None:
    settled: list[str] = []

    async with scripted_server(scripted(DONE)) as server:
        held = JournalFolder(folder()).add(Entry.of(CHANGE, f"{server.url}\nsubject", NOW))
        settled += await Client(server.url).settle()
        assert settled == []
        held.let_go()
        settled += await Client(server.url).settle()
    assert len(settled) == 1


async def test_without_a_journal_nothing_is_sent() -> None:
    folder().parent.mkdir(parents=True)
    folder().write_text("in the way")
    async with scripted_server(scripted(DONE)) as server:
        with pytest.raises(FileError):
            await Client(server.url).send()
        assert server.paths() == []


async def test_without_a_sign_in_nothing_is_noted() -> None:
    async with scripted_server(lambda _: problem("invalid-refresh-token", 401)) as server:
        with pytest.raises(SignInError):
            await Client(server.url).send()
    assert entries() == []
