"""Errors that are forced while a program has a secret in hand, each in a way of its own.

`{token}` stands for the secret wherever it is put: typed in the wrong place, sent back by a cloud,
lying in a damaged file, or carried by a bug. `{home}` stands for the home.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.support.scripted_server import Answer, Behaviour, Received, http, problem

Respond = Callable[[Received], Answer]

# Before the name of an answer: the sign-in succeeds, and what follows it gets that answer.
LATER = "later "


@dataclass(frozen=True)
class ForcedError:
    """One error: arguments, environment and files of a run, what the cloud says, and a bug.

    `answers` names an entry of `ANSWERS`; `bug` is a program that is run before the real one.
    """

    name: str
    arguments: Sequence[str] = ("whoami",)
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    stdin: str = ""
    answers: str = "refused"
    bug: str = ""


def _typed(*arguments: str) -> ForcedError:
    return ForcedError(f"typed: {' '.join(arguments)}", arguments)


# Where people put a token by mistake.
TYPED = tuple(
    _typed(*arguments)
    for arguments in (
        ("{token}",),
        ("login", "{token}"),
        ("login", "--token", "{token}"),
        ("login", "--refresh-token={token}"),
        ("login", "--token-stdin={token}"),
        ("login", "--url", "{token}"),
        ("login", "--url", "https://{token}@cloud.example.com"),
        ("login", "--url", "https://cloud.example.com/?token={token}"),
        ("login", "--url", "http://{token}.example.com"),
        ("login", "--url", "https://cloud.example.com", "--name", "{token}!"),
        ("whoami", "{token}"),
        ("whoami", "--context", "{token}"),
        ("whoami", "--format", "{token}"),
        ("context", "use", "{token}"),
        ("context", "{token}"),
        ("verify", "{token}"),
        ("inspect", "{token}"),
        ("trust", "add", "{token}"),
        ("keys", "lookup", "{token}"),
        ("activate", "{token}", "--instance", "{token}"),
        ("download", "{token}"),
        ("open", "{token}"),
        ("cloud", "check", "--database", "mysql://{token}@host/x"),
        ("passphrase", "set", "{token}"),
    )
)


def _echo(request: Received) -> str:
    return request.body.decode() + request.headers.get("authorization", "")


def _answered(status: int) -> Respond:
    return lambda request: problem(
        "internal", status, detail=_echo(request), message=_echo(request), title=_echo(request)
    )


def _raw(head: str) -> Respond:
    return lambda request: (
        head.format(token=_sent(request)).encode() + b"\r\nContent-Length: 0\r\n\r\n"
    )


def _sent(request: Received) -> str:
    """Return the secret of a request."""
    authorization = request.headers.get("authorization")
    if authorization is not None:
        return authorization.removeprefix("Bearer ")
    return str(json.loads(request.body)["refreshToken"])


# What a cloud that repeats what it was sent may say.
ANSWERS: dict[str, Respond] = {
    "refused": lambda request: problem(
        "invalid-refresh-token", 401, detail=_echo(request), message=_echo(request)
    ),
    "forbidden": _answered(403),
    "missing": _answered(404),
    "invalid": _answered(422),
    "failed": _answered(500),
    "page": lambda request: http(500, f"<html>{_echo(request)}</html>".encode()),
    "no JSON": lambda request: http(200, f"{{{_echo(request)}".encode()),
    "other JSON": lambda request: http(200, {"accessToken": [_echo(request)]}),
    "not UTF-8": lambda request: http(200, _echo(request).encode() + b"\xff"),
    "unprintable token": lambda request: http(
        200, {"accessToken": f"{_sent(request)}\n", "expiresIn": 9, "tokenType": "Bearer"}
    ),
    "reason": _raw("HTTP/1.1 401 {token}"),
    "redirect": _raw("HTTP/1.1 302 Found\r\nLocation: https://{token}.example.com/{token}"),
    "header": _raw("HTTP/1.1 500 Failed\r\nX-Token: {token}\r\nContent-Type: {token}/json"),
    "no HTTP": _raw("{token}"),
    "busy": lambda request: problem(
        "rate-limited", 429, {"Retry-After": "3600"}, message=_echo(request)
    ),
    "cut": lambda _: Behaviour.CUT,
}
ANSWERED = tuple(
    ForcedError(f"answered: {when}{name}", answers=f"{when}{name}")
    for when in ("", LATER)
    for name in ANSWERS
)

_SUBJECT = {"TUI_LICENSES_REFRESH_TOKEN": "", "TUI_LICENSES_URL": "", "TUI_LICENSES_CONTEXT": "a"}
_CREDENTIALS = ".local/share/tui-licenses/credentials/a.json"
_SETTINGS = ".config/tui-licenses/config.toml"
_CONTEXT = '[contexts.a]\nurl = "https://cloud.example.com"\n'


def _kept(name: str, text: str, settings: str = _CONTEXT) -> ForcedError:
    files = {_CREDENTIALS: text, _SETTINGS: settings}
    environment = {**_SUBJECT, "TUI_LICENSES_SUBJECT_ID": ""}
    return ForcedError(f"kept: {name}", environment=environment, files=files)


_PLAIN = json.dumps({"subjectId": "s", "refreshToken": "@"}).replace("@", "{token}")

# Files that hold a token where none should be, or are no such files.
KEPT = (
    _kept("no JSON", "{token}"),
    _kept("other JSON", '["{token}"]'),
    _kept("wrong type", '{{"subjectId": "{token}", "refreshToken": 1}}'),
    _kept("unknown member", '{{"subjectId": "s", "{token}": "{token}"}}'),
    _kept("setting of no meaning", "x", _CONTEXT + 'token = "{token}"\n'),
    _kept("setting with a token", "x", '[contexts.a]\nurl = "https://{token}@cloud.example"\n'),
    _kept("current context", "x", 'current = "{token}"\n'),
    _kept("no TOML", "x", "{token}"),
    ForcedError("half a sign-in", environment={"TUI_LICENSES_SUBJECT_ID": ""}),
    ForcedError("format", environment={"TUI_LICENSES_FORMAT": "{token}"}),
    ForcedError("three lines", ("login", "--token-stdin"), stdin="{token}\n{token}\n{token}\n"),
    ForcedError(
        "passphrase in place of its file",
        ("login", "--encrypt"),
        environment={"TUI_LICENSES_PASSPHRASE_FILE": "/{token}"},
    ),
)

_EXCHANGE = """
from tui_licenses.api import session
async def _exchange(self):
    token = (await self._credentials()).refresh_token.reveal()
    {body}
session.Session._exchange = _exchange
"""


def _bug(name: str, body: str) -> ForcedError:
    program = _EXCHANGE.replace("{body}", body.strip().replace("\n", "\n    "))
    return ForcedError(f"bug: {name}", bug=program)


# Bugs, in every place where Python or a library would print or log what they carry.
BUGS = (
    _bug("exception", "raise RuntimeError(token)"),
    _bug(
        "cause", "try: raise KeyError(token)\nexcept KeyError as e: raise ValueError(token) from e"
    ),
    _bug("group", "raise ExceptionGroup(token, [ValueError(token)])"),
    _bug("notes", "e = ValueError(); e.add_note(token)\nraise e"),
    _bug(
        "thread",
        "import threading\ndef f(): raise RuntimeError(token)\n"
        "t = threading.Thread(target=f, name=token); t.start(); t.join()\nraise OSError(token)",
    ),
    _bug(
        "task",
        "import asyncio, gc\nasync def f(): raise RuntimeError(token)\n"
        "asyncio.get_running_loop().create_task(f(), name=token)\n"
        "await asyncio.sleep(0); await asyncio.sleep(0); gc.collect()\nraise OSError(token)",
    ),
    _bug(
        "finaliser",
        "class C:\n    def __del__(self): raise RuntimeError(token)\nC()\nraise OSError(token)",
    ),
    _bug("warning", "import warnings\nwarnings.warn(token)\nraise OSError(token)"),
    _bug(
        "log of a library",
        "import logging\nlogging.getLogger('httpx').error(token)\n"
        "logging.getLogger('uvicorn.error').warning('%s', token)\nraise OSError(token)",
    ),
    _bug(
        "log of our own",
        "import logging\ntry: raise RuntimeError(token)\n"
        "except RuntimeError: logging.getLogger('tui_licenses.x').exception(token)\n"
        "raise OSError(token)",
    ),
    _bug(
        "database",
        "from sqlalchemy import create_engine, text\n"
        "create_engine('sqlite://', hide_parameters=True).connect().execute("
        "text('insert into x values (:t)'), {'t': token})",
    ),
    _bug("assertion", "assert token == '', token"),
    _bug("exit", "raise SystemExit(token)"),
)

# What somebody sends to support after such an answer: the bundle lies in the home.
BUNDLES = tuple(
    ForcedError(f"doctor: {name}", ("doctor", "--bundle", "{home}/bundle.json"), answers=name)
    for name in ("refused", "forbidden", "failed", "page", "other JSON", f"{LATER}failed")
)

FORCED_ERRORS = (*TYPED, *ANSWERED, *KEPT, *BUGS, *BUNDLES)
