"""T1: hostile texts in every place of the dashboard, in a real terminal, byte by byte.

Once as the program is, and a part of it again as if `clean` had been forgotten everywhere, both
with the screen diff and drawn by Textual alone: then the second wall stands alone.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.hostile_text import HOSTILE_TEXTS
from tests.trust.terminal_stream import DASHBOARD, foreign_control, run_in_terminal
from tests.trust.walk_in_terminal import FORMS

_ROOT = Path(__file__).parents[3]
# How many of the sixty rounds are walked again without the first wall.
_ROUNDS_OF_OTHER_FORMS = 6
# How many are walked in one process.
_ROUNDS_AT_ONCE = 12


def _walk(run: Run, form: str, offsets: Sequence[int]) -> None:
    file = run.folder / f"{form}-{offsets[0]}.json"
    program = (sys.executable, "-m", "tests.trust.walk_in_terminal")
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(_ROOT)}
    environment.pop("TMUX", None)
    written, status = run_in_terminal(
        [*program, str(file), form, ",".join(map(str, offsets))], environment
    )
    if status or not file.exists():
        run.report(Broken.UNHANDLED, f"{form}, rounds {offsets}: ended with {status}")
        return
    run.disturb(json.loads(file.read_text(encoding="utf-8"))["shown"])
    for found in foreign_control(written, DASHBOARD):
        run.report(Broken.RAW, f"{form}, rounds {offsets}: {found}")


def _run(run: Run) -> None:
    rounds = range(len(HOSTILE_TEXTS))
    for form in FORMS if not run.is_fast else ("whole", "forgotten"):
        count = run.count(len(rounds) if form == "whole" else _ROUNDS_OF_OTHER_FORMS, fast=1)
        chosen = sorted(run.random.sample(rounds, count))
        for start in range(0, count, _ROUNDS_AT_ONCE):
            _walk(run, form, chosen[start : start + _ROUNDS_AT_ONCE])


def _control(run: Run) -> None:
    _walk(run, "naive", [0])


CLASS = TrustClass("T1", "hostile texts in every place of the screen", 2_100, _run, _control)
