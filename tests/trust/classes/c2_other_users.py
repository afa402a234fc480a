"""C2: what another user finds in /proc while a program holds a secret, and what its children get.

The program waits for a cloud that does not answer, with its secrets in hand.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.scripted_server import Answer, Behaviour, Received, problem, scripted_server
from tests.trust.harness import Broken, Run, TrustClass
from tui_licenses.config import Configuration, Context, save_configuration
from tui_licenses.credentials import Credentials
from tui_licenses.documents.passphrase import Cost
from tui_licenses.files import write_private
from tui_licenses.secret import Secret
from tui_licenses.service.sign_in import save_credentials

_ROOT = Path(__file__).parents[3]
_TOKEN = "tlr_" + "Qz5-" * 10
_PASSPHRASE = "a canary in a coal mine"
_CANARIES = (_TOKEN.encode(), _PASSPHRASE.encode())
_ANOTHER_USER = 65534
_CHEAP = Cost(memory_kib=8, iterations=1, lanes=1)
_PROGRAM = (sys.executable, "-m", "tui_licenses")
_SECONDS_MAXIMUM = 60
_NO_CORE = re.compile(r"^Max core file size +0 +0 ", re.MULTILINE)
# The program runs to its end, and then starts another as it would start any.
_WITH_CHILD = """
import subprocess
from tui_licenses.__main__ import main
try:
    main()
except SystemExit:
    pass
subprocess.run(["cat", "/proc/self/environ"], check=True)
"""


@dataclass(frozen=True)
class _Way:
    """A way in which the program gets its secret."""

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = ("whoami",)
    stdin: str = ""


def _ways(run: Run, url: str) -> list[_Way]:
    places = {"TUI_LICENSES_URL": url, "TUI_LICENSES_SUBJECT_ID": "subject"}
    plain, sealed = Context("plain", url), Context("sealed", url)
    save_configuration(Configuration(contexts=(plain, sealed)))
    credentials = Credentials("subject", Secret(_TOKEN))
    save_credentials(plain, credentials)
    save_credentials(sealed, credentials, Secret(_PASSPHRASE), _CHEAP)
    service = run.folder / "service"
    service.mkdir(mode=0o700, exist_ok=True)
    write_private(service / "tui-licenses-refresh-token", _TOKEN.encode())
    write_private(service / "tui-licenses-passphrase", _PASSPHRASE.encode())
    return [
        _Way("environment", {**places, "TUI_LICENSES_REFRESH_TOKEN": _TOKEN}),
        _Way("input", {}, ("login", "--url", url, "--token-stdin"), f"subject\n{_TOKEN}\n"),
        _Way("file", {"TUI_LICENSES_CONTEXT": "plain"}),
        _Way(
            "passphrase file",
            {
                "TUI_LICENSES_CONTEXT": "sealed",
                "TUI_LICENSES_PASSPHRASE_FILE": str(service / "tui-licenses-passphrase"),
            },
        ),
        _Way(
            "passphrase on an open file",
            {"TUI_LICENSES_CONTEXT": "sealed", "TUI_LICENSES_PASSPHRASE_FILE": "/dev/fd/0"},
            stdin=_PASSPHRASE,
        ),
        _Way("service credential", {**places, "CREDENTIALS_DIRECTORY": str(service)}),
    ]


async def _watch(run: Run) -> None:
    asked = asyncio.Event()

    def respond(_: Received) -> Answer:
        asked.set()
        return Behaviour.HANG

    async with scripted_server(respond) as waiting, scripted_server(_refuse) as refusing:
        for way in run.choose(_ways(run, waiting.url), fast=3):
            asked.clear()
            with run.case(way.name):
                process = await _start(_PROGRAM, way)
                async with asyncio.timeout(_SECONDS_MAXIMUM):
                    await asked.wait()
                await _look(run, way.name, process)
        for way in run.choose(_ways(run, refusing.url), fast=3):
            with run.case(f"{way.name}, child"):
                await _look_at_child(run, way)


def _refuse(_: Received) -> bytes:
    return problem("invalid-refresh-token", 401)


async def _start(program: Sequence[str], way: _Way) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *program,
        *way.arguments,
        env={**os.environ, "PYTHONPATH": str(_ROOT), **way.environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(way.stdin.encode())
    process.stdin.close()
    return process


async def _look(run: Run, name: str, process: asyncio.subprocess.Process) -> None:
    """Look at a process that runs as another user would, and end it."""
    try:
        seen = _seen_by_another(process.pid)
        run.expect(b"python" in seen, Broken.OTHER, f"{name}: nothing was seen")
        for canary in _CANARIES:
            run.expect(canary not in seen, Broken.OTHER, f"{name}: {canary!r} in /proc")
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        run.expect(bool(_NO_CORE.search(limits)), Broken.OTHER, f"{name}: would dump core")
        run.disturb()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        told = b"".join(await process.communicate())
        for canary in _CANARIES:
            run.expect(canary not in told, Broken.OTHER, f"{name}: {canary!r} is told")


async def _look_at_child(run: Run, way: _Way) -> None:
    process = await _start((sys.executable, "-c", _WITH_CHILD), way)
    told, _ = await process.communicate()
    run.expect(b"PYTHONPATH=" in told, Broken.OTHER, f"{way.name}: no child was started")
    for canary in _CANARIES:
        run.expect(canary not in told, Broken.OTHER, f"{way.name}: a child gets {canary!r}")
    run.disturb()


def _seen_by_another(process_id: int) -> bytes:
    """Return all that another user can read of a process, its threads included."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        if os.getuid() == 0:
            # Without root another user cannot be played: one's own other programs read no more.
            os.setgroups([])
            os.setgid(_ANOTHER_USER)
            os.setuid(_ANOTHER_USER)
        with os.fdopen(writing, "wb") as stream, suppress(OSError):
            for folder in (f"/proc/{process_id}", f"/proc/{process_id}/task/{process_id}"):
                for name in ("cmdline", "environ", "comm", "stat", "status", "maps", "cgroup"):
                    with suppress(OSError):
                        stream.write(Path(folder, name).read_bytes())
                with suppress(OSError):
                    stream.write(os.fsencode(Path(folder, "cwd").readlink()))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        seen = stream.read()
    os.waitpid(child, 0)
    return seen


def _run(run: Run) -> None:
    asyncio.run(_watch(run))


def _control(run: Run) -> None:
    """Give the token as an argument."""

    async def watch() -> None:
        program = (sys.executable, "-c", "import time; print(flush=True); time.sleep(60)")
        process = await _start(program, _Way("argument", arguments=(_TOKEN,)))
        assert process.stdout is not None
        await process.stdout.readline()
        await _look(run, "argument", process)

    asyncio.run(watch())


CLASS = TrustClass("C2", "/proc as another user sees it, and children", 12, _run, _control)
