"""The programs that are measured: ours and those it is compared with."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import apps
from benchmarks.data import Estate
from benchmarks.homes import Home, our_command

_APPS = Path(apps.__file__).parent
# The first row is there when the first license key is.
KEY = r"[A-Z0-9]{4}(-[A-Z0-9]{4}){3}"
# Without mail folders, signatures and questions, one line for each message.
_MUTT_SETTINGS = 'set folder="." sort=mailbox-order index_format="%4C %s" confirmappend=no\n'


@dataclass(frozen=True, slots=True)
class Program:
    """How to start a program, when its first row is on the screen, and its keys."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ready: str = KEY
    page_down: str = "pagedown"
    first_row: str = "home"
    quit: tuple[str, ...] = ("q",)
    has_cursor: bool = True


def ours(home: Home) -> Program:
    """Return our dashboard in a home."""
    return Program("ours", our_command(), home.environment())


def minimal(home: Home) -> Program:
    """Return the smallest Textual app."""
    command = (sys.executable, str(_APPS / "minimal.py"))
    return Program("minimal", command, home.environment(), "READY")


def data_table(estate: Estate, home: Home) -> Program:
    """Return Textual's DataTable with the keys of an estate."""
    command = (sys.executable, str(_APPS / "data_table.py"), str(estate.csv_file))
    return Program("DataTable", command, home.environment(), first_row="ctrl+home")


def less(estate: Estate, home: Home) -> Program | None:
    """Return less on the keys of an estate, where it is installed."""
    program = shutil.which("less")
    if program is None:
        return None
    command = (program, "-S", str(estate.csv_file))
    return Program(
        "less", command, home.environment(), page_down="space", first_row="g", has_cursor=False
    )


def visidata(estate: Estate, home: Home, path: str | None) -> Program | None:
    """Return VisiData on the keys of an estate, where it is installed."""
    program = shutil.which(path or "vd")
    if program is None:
        return None
    folder = home.folder / "visidata"
    command = (program, f"--visidata-dir={folder}", str(estate.csv_file))
    return Program("VisiData", command, home.environment(), first_row="ctrl+home")


def mutt(estate: Estate, home: Home) -> Program | None:
    """Return mutt on the keys of an estate as messages, where it is installed."""
    program = shutil.which("mutt")
    if program is None:
        return None
    settings = home.folder / "muttrc"
    settings.write_text(_MUTT_SETTINGS, encoding="utf-8")
    command = (program, "-n", "-F", str(settings), "-R", "-f", str(estate.mailbox))
    return Program("mutt", command, home.environment(), quit=("x",))
