"""C5: a keyring that is missing, silent or failing, when a sign-in is kept and when it is read."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.scripted_server import SIGNED_IN, Received, http, scripted_server, signing_in
from tests.trust.harness import Broken, Run, TrustClass
from tui_licenses import paths, wiring
from tui_licenses.config import Context
from tui_licenses.credentials import Credentials
from tui_licenses.errors import FileError
from tui_licenses.secret import Secret
from tui_licenses.service.sign_in import Keeping, keeping_of, load_credentials

_ROOT = Path(__file__).parents[3]
_TOKEN = "tlr_" + "Xy7_" * 10
_CREDENTIALS = Credentials("subject", Secret(_TOKEN))
# The limit is 3 s for one question; the rest is the start of a process on a busy machine.
_SECONDS_MAXIMUM = 9.0
_HANGS = "one that hangs"
# Without one, the library is not even installed.
_BACKENDS = {
    "no library": None,
    "none on this host": "keyring.backends.fail.Keyring",
    _HANGS: "tests.support.keyrings.Hanging",
    "one that fails": "tests.support.keyrings.Failing",
}

SignIn = Callable[[Context, Callable[[FileError], None]], None]


@contextmanager
def _keyring(backend: str | None) -> Iterator[None]:
    """Let programs find this keyring."""
    python = sys.executable
    os.environ["PYTHONPATH"] = str(_ROOT)
    if backend is None:
        # The interpreter below the virtual environment has no libraries.
        sys.executable = os.path.realpath(python)
    else:
        os.environ["PYTHON_KEYRING_BACKEND"] = backend
    try:
        yield
    finally:
        sys.executable = python
        os.environ.pop("PYTHON_KEYRING_BACKEND", None)
        del os.environ["PYTHONPATH"]


def _names(run: Run) -> list[str]:
    """Return which keyrings to try: always the one that hangs, where an end is promised too."""
    others = [name for name in _BACKENDS if name != _HANGS]
    return [_HANGS, *run.choose(others, fast=1)]


def _keep(run: Run, name: str, sign_in: SignIn) -> None:
    told: list[FileError] = []
    context = Context("acme", "http://127.0.0.1:1")
    started = time.monotonic()
    sign_in(context, told.append)
    seconds = time.monotonic() - started
    run.disturb()
    run.expect(seconds < _SECONDS_MAXIMUM, Broken.OTHER, f"{name}: kept after {seconds:.1f} s")
    run.expect(len(told) == 1, Broken.OTHER, f"{name}: told {len(told)} times")
    run.expect(_TOKEN not in repr(told), Broken.OTHER, f"{name}: the token is told")
    run.expect(load_credentials(context) == _CREDENTIALS, Broken.LOST, f"{name}: not kept")
    run.expect(keeping_of(context) is Keeping.FILE, Broken.OTHER, f"{name}: not in the file")


def _read(run: Run, name: str) -> None:
    context = Context("kept", "http://127.0.0.1:1")
    file = paths.credentials_file(context.name)
    paths.private_folder(file.parent)
    file.touch(mode=0o600)
    file.write_bytes(b'{"subjectId":"subject"}')
    started = time.monotonic()
    run.disturb()
    try:
        load_credentials(context)
    except FileError as error:
        is_told = error.code == "keyring-unavailable" and bool(error.next_step)
        run.expect(is_told, Broken.OTHER, f"{name}: {error}")
    else:
        run.report(Broken.FORGED, f"{name}: something was read")
    seconds = time.monotonic() - started
    run.expect(seconds < _SECONDS_MAXIMUM, Broken.OTHER, f"{name}: read for {seconds:.1f} s")


def _sign_in(context: Context, tell: Callable[[FileError], None]) -> None:
    async def work() -> None:
        def respond(_: Received) -> bytes:
            return http(200, SIGNED_IN)

        async with scripted_server(signing_in(respond)) as server:
            there = Context(context.name, server.url)
            await wiring.sign_in(there, _CREDENTIALS, tell_no_keyring=tell)

    asyncio.run(work())


def _naive_sign_in(_context: Context, _tell: Callable[[FileError], None]) -> None:
    """Trust the keyring to have kept it, and wait no longer than for a test."""
    command = (sys.executable, "-P", "-m", "keyring", "set", "naive", "subject")
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(command, input=_TOKEN, text=True, timeout=1, capture_output=True)


def _run(run: Run) -> None:
    for name in _names(run):
        with _keyring(_BACKENDS[name]):
            with run.case(f"{name}, kept"):
                _keep(run, name, _sign_in)
            with run.case(f"{name}, read"):
                _read(run, name)


def _control(run: Run) -> None:
    for name in _names(run):
        with _keyring(_BACKENDS[name]), run.case(f"{name}, kept"):
            _keep(run, name, _naive_sign_in)


CLASS = TrustClass("C5", "a keyring that is missing, silent or failing", 6, _run, _control)
