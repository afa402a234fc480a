"""The dashboard in a real terminal: how it is left, and what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.pty.terminal import Terminal

RUN = "from tui_licenses.tui.run import run_dashboard; raise SystemExit(run_dashboard({}))"
PLAIN = "__import__('tui_licenses.config').config.Configuration()"
# A bug in a handler: the first `u` divides by zero.
BUG = "from tui_licenses.tui import app as a\na.TuiLicensesApp.action_utc = lambda self: 1 // 0\n"
RESTORED = ("\x1b[?1049l", "\x1b[?25h", "\x1b[?1000l")


def _terminal(program: str) -> Terminal:
    environment = {**os.environ, "TERM": "xterm-256color"}
    return Terminal([sys.executable, "-c", program], environment)


def _assert_restored(terminal: Terminal) -> None:
    written = terminal.raw.decode("utf-8", "replace")
    for sequence in RESTORED:
        assert sequence in written[written.rindex("\x1b[?1049h") :]
    # ICANON and ECHO are what a shell needs back.
    modes = termios.tcgetattr(terminal._descriptor)
    for flag in (termios.ICANON, termios.ECHO, termios.ISIG):
        assert modes[3] & flag == terminal.modes_at_start[3] & flag


@pytest.mark.parametrize(
    ("way", "status"),
    [("q", 0), ("ctrl+c", 130), ("TERM", 143), ("INT", 130), ("HUP", 129)],
)
def test_every_way_out_restores_the_terminal_and_has_its_status(
    way: str, status: int, cloud: Path
) -> None:
    with _terminal(RUN.format(PLAIN)) as terminal:
        terminal.wait_for("24 instances")
        if way.isupper():
            terminal.signal(signal.Signals[f"SIG{way}"])
        else:
            terminal.press(way)
        assert terminal.wait_for_exit() == status
        _assert_restored(terminal)


def test_a_line_that_is_hung_up_while_the_dashboard_leaves_does_not_keep_it_alive(
    cloud: Path,
) -> None:
    with _terminal(RUN.format(PLAIN)) as terminal:
        terminal.wait_for("24 instances", gone="loading")
        terminal.press("q")
        for _ in range(30):
            # What follows a hang-up; it must not wake the driver that is just giving back.
            terminal.signal(signal.SIGCONT)
            terminal.read(0.01)
        assert terminal.wait_for_exit() == 0
        _assert_restored(terminal)


def test_a_bug_ends_in_one_problem_screen_from_which_the_dashboard_starts_again(
    cloud: Path,
) -> None:
    with _terminal(BUG + RUN.format(PLAIN)) as terminal:
        terminal.wait_for("24 instances")
        terminal.press("u")
        terminal.wait_for("A problem nobody expected", "ZeroDivisionError", "r start again")
        terminal.press("r")
        terminal.wait_for("24 instances")
        terminal.press("u")
        terminal.wait_for("A problem nobody expected")
        terminal.press("q")
        assert terminal.wait_for_exit() == 1
        _assert_restored(terminal)
        assert "Traceback" not in terminal.raw.decode("utf-8", "replace")


def test_a_bug_in_the_problem_screen_too_is_told_in_a_sentence_after_the_terminal_is_back(
    cloud: Path,
) -> None:
    second_bug = (
        "from tui_licenses.tui.screens import problem as p\n"
        "p.ProblemScreen.compose = lambda self: 1 // 0\n"
    )
    program = (
        f"{BUG}{second_bug}from tui_licenses.__main__ import main\n"
        "import sys; sys.argv = ['tui-licenses']; main()"
    )
    with _terminal(program) as terminal:
        terminal.wait_for("24 instances", gone="loading")
        terminal.press("u")
        assert terminal.wait_for_exit() == 1
        _assert_restored(terminal)
        written = terminal.raw.decode("utf-8", "replace")
        told = written[written.rindex("\x1b[?1049l") :]
        assert "Something unexpected happened (ZeroDivisionError)." in told
        assert "tui-licenses.log" in told
        assert "Traceback" not in written


def test_nothing_is_written_while_nothing_happens(cloud: Path) -> None:
    with _terminal(RUN.format(PLAIN)) as terminal:
        terminal.wait_for("24 instances", gone="loading")
        for key in ("", "/"):
            terminal.press(*key)
            while terminal.read(0.5) and (size := len(terminal.raw)) and terminal.read(0.5):
                if len(terminal.raw) == size:
                    break
            size = len(terminal.raw)
            terminal.read(1.5)
            assert len(terminal.raw) == size
        terminal.press("ctrl+c")
        assert terminal.wait_for_exit() == 130


def test_before_the_first_picture_nothing_heavy_is_imported(cloud: Path) -> None:
    program = """
import sys
from tui_licenses.config import Configuration
from tui_licenses.tui.app import TuiLicensesApp
from tui_licenses.wiring import open_services

class Watched(TuiLicensesApp):
    def refresh_inventory(self):
        print(" ".join(sorted({name.split(".")[0] for name in sys.modules})))
        self.exit(0)

configuration = Configuration()
Watched(open_services(configuration), configuration).run(headless=True, size=(80, 24))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    modules = set(re.findall(r"\w+", done.stdout))
    assert "textual" in modules
    heavy = {"click", "sqlalchemy", "starlette", "fpdf", "lxml", "cryptography", "httpx"}
    assert modules.isdisjoint(heavy)
