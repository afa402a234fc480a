"""Changes that somebody else was faster with, and clouds that answer strangely."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import pytest

from tests.support.scripted_server import (
    Answer,
    Received,
    http,
    problem,
    scripted_server,
    signing_in,
)
from tests.support.values import make_instance
from tui_licenses.cli.records import instance_record
from tui_licenses.domain.instance import Instance, Location

MINE = make_instance(revision=3)
THEIRS = make_instance(name="Their name", location=Location("FR", None), revision=4)


def _respond(request: Received) -> Answer:
    etag = {"ETag": f'"{MINE.revision}"'}
    if request.method == "GET":
        return http(200, instance_record(MINE), etag)
    return problem("revision-mismatch", 412, current=instance_record(THEIRS))


async def _run(url: str, *arguments: str) -> tuple[int, str, str]:
    sign_in = {"TUI_LICENSES_SUBJECT_ID": "somebody", "TUI_LICENSES_REFRESH_TOKEN": "secret"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tui_licenses",
        *arguments,
        env={**os.environ, "TUI_LICENSES_URL": url, **sign_in},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, notes = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, output.decode(), notes.decode()


@pytest.mark.parametrize(
    ("words", "theirs", "mine"),
    [
        (("rename", MINE.id, "My name"), "Their name", "My name"),
        (("relocate", MINE.id, "--country", "de", "--label", "Bonn"), "FR", "DE Bonn"),
    ],
)
async def test_a_change_that_came_too_late_shows_both_values(
    words: tuple[str, ...], theirs: str, mine: str
) -> None:
    async with scripted_server(signing_in(_respond)) as server:
        status, output, notes = await _run(server.url, "instances", *words, "--format", "json")
    error = json.loads(output)["errors"][0]
    assert (status, error["code"]) == (5, "revision-mismatch")
    assert f"Theirs: {theirs}. Yours: {mine}." in error["message"]
    assert error["message"] in notes


async def test_a_hostile_name_reaches_no_terminal_as_it_is() -> None:
    hostile: Instance = make_instance(name="a\x1b[31mb\u202ec")

    def respond(request: Received) -> Answer:
        return http(200, instance_record(hostile), {"ETag": '"3"'})

    async with scripted_server(signing_in(respond)) as server:
        for format_ in ("table", "csv", "json", "jsonl"):
            words = ("instances", "show", hostile.id, "--format", format_)
            status, output, _ = await _run(server.url, *words)
            assert status == 0
            assert "\x1b" not in output
            assert "\u202e" not in output
            if format_ == "json":
                assert json.loads(output)["data"]["name"] == hostile.name


async def test_a_cloud_that_wants_to_be_left_alone_says_for_how_long() -> None:
    def respond(request: Received) -> Answer:
        return problem("rate-limited", 429, {"Retry-After": "3600"}, requestId="request-1")

    async with scripted_server(signing_in(respond)) as server:
        status, output, _ = await _run(server.url, "keys", "lookup", "A" * 16, "--format", "json")
    error = json.loads(output)["errors"][0]
    assert (status, error["code"], error["requestId"]) == (7, "rate-limited", "request-1")
    assert error["retryAfterSeconds"] == 3600
