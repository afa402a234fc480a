"""Bugs in the dashboard that carry a secret, in a message and in a variable, on a real terminal."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.pty.terminal import Terminal
from tests.support.scripted_server import sign_in_environment
from tests.trust.forked_program import Left

_ROOT = Path(__file__).parents[2]
_PROBLEM = "A problem nobody expected"
_START = """
import os
from tui_licenses.tui import app as a
from tui_licenses.tui.screens import licenses, problem
token = os.environ.pop("CANARY")

def bug(*_):
    kept = [token]
    raise RuntimeError(token)

async def later(*_):
    bug()

{body}
import tui_licenses.__main__ as program
import sys
sys.argv = ["tui-licenses"]
program.main()
"""


@dataclass(frozen=True)
class DashboardError:
    """A bug: the program that plants it, the key that meets it, and what the screen then says."""

    name: str
    body: str
    key: str = "u"
    told: str = _PROBLEM


DASHBOARD_ERRORS = (
    DashboardError("dashboard: handler", "a.TuiLicensesApp.action_utc = bug"),
    DashboardError(
        "dashboard: worker",
        "a.TuiLicensesApp.action_utc = lambda self: self.run_worker(later()) and None",
    ),
    DashboardError("dashboard: compose", "licenses.LicensesScreen.compose = bug", key=""),
    DashboardError(
        "dashboard: exchange",
        "from tui_licenses.api import session\nsession.Session._exchange = later",
        key="",
    ),
    DashboardError(
        "dashboard: the screen for problems itself",
        "a.TuiLicensesApp.action_utc = bug\nproblem.ProblemScreen.compose = bug",
        told="",
    ),
)


def run_dashboard_error(error: DashboardError, token: str, folder: Path) -> dict[str, bytes]:
    """Meet a bug on a terminal, leave, and return what can be seen of it, by place."""
    home = folder / error.name.replace(" ", "-")
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    environment = {
        **kept,
        "HOME": str(home),
        "TERM": "xterm-256color",
        "PYTHONPATH": str(_ROOT),
        "CANARY": token,
        **sign_in_environment("http://127.0.0.1:1", token),
    }
    program = [sys.executable, "-c", _START.format(body=error.body)]
    shown = ""
    with Terminal(program, environment) as terminal:
        if error.key:
            terminal.wait_for("q quit")
            terminal.press(error.key)
        if error.told:
            terminal.wait_for(error.told)
            shown = terminal.text
            terminal.press("q")
        terminal.wait_for_exit()
        raw, text = terminal.raw, shown + terminal.text
    left = Left(raw, b"", 0, home)
    return {"bytes": raw, "screen": text.encode(), "log": left.log(), "files": left.files()}
