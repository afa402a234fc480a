"""Goals 1 and 2: how soon the first row is there, and how soon the last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median

from benchmarks import programs
from benchmarks.checks import Check, Figure, medians, percentile, without
from benchmarks.errors import BenchmarkError
from benchmarks.first_paint import HEAVY, modules_before_first_paint
from benchmarks.interleave import interleave
from benchmarks.laboratory import Laboratory
from benchmarks.programs import Program
from benchmarks.session import Session

# Keys that are pressed while rows come in.
_KEYS_WHILE_LOADING, _KEY_PAUSE_SECONDS = 16, 0.15
# A start that something else disturbed must not be the median.
_ROUNDS_LEAST = 3
# How often End is pressed until the last row is there, and for how long.
_PRESS_AGAIN_SECONDS, _LOAD_SECONDS = 0.04, 120
_TABLE_ROW, _TABLE_COLUMN = 3, 40


@dataclass(frozen=True, slots=True)
class Start:
    """The instants of one start, in milliseconds after it."""

    ready: float
    loaded: float


def measure_starts(laboratory: Laboratory) -> dict[str, list[Start]]:
    """Start everybody in turn; ours from a complete local copy."""
    laboratory.last_key()
    measures: dict[str, Callable[[], Start]] = {
        "minimal": partial(_start, laboratory.minimal()),
        "ours": partial(_start_ours, laboratory),
    }
    measures |= {name: partial(_start, peer) for name, peer in laboratory.peers().items()}
    return interleave(max(_ROUNDS_LEAST, laboratory.runs), measures, warm_ups=1)


def _start(program: Program) -> Start:
    with Session(program) as session:
        ready = session.wait_until_ready()
        settled = session.settle()
        session.leave()
    # Of the others the last row cannot be asked for in one way: what counts is their last byte.
    return Start(ready, settled)


def _start_ours(laboratory: Laboratory) -> Start:
    with Session(laboratory.ours()) as session:
        ready = session.wait_until_ready()
        loaded = _reach_last_row(session, laboratory.last_key())
        session.settle()
        session.leave()
    return Start(ready, loaded)


def _reach_last_row(session: Session, last_key: str) -> float:
    """Return the milliseconds until the key End leads to the last row.

    A count on the screen would not do: a picture is no list that answers.
    """
    pressed_count = 0
    while True:
        session.send("end")
        pressed_count += 1
        try:
            return session.wait_for(last_key, "its last row", _PRESS_AGAIN_SECONDS)
        except BenchmarkError:
            if pressed_count * _PRESS_AGAIN_SECONDS > _LOAD_SECONDS:
                raise


def first_row(laboratory: Laboratory) -> Iterator[Check]:
    """Compare the first row from the local copy, and the first page of a first sync."""
    starts = laboratory.once(measure_starts)
    ready = {name: [start.ready for start in found] for name, found in starts.items()}
    figures = medians(ready, "ms")
    yield Check(
        "first row from the local copy",
        figures["ours"].value,
        "ms",
        1.15,
        figures["minimal"],
        is_ratio=True,
        others=without(figures, "ours", "minimal"),
    )
    yield _first_page(laboratory)
    yield _imports(laboratory)


def _first_page(laboratory: Laboratory) -> Check:
    first_starts = laboratory.once(measure_first_syncs)
    return Check(
        "first page of a first sync",
        median(first_starts["ours"]),
        "ms",
        3.5,
        Figure("minimal", median(first_starts["minimal"]), "ms"),
        is_ratio=True,
    )


def _imports(laboratory: Laboratory) -> Check:
    file = laboratory.folder("imports") / "modules"
    found = sorted(HEAVY & modules_before_first_paint(laboratory.ours(), file))
    if found:
        laboratory.note(f"Imported before the first picture: {', '.join(found)}.")
    return Check("heavy imports before the first picture", len(found), "", 0, is_steady=True)


def measure_first_syncs(laboratory: Laboratory) -> dict[str, list[float]]:
    """Start in homes without a local copy, and leave as soon as the first page is there."""

    def start_ours() -> float:
        home = laboratory.new_home(laboratory.served_main())
        with Session(programs.ours(home)) as session:
            return session.wait_until_ready()

    measures = {"minimal": lambda: _start(laboratory.minimal()).ready, "ours": start_ours}
    return interleave(laboratory.runs, measures)


def all_rows(laboratory: Laboratory) -> Iterator[Check]:
    """Compare the last row, and how a key is answered before it is there."""
    starts = laboratory.once(measure_starts)
    loaded = {name: [start.loaded for start in found] for name, found in starts.items()}
    figures = medians(loaded, "ms")
    yield Check(
        "End leads to the last row, from the local copy",
        figures["ours"].value,
        "ms",
        1.8,
        Figure("minimal, settled", figures["minimal"].value, "ms"),
        is_ratio=True,
        # The others have read no more than they show when their first row is there.
        others=without(figures, "ours", "minimal", "less", "VisiData", "mutt"),
    )
    yield Check(
        "a key while the first sync loads, 95th percentile",
        percentile(_keys_while_loading(laboratory), 95),
        "ms",
        100,
    )


def _keys_while_loading(laboratory: Laboratory) -> list[float]:
    """Return how long each move of the cursor took while rows came in."""
    home = laboratory.new_home(laboratory.served_main())
    moves: list[float] = []
    with Session(programs.ours(home)) as session:
        session.wait_until_ready()
        cursor = _ground(session, _TABLE_ROW)
        if cursor == _ground(session, _TABLE_ROW + 1):
            raise BenchmarkError("the cursor is not on the first row of the table")
        for number in range(1, _KEYS_WHILE_LOADING + 1):
            time.sleep(_KEY_PAUSE_SECONDS)
            pressed = session.milliseconds_since_start()
            session.send("down")
            moved = session.wait_until(
                lambda row=_TABLE_ROW + number: _ground(session, row) == cursor,  # type: ignore[misc]
                "the cursor on the next row",
                seconds=10,
            )
            moves.append(moved - pressed)
    return moves


def _ground(session: Session, row: int) -> tuple[str, bool]:
    """Return what tells the row under the cursor from the others."""
    cell = session.screen.cells()[row][_TABLE_COLUMN]
    return cell.bg, cell.reverse
