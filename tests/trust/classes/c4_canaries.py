"""C4: a secret that can be told from any other text, through every error that can be forced.

It is looked for on both streams, in what `--format json` reports, in the log, and in every file.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from tests.support.scripted_server import (
    TOKEN_PATH,
    Answer,
    Received,
    http,
    scripted_server,
    sign_in_environment,
)
from tests.trust.dashboard_errors import DASHBOARD_ERRORS, run_dashboard_error
from tests.trust.forced_errors import ANSWERS, FORCED_ERRORS, LATER, ForcedError
from tests.trust.forked_program import Left, import_all, naive_main, run_program
from tests.trust.harness import Broken, Run, TrustClass

# Where a secret may be: it was put there on purpose.
_ITS_PLACES = ("credentials", "access-tokens", "config.toml")

Program = Callable[[ForcedError, str, str, Path, bool], Left]


def _canary(run: Run) -> str:
    body = base64.urlsafe_b64encode(run.random.randbytes(30)).decode()
    return run.random.choice(("tlr_", "", "tla_")) + "aB3" + body.replace("-", "x")


def _forms(canary: str) -> tuple[bytes, ...]:
    text = canary.encode()
    return (text, base64.b64encode(text), quote(canary).encode(), text[3:-3])


def _places(run: Run, errors: tuple[ForcedError, ...], program: Program, url: str) -> None:
    import_all()
    for number, error in enumerate(run.choose(errors, fast=14)):
        token = _canary(run)
        home = run.folder / f"{number}"
        with run.case(error.name):
            left = program(error, token, url, home, False)
            report = program(error, token, url, home, True)
            run.expect(left.status != 0, Broken.OTHER, f"{error.name}: no error was forced")
            found = {
                "output": left.output,
                "notes": left.notes + report.notes,
                "report": report.output,
                "log": report.log(),
                "files": report.files(*_ITS_PLACES),
            }
            _look(run, error.name, token, found)


def _look(run: Run, name: str, token: str, found: dict[str, bytes]) -> None:
    for place, data in found.items():
        for form in _forms(token):
            run.expect(form not in data, Broken.OTHER, f"{name}: {form!r} in its {place}")
        is_told = b"Traceback" not in data
        run.expect(is_told, Broken.UNHANDLED, f"{name}: a traceback in its {place}")
        run.disturb()


def _program(error: ForcedError, token: str, url: str, home: Path, is_report: bool) -> Left:
    home.mkdir(mode=0o700, exist_ok=True)
    for name, text in error.files.items():
        file = home / name
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(text.format(token=token))
    environment = {
        "PATH": os.environ["PATH"],
        **sign_in_environment(f"{url}/{error.answers.replace(' ', '+')}", token),
        **{name: value.format(token=token) for name, value in error.environment.items()},
    }
    return run_program(
        [argument.format(token=token, home=home) for argument in error.arguments]
        + (["--format", "json"] if is_report else []),
        {name: value for name, value in environment.items() if value},
        home,
        error.stdin.format(token=token),
        lambda: exec(error.bug, {}),
    )


def _respond(request: Received) -> Answer:
    """Answer as the first part of the path says, at the sign-in or, "later", after it."""
    name = request.path.split("/")[1].replace("+", " ")
    if name.startswith(LATER) and request.path.endswith(TOKEN_PATH):
        token = json.loads(request.body)["refreshToken"]
        return http(200, {"accessToken": token, "expiresIn": 900, "tokenType": "Bearer"})
    return ANSWERS[name.removeprefix(LATER)](request)


def _naive(error: ForcedError, token: str, _url: str, home: Path, _is_report: bool) -> Left:
    home.mkdir(exist_ok=True)
    arguments = [argument.format(token=token, home=home) for argument in error.arguments]
    return run_program(
        ["--version"], {"PATH": os.environ["PATH"]}, home, "", lambda: naive_main(arguments)
    )


def _run(run: Run) -> None:
    async def work() -> None:
        # In a thread: the forked programs ask this process.
        async with scripted_server(_respond) as server:
            url = server.url
            await asyncio.to_thread(_places, run, FORCED_ERRORS, _program, url)

    asyncio.run(work())
    for error in run.choose(DASHBOARD_ERRORS, fast=1):
        token = _canary(run)
        with run.case(error.name):
            _look(run, error.name, token, run_dashboard_error(error, token, run.folder))


def _control(run: Run) -> None:
    _places(run, FORCED_ERRORS, _naive, "")


CLASS = TrustClass("C4", "canaries through forced errors", 300, _run, _control)
