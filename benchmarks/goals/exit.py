"""Goal 17: the terminal is left as it was found."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from dataclasses import replace

from benchmarks.checks import Check
from benchmarks.laboratory import Laboratory
from benchmarks.session import Session

# The dashboard with a bug: the key u divides by zero.
_PROGRAM_WITH_A_BUG = """
import sys
from tui_licenses.__main__ import main
from tui_licenses.tui.app import TuiLicensesApp
TuiLicensesApp.action_utc = lambda self: 1 // 0
sys.argv = ["tui-licenses"]
main()
"""


def _press(key: str) -> Callable[[Session], None]:
    return lambda session: session.send(key)


def _send(number: signal.Signals) -> Callable[[Session], None]:
    return lambda session: session.terminal.signal(number)


def _run_into_the_bug(session: Session) -> None:
    session.send("u")
    session.wait_for("A problem nobody expected")
    session.settle()
    session.send("q")


_WAYS_OUT: dict[str, tuple[Callable[[Session], None], int]] = {
    "q": (_press("q"), 0),
    "Ctrl-C": (_press("ctrl+c"), 130),
    "SIGTERM": (_send(signal.SIGTERM), 143),
    "SIGHUP": (_send(signal.SIGHUP), 129),
    "a bug": (_run_into_the_bug, 1),
}


def leaves_no_trace(laboratory: Laboratory) -> list[Check]:
    """Leave in every way, and look at what has stayed behind."""
    return [
        Check(
            f"left by {name}: runs that left something behind",
            sum(not _leave(laboratory, name) for _ in range(laboratory.runs)),
            "",
            0,
            is_steady=True,
        )
        for name in _WAYS_OUT
    ]


def _leave(laboratory: Laboratory, name: str) -> bool:
    act, status = _WAYS_OUT[name]
    program = laboratory.ours()
    if name == "a bug":
        program = replace(program, command=(sys.executable, "-c", _PROGRAM_WITH_A_BUG))
    with Session(program) as session:
        session.wait_until_ready()
        session.settle()
        act(session)
        found = session.wait_for_exit()
        left = session.terminal.answers.left_behind()
        if not session.terminal.is_as_it_was:
            left.append("settings of the line")
        if found != status:
            left.append(f"exit status {found}")
    if left:
        laboratory.note(f"Left by {name}: {', '.join(left)} stayed behind.")
    return not left
