"""The screen diff in a real terminal: when it draws, when it does not, and when it paints anew."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pty.terminal import Terminal
from tui_licenses import paths

RUN = """
from tui_licenses.config import Configuration, Settings
from tui_licenses.tui import screen_diff
from tui_licenses.tui.run import run_dashboard
{prelude}
settings = Settings(refresh_seconds=0, screen_diff={is_wanted})
raise SystemExit(run_dashboard(Configuration(settings)))
"""
# The screen diff begins with a clear screen; Textual never clears it.
CLEAR = b"\x1b[H\x1b[2J"
SHOWN = "24 instances"


def _terminal(prelude: str = "", is_wanted: bool = True, term: str = "xterm-256color") -> Terminal:
    program = RUN.format(prelude=prelude, is_wanted=is_wanted)
    return Terminal([sys.executable, "-c", program], {**os.environ, "TERM": term})


def _use_and_leave(terminal: Terminal) -> None:
    terminal.wait_for(SHOWN, "Berlin Hauptbahnhof")
    terminal.press_and_see("down", "end", "home")
    terminal.wait_for("Berlin Hauptbahnhof")
    terminal.press("?")
    terminal.wait_for("Keys of the list of licenses")
    terminal.press("q")
    assert terminal.wait_for_exit() == 0


def test_moving_the_cursor_sends_two_lines_and_scrolling_no_more_than_it_must(cloud: Path) -> None:
    with _terminal() as terminal:
        terminal.wait_for(SHOWN, "Berlin Hauptbahnhof")
        terminal.press_and_see("down", "up")
        for key, most in (("down", 320), ("down", 320), ("up", 320)):
            before = len(terminal.raw)
            terminal.press_and_see(key)
            assert len(terminal.raw) - before < most
        terminal.press_and_see(*["pagedown"] * 3)
        before = len(terminal.raw)
        terminal.press_and_see("down", "down")
        sent = terminal.raw[before:]
        assert b"\x1bD" in sent
        assert len(sent) < 2 * 450


@pytest.mark.parametrize(
    ("prelude", "is_wanted", "term"),
    [
        ("", False, "xterm-256color"),
        ("screen_diff.PROVEN_TEXTUAL = ('8.0.99',)", True, "xterm-256color"),
        ("", True, "unknown"),
    ],
    ids=["switched off", "another Textual", "unknown terminal"],
)
def test_textual_draws_where_the_diff_may_not(
    prelude: str, is_wanted: bool, term: str, cloud: Path
) -> None:
    with _terminal(prelude, is_wanted, term) as terminal:
        _use_and_leave(terminal)
        assert CLEAR not in terminal.raw


@pytest.mark.parametrize("term", ["linux", "vt220"])
def test_the_diff_draws_on_terminals_with_scroll_regions(term: str, cloud: Path) -> None:
    with _terminal(term=term) as terminal:
        _use_and_leave(terminal)
        assert CLEAR in terminal.raw


BUG = """
class Broken(screen_diff.FramePicture):
    count = 0
    def {method}(self, *arguments):
        Broken.count += 1
        if Broken.count == 4:
            1 // 0
        return super().{method}(*arguments)
screen_diff.FramePicture = Broken
"""


@pytest.mark.parametrize("method", ["take", "changes"])
def test_a_bug_in_the_diff_is_in_the_log_and_nowhere_else(method: str, cloud: Path) -> None:
    with _terminal(BUG.format(method=method)) as terminal:
        _use_and_leave(terminal)
        assert b"Traceback" not in terminal.raw
    log = paths.log_file().read_text(encoding="utf-8")
    assert log.count("ZeroDivisionError") == 1
    assert "screen_diff.py" in log


def _press_repaint(terminal: Terminal) -> None:
    terminal.press("ctrl+l")


def _resize(terminal: Terminal) -> None:
    terminal.resize(90, 26)


def _stop_and_continue(terminal: Terminal) -> None:
    terminal.signal(signal.SIGSTOP)
    terminal.signal(signal.SIGCONT)


def _suspend_and_resume(terminal: Terminal) -> None:
    terminal.signal(signal.SIGTSTP)
    while not os.waitpid(terminal._pid, os.WUNTRACED | os.WNOHANG)[0]:
        terminal.read(0.05)
    assert b"\x1b[?1049l" in terminal.raw
    terminal.signal(signal.SIGCONT)


@pytest.mark.parametrize(
    "cause", [_press_repaint, _resize, _stop_and_continue, _suspend_and_resume]
)
def test_everything_is_painted_anew_where_something_else_may_have_written(
    cause: Callable[[Terminal], None], cloud: Path
) -> None:
    with _terminal() as terminal:
        terminal.wait_for(SHOWN, "Berlin Hauptbahnhof", "Location")
        terminal.press_and_see("down")
        terminal._stream.feed(b"\x1b[7;3Hline noise\x1b[1;1Hnoise\x1b[24;1Hnoise")
        cause(terminal)
        terminal.wait_for(SHOWN, "Berlin Hauptbahnhof", "Location", gone="noise")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0


def test_a_dialog_is_painted_anew_too(cloud: Path) -> None:
    with _terminal() as terminal:
        terminal.wait_for(SHOWN)
        terminal.press("d")
        terminal.wait_for("Save")
        terminal._stream.feed(b"\x1b[12;20Hline noise")
        terminal.press("ctrl+l")
        terminal.wait_for("Save", gone="noise")
