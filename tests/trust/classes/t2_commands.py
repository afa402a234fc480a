"""T2: hostile texts through the command line: on a terminal, on a pipe, and as JSON.

The texts stand in every row of the embedded cloud, in arguments, in names of files and in the
environment. Nothing of them may be obeyed, and JSON must give each value back as it was.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.hostile_lab import MARKS, Ended, HostileLab, look, run_command
from tests.trust.hostile_text import HOSTILE_TEXTS
from tests.trust.terminal_stream import run_in_terminal

_ROOT = Path(__file__).parents[3]
_PROGRAM = (sys.executable, "-m", "tui_licenses")
_TEXTS = tuple(entry.text for entry in HOSTILE_TEXTS)
# Options after the command; and whether standard output says that it is a terminal.
_WAYS: tuple[tuple[tuple[str, ...], bool], ...] = (
    ((), True),
    (("--format", "csv"), False),
    (("--format", "json"), False),
)
# So many rows of the cloud have texts of their own: three rounds show all of them everywhere.
_ROUNDS = (0, 20, 40)


def _listing(lab: HostileLab) -> Iterator[tuple[str, ...]]:
    """Give each command that shows what the cloud holds."""
    yield ("instances", "list")
    yield ("keys", "list", "--addons")
    yield ("events", "list")
    yield ("whoami",)
    for instance_id in lab.instances:
        yield ("instances", "show", instance_id)
    for key_id in lab.keys[:20]:
        yield ("keys", "show", key_id)


_WITH_ARGUMENT: tuple[Callable[[str, str], tuple[str, ...]], ...] = (
    lambda text, _: (text,),
    lambda text, _: (f"--{text}",),
    lambda text, _: ("instances", text),
    lambda text, _: ("instances", "show", text),
    lambda text, _: ("instances", "list", "--limit", text),
    lambda text, instance: ("instances", "rename", instance, text),
    lambda text, instance: ("instances", "relocate", instance, "--country", text),
    lambda text, _: ("keys", "show", text),
    lambda text, _: ("keys", "lookup", text),
    lambda text, _: ("keys", "list", "--status", text),
    lambda text, _: ("context", "use", text),
    lambda text, _: ("context", "show", text),
    lambda text, _: ("context", "remove", text),
    lambda text, _: ("--context", text, "whoami"),
    lambda text, _: ("inspect", text),
    lambda text, _: ("verify", text),
    lambda text, _: ("verify", "--certificate-code", text),
    lambda text, _: ("trust", "add", text),
    lambda text, _: ("profile", "--to", f"nowhere/{text}/x"),
    lambda text, _: ("download", "license", text),
    lambda text, _: ("cloud", "accounts", text),
    lambda text, _: ("events", "list", text),
    lambda text, _: ("login", "--name", text, "--url", text),
)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from _strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from _strings(member)


def _look_at_json(run: Run, ended: Ended, texts: Sequence[str], what: str) -> int:
    """Look whether JSON is ASCII, and gives back whole whatever it shows a part of."""
    run.expect(ended.output.isascii() and b"\x7f" not in ended.output, Broken.RAW, what)
    found = set(_strings(json.loads(ended.output)))
    shown = [text for text in texts if any(MARKS[text] in one for one in found)]
    for text in shown:
        run.expect(text in found, Broken.CORRUPT, f"{what}: {text[:40]!a} does not come back")
    return len(shown)


def _list_all(run: Run, lab: HostileLab) -> None:
    for offset in run.choose(_ROUNDS, fast=1):
        lab.plant(offset)
        for command in run.choose(list(_listing(lab)), fast=8):
            for options, is_terminal in _WAYS:
                what = f"{' '.join((*command, *options))}, round {offset}"
                ended = run_command([*command, *options], is_terminal=is_terminal)
                look(run, ended, what)
                run.expect(ended.status == 0, Broken.OTHER, f"{what}: {ended.notes[:200]!r}")
                if "json" in options:
                    run.disturb(_look_at_json(run, ended, tuple(MARKS), what))
                else:
                    run.disturb(sum(mark.encode() in ended.output for mark in MARKS.values()))


def _give_all(run: Run, lab: HostileLab) -> None:
    cases = [(make, text) for make in _WITH_ARGUMENT for text in _TEXTS if "\0" not in text]
    for make, text in run.choose(cases, fast=60):
        for options, is_terminal in _WAYS:
            command = (*make(text, lab.instances[0]), *options)
            ended = run_command(command, is_terminal=is_terminal)
            look(run, ended, ascii(command)[:200])
            run.disturb(MARKS[text].encode() in ended.output + ended.notes)


def _set_all(run: Run) -> None:
    """Give the texts to the variables of the environment."""
    for text in run.choose([text for text in _TEXTS if "\0" not in text], fast=5):
        for name in ("TUI_LICENSES_FORMAT", "TUI_LICENSES_CONTEXT", "TUI_LICENSES_URL"):
            ended = run_command(["whoami"], is_terminal=True, environment={name: text})
            look(run, ended, f"{name}={text[:60]!a}")
            run.disturb(MARKS[text].encode() in ended.output + ended.notes)


def _run_processes(run: Run) -> None:
    """Run the program itself, on a terminal and on pipes that know no UTF-8."""
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "LC_ALL": "C", "PYTHONUTF8": "0"}
    environment["PYTHONCOERCECLOCALE"] = "0"
    for text in run.choose([text for text in _TEXTS if "\0" not in text], fast=1):
        # The last two are errors of the dashboard, which no command line writes.
        for words in (("inspect", text), ("open", text), ("--context", text)):
            what = ascii(words)[:200]
            written, status = run_in_terminal([*_PROGRAM, *words], environment)
            look(run, Ended(status, written, b""), what)
            run.disturb(MARKS[text].encode() in written)
            done = subprocess.run(
                [*_PROGRAM, *words], env=environment, capture_output=True, check=False
            )
            look(run, Ended(done.returncode, done.stdout, done.stderr), what)
            run.disturb(MARKS[text].encode() in done.stderr)
            is_told = 1 not in (status, done.returncode)
            run.expect(is_told, Broken.UNHANDLED, f"{what}: {status}, {done.returncode}")


def _run(run: Run) -> None:
    os.chdir(run.folder)
    lab = HostileLab()
    _list_all(run, lab)
    _give_all(run, lab)
    _set_all(run)
    _run_processes(run)


def _control(run: Run) -> None:
    """Print as most programs do."""
    for text in _TEXTS:
        with run.case(ascii(text)):
            stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
            print(f"no such instance: {text[:1000]}", file=stream, flush=True)
            stream.seek(0)
            run.disturb()
            look(run, Ended(0, stream.read().encode(), b""), ascii(text))


CLASS = TrustClass("T2", "hostile texts through the command line", 4_500, _run, _control)
