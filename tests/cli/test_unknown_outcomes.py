"""A change without an answer is unknown, not failed; the next command tells what became of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.support.scripted_server import (
    Answer,
    Behaviour,
    Received,
    http,
    scripted_server,
    signing_in,
)
from tests.support.values import make_instance
from tui_licenses import paths
from tui_licenses.cli.records import instance_record
from tui_licenses.config import Configuration, Context, save_configuration

INSTANCE = make_instance(revision=3)
RENAMED = make_instance(name="My name", revision=4)
RENAME = ("instances", "rename", INSTANCE.id, "My name")


class Cloud:
    """Answers changes as told, and remembers the keys they came with."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.changes: list[Received] = []

    def respond(self, request: Received) -> Answer:
        if request.method == "GET":
            return http(200, instance_record(INSTANCE), {"ETag": '"3"'})
        self.changes.append(request)
        return self.answer


async def start(url: str, *arguments: str) -> asyncio.subprocess.Process:
    sign_in = {"TUI_LICENSES_SUBJECT_ID": "somebody", "TUI_LICENSES_REFRESH_TOKEN": "secret"}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tui_licenses", *arguments),
        env={**os.environ, "TUI_LICENSES_URL": url, **sign_in},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def end(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    output, notes = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, output.decode(), notes.decode()


def noted() -> list[Path]:
    return list(paths.journal_folder("environment").glob("*.change"))


async def test_an_answer_that_never_comes_is_unknown_until_the_next_command_asks() -> None:
    cloud = Cloud(http(200, b"<html>", {"Content-Type": "text/html"}))
    async with scripted_server(signing_in(cloud.respond)) as server:
        status, output, notes = await end(await start(server.url, *RENAME, "--format", "json"))
        document = json.loads(output)
        assert status == 7
        assert document["result"] == "unknown"
        assert document["errors"][0]["code"] == "outcome-unknown"
        assert "Unknown, checking: the new name “" in notes
        assert "\nUnknown: It is not known whether this was done" in notes
        assert "Error" not in notes
        cloud.answer = http(200, instance_record(RENAMED))
        status, _, notes = await end(await start(server.url, "instances", "show", INSTANCE.id))
        assert status == 0
        new_name = f"the new name “{RENAMED.name}” of instance {INSTANCE.id[:8]}"
        assert f"Settled: {new_name}, begun" in notes
        assert ", was done." in notes
        _, _, notes = await end(await start(server.url, "instances", "show", INSTANCE.id))
        assert "Settled" not in notes
    assert len({one.headers["idempotency-key"] for one in cloud.changes}) == 1
    assert len({one.body for one in cloud.changes}) == 1
    assert noted() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_a_program_that_is_stopped_while_it_sends_leaves_a_note(number: int) -> None:
    cloud = Cloud(Behaviour.HANG)
    async with scripted_server(signing_in(cloud.respond)) as server:
        process = await start(server.url, *RENAME)
        await server.asked(2)
        process.send_signal(number)
        status, _, notes = await end(process)
        assert len(noted()) == 1
        if number == signal.SIGINT:
            assert status == 130
            assert "it is not known whether it was done" in notes
        assert "Traceback" not in notes
        cloud.answer = http(200, instance_record(RENAMED))
        _, _, notes = await end(await start(server.url, "instances", "show", INSTANCE.id))
        assert ", was done." in notes
    first, second = cloud.changes
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert noted() == []


async def test_a_note_is_settled_by_what_asks_the_cloud_only(tmp_path: Path) -> None:
    cloud = Cloud(Behaviour.HANG)
    async with scripted_server(signing_in(cloud.respond)) as server:
        process = await start(server.url, *RENAME)
        await server.asked(2)
        process.kill()
        await end(process)
        words = ("profile", "--to", str(tmp_path / "profile.xml"))
        assert (await end(await start(server.url, *words)))[0] == 0
    assert len(cloud.changes) == 1
    assert len(noted()) == 1


async def test_a_context_that_goes_says_what_it_leaves_open() -> None:
    save_configuration(Configuration(contexts=(Context("work", "https://cloud.example"),)))
    folder = paths.journal_folder("work")
    folder.mkdir(parents=True)
    (folder / "6f1c2f0e-1d5c-4f6e-9c57-0d7b5e1f2a3b.change").touch()
    status, _, notes = await end(await start("", "context", "remove", "work"))
    assert status == 0
    assert "changes whose outcome is not known" in notes
    assert str(folder) in notes


async def test_a_clock_that_is_wrong_is_told() -> None:
    def respond(request: Received) -> Answer:
        old = {"Date": "Wed, 01 Jan 2020 00:00:00 GMT"}
        return http(200, instance_record(INSTANCE), old)

    async with scripted_server(signing_in(respond)) as server:
        words = ("instances", "show", INSTANCE.id, "--format", "json")
        _, output, notes = await end(await start(server.url, *words))
    assert "Warning: The clock of this host is" in notes
    assert "ahead of the license cloud's" in json.loads(output)["warnings"][0]
