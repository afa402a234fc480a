"""The first picture: rows before Textual is loaded, and a terminal that is given back whole."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pty.terminal import Terminal
from tui_licenses import paths
from tui_licenses.config import Configuration
from tui_licenses.tui.first_picture import read_picture
from tui_licenses.wiring import Services, open_services

PROGRAM = (sys.executable, "-m", "tui_licenses")
ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"
# What the driver of Textual asks, once it has the terminal.
TEXTUAL = b"\x1b[?2026$p"
# A signal in the callback of a weak reference, whose exceptions Python ignores.
IN_A_CALLBACK = """
import os, signal, weakref
from tui_licenses.tui.early_terminal import EarlyTerminal
EarlyTerminal().show("picture")
class Thing: pass
thing = Thing()
reference = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGTERM))
del thing
"""

Start = Callable[..., Terminal]


@pytest.fixture
def start(lab_database: Path) -> Iterator[Start]:
    """Start the dashboard on the embedded lab, by default on a terminal of 80x24."""
    opened: list[Terminal] = []

    def started(columns: int = 80, rows: int = 24, **environment: str) -> Terminal:
        variables = {**os.environ, "TERM": "xterm-256color", **environment}
        terminal = Terminal(PROGRAM, variables, columns, rows)
        opened.append(terminal)
        return terminal

    yield started
    for terminal in opened:
        terminal.__exit__(None, None, None)


def _run_once(start: Start, **environment: str) -> None:
    terminal = start(**environment)
    terminal.wait_for("Berlin", "32 keys", gone="loading")
    terminal.press("q")
    assert terminal.wait_for_exit() == 0
    assert read_picture(paths.copy_file("embedded").with_suffix(".picture")) is not None


def _wait_for_bytes(terminal: Terminal, wanted: bytes) -> None:
    deadline = time.monotonic() + 30
    while wanted not in terminal.raw:
        assert time.monotonic() < deadline, terminal.raw[-500:]
        terminal.read(0.05)


def test_the_second_start_shows_its_rows_before_textual_has_the_terminal(start: Start) -> None:
    _run_once(start)
    terminal = start()
    _wait_for_bytes(terminal, TEXTUAL)
    before = terminal.raw[: terminal.raw.index(TEXTUAL)]
    assert b"Berlin Hauptbahnhof" in before
    terminal.wait_for("32 keys", gone="loading")
    assert terminal.raw.count(b"\x1b[2J") == 1, "nothing is painted twice"
    terminal.press("down", "enter")
    terminal.wait_for("License Keys")
    terminal.press("q")
    assert terminal.wait_for_exit() == 0
    assert terminal.raw.count(ENTERED) == terminal.raw.count(LEFT) == 1


def test_keys_that_are_typed_before_textual_is_there_are_not_lost(start: Start) -> None:
    _run_once(start)
    terminal = start()
    _wait_for_bytes(terminal, b"Berlin")
    terminal.press("down", "enter")
    assert TEXTUAL not in terminal.raw, "this host is too slow to type that early"
    terminal.wait_for("License Keys", "Server Enterprise")
    terminal.press("q")
    assert terminal.wait_for_exit() == 0


@pytest.mark.parametrize(
    ("end", "status"), [("ctrl+c", 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_early_end_gives_the_terminal_back_as_it_was(
    start: Start, end: str | signal.Signals, status: int
) -> None:
    _run_once(start)
    terminal = start()
    _wait_for_bytes(terminal, b"Berlin")
    if isinstance(end, str):
        terminal.press(end)
    else:
        terminal.signal(end)
    assert terminal.wait_for_exit() == status
    assert terminal.raw.count(ENTERED) == terminal.raw.count(LEFT) == 1
    assert b"Traceback" not in terminal.raw
    assert terminal.modes() == terminal.modes_at_start


def test_a_signal_ends_it_even_where_python_ignores_exceptions() -> None:
    with Terminal([sys.executable, "-c", IN_A_CALLBACK], dict(os.environ)) as terminal:
        assert terminal.wait_for_exit() == 128 + signal.SIGTERM
        assert terminal.raw.count(ENTERED) == terminal.raw.count(LEFT) == 1
        assert terminal.modes() == terminal.modes_at_start


@pytest.mark.parametrize(
    "other",
    [{"columns": 81}, {"rows": 25}, {"NO_COLOR": "1"}, {"TERM": "xterm"}, {"TZ": "Asia/Tokyo"}],
)
def test_another_terminal_gets_no_picture_of_this_one(start: Start, other: dict[str, int]) -> None:
    _run_once(start)
    terminal = start(**other)
    _wait_for_bytes(terminal, TEXTUAL)
    assert b"Berlin" not in terminal.raw[: terminal.raw.index(TEXTUAL)]
    terminal.wait_for("Berlin Hauptbahnhof", "32 keys")


@pytest.mark.parametrize("place", [3, 40, 700, -1])
def test_a_damaged_picture_is_not_shown(start: Start, place: int) -> None:
    _run_once(start)
    file = paths.copy_file("embedded").with_suffix(".picture")
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)
    terminal = start()
    _wait_for_bytes(terminal, TEXTUAL)
    assert b"Berlin" not in terminal.raw[: terminal.raw.index(TEXTUAL)]
    terminal.wait_for("Berlin Hauptbahnhof", "32 keys")


def test_without_a_local_copy_there_is_no_picture(start: Start) -> None:
    _run_once(start)
    paths.copy_file("embedded").unlink()
    terminal = start()
    _wait_for_bytes(terminal, TEXTUAL)
    assert b"Berlin" not in terminal.raw[: terminal.raw.index(TEXTUAL)]


async def _rename_the_first(services: Services, name: str) -> None:
    inventory = await services.inventory.current()
    await services.instances.rename(inventory.instances[0], name)
    await services.inventory.current()
    await services.aclose()


async def test_a_picture_that_is_behind_the_copy_is_corrected_at_once(start: Start) -> None:
    _run_once(start)
    await _rename_the_first(open_services(Configuration(), None, {}), "Aachen [new]")
    terminal = start()
    terminal.wait_for("Aachen [new]")
    assert not any("Hauptbahnhof [new]" in line for line in terminal.text.splitlines())


def test_who_leaves_while_a_change_is_open_is_told_so(start: Start) -> None:
    terminal = start()
    terminal.wait_for("Berlin", "32 keys", gone="loading")
    note = paths.private_folder(paths.journal_folder("embedded")) / f"lost{paths.CHANGE_SUFFIX}"
    note.write_text("{}")
    terminal.press("q")
    assert terminal.wait_for_exit() == 0
    after = terminal.raw.rpartition(LEFT)[2].decode()
    assert "it is not known whether it was done" in " ".join(after.split())
