"""What is typed ahead, in a real terminal: a slow line delivers many keys in one packet."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.pty.terminal import KEYS, Terminal
from tui_licenses import paths

_NAME = "Berlin Hauptbahnhof"
_UNEXPECTED = "nobody expected"
# What leaves or stops the program.
_LEAVING = {"ctrl+c", "ctrl+d", "ctrl+q", "ctrl+s", "ctrl+z"}


@pytest.fixture
def terminal(cloud: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    folder = tmp_path / "downloads"
    folder.mkdir()
    environment = {**os.environ, "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "tui_licenses"]
    with Terminal(command, environment, folder=folder) as dashboard:
        dashboard.wait_for("24 instances", _NAME, gone="loading")
        yield dashboard


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (("ctrl+u", *"Depot"), "Depot"),
        ((*"Nord", "backspace", *"t"), "Nort"),
        (("home", *"Neu-", "end", *" 2"), f"Neu-{_NAME} 2"),
        ((*"ac", "left", *"b", "right", *"d"), "abcd"),
    ],
)
def test_keys_of_one_packet_take_effect_in_the_order_in_which_they_were_typed(
    terminal: Terminal, typed: tuple[str, ...], name: str
) -> None:
    # From the list into the details, into the field, the name, and done.
    terminal.press_at_once("enter", "e", *typed, "enter")
    terminal.wait_for("Instance Details", f"The name is now {name}.")


def test_a_key_typed_twice_closes_one_dialog(terminal: Terminal) -> None:
    terminal.press_at_once("enter", "d", "escape", "d")
    terminal.wait_for("Instance Details", "Download the server license file")
    terminal.press_at_once("escape", "escape", "escape")
    terminal.wait_for("Show add-on keys", "24 instances", gone="Instance Details")
    terminal.press_at_once(":", *"refresh", "enter", "enter", "enter")
    terminal.wait_for("Instance Details", gone="type a part of a command")


@pytest.mark.parametrize("seed", range(2))
def test_nothing_that_is_typed_ahead_ends_the_dashboard(terminal: Terminal, seed: int) -> None:
    random = Random(seed)
    keys = sorted(set(KEYS) - _LEAVING) + ["enter", "escape"] * 5
    keys += [*"abcdefghijklmnoprstuvwxyz/?+: "] * 3
    for _ in range(6):
        terminal.press_at_once(*random.choices(keys, k=12))
        terminal.read_until_quiet(0.2)
        # Whatever is open now.
        terminal.press_at_once(*["escape"] * 4)
        terminal.read_until_quiet(0.2)
    assert _UNEXPECTED not in terminal.text
    assert not paths.log_file().exists()


@pytest.mark.parametrize(("way_out", "status"), [("q", 0), ("ctrl+c", 130)])
def test_what_is_typed_behind_the_way_out_changes_nothing(
    terminal: Terminal, way_out: str, status: int
) -> None:
    terminal.press_at_once("down", "enter", way_out, *"edq", "enter", "ctrl+c", "escape", *"a?")
    assert terminal.wait_for_exit() == status
    assert not paths.log_file().exists()
