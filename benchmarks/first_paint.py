"""Which modules a Textual program has imported when it first shows something."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.programs import Program
from benchmarks.session import Session

# What takes longer to import than a first picture may wait.
HEAVY = frozenset(
    {
        "alembic",
        "click",
        "cryptography",
        "fpdf",
        "httpx",
        "lxml",
        "pycountry",
        "sqlalchemy",
        "starlette",
        "tui_licenses.cli",
        "tui_licenses.cloud",
        "uvicorn",
    }
)

# Textual's driver writes all that the terminal gets; the word is one of the first picture.
_PROGRAM = """
import sys
from textual.drivers.linux_driver import LinuxDriver

file, word, *arguments = sys.argv[1:]
write = LinuxDriver.write

def write_and_look(driver, data):
    if word in data:
        LinuxDriver.write = write
        with open(file, "w") as names:
            names.write("\\n".join(sys.modules))
    write(driver, data)

LinuxDriver.write = write_and_look
sys.argv = ["tui-licenses", *arguments]
from tui_licenses.__main__ import main
main()
"""
_WORD = "filter"
_OTHER_TERMINAL = "tmux-256color"


def modules_before_first_paint(program: Program, file: Path) -> set[str]:
    """Return the names of what our program has imported before Textual's first picture.

    On a terminal it was never shown on: no picture of an earlier start may stand in for it.
    """
    command = (sys.executable, "-c", _PROGRAM, str(file), _WORD)
    environment = {**program.environment, "TERM": _OTHER_TERMINAL}
    with Session(replace(program, command=command, environment=environment)) as session:
        session.wait_until_ready()
        session.leave()
    if not file.exists():
        raise BenchmarkError(f"the first picture does not show the word {_WORD}")
    return set(file.read_text(encoding="utf-8").split())
