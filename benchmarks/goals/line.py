"""Goals 6, 7 and 11: serial lines, terminals that never answer, and networks that are far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

from benchmarks.answers import Profile
from benchmarks.checks import Check, Figure, medians, without
from benchmarks.interleave import interleave
from benchmarks.laboratory import Laboratory
from benchmarks.programs import Program
from benchmarks.session import Session
from benchmarks.terminal import Line

SERIAL = Line(baud=115_200)
FAR = Line(round_trip_seconds=0.2)
MUTE = Line(profile=Profile.MUTE)

_HOLD_COUNT, _HOLD_PER_SECOND = 60, 30
_FAR_KEYS = 5
_FAR_MILLISECONDS = FAR.round_trip_seconds * 1000 + 15


@dataclass(frozen=True, slots=True)
class SlowRun:
    """What one session on a serial line brought, in milliseconds."""

    settled: float
    lag: float


def measure_serial(laboratory: Laboratory) -> dict[str, list[SlowRun]]:
    """Start on a serial line and hold a key, everybody in turn.

    DataTable is left out: it is tens of seconds behind.
    """
    candidates = (laboratory.less(), laboratory.visidata())
    measures: dict[str, Callable[[], SlowRun]] = {
        "ours": partial(_run_ours, laboratory),
    }
    measures |= {
        peer.name: partial(_run_on_serial_line, peer, Session.settle)
        for peer in candidates
        if peer is not None
    }
    return interleave(laboratory.runs, measures)


def _run_ours(laboratory: Laboratory) -> SlowRun:
    def wait(session: Session) -> float:
        settled = session.settle()
        laboratory.wait_for_all_rows(session)
        session.wait_until_idle()
        return settled

    return _run_on_serial_line(laboratory.ours(), wait)


def _run_on_serial_line(program: Program, wait: Callable[[Session], float]) -> SlowRun:
    with Session(program, SERIAL) as session:
        session.wait_until_ready()
        settled = wait(session)
        held = session.hold("down", _HOLD_COUNT, _HOLD_PER_SECOND)
        session.leave()
    return SlowRun(settled, held.lag_milliseconds)


def held_key(laboratory: Laboratory) -> list[Check]:
    """Check how far the screen is behind a held key."""
    runs = laboratory.once(measure_serial)
    figures = medians({name: [run.lag for run in found] for name, found in runs.items()}, "ms")
    return [
        Check(
            "held Down at 115200 baud, lag after the last key",
            figures["ours"].value,
            "ms",
            100,
            figures.get("VisiData"),
            others=without(figures, "ours", "VisiData"),
        )
    ]


def settled_start(laboratory: Laboratory) -> list[Check]:
    """Check how soon a start on a serial line has come to rest."""
    runs = laboratory.once(measure_serial)
    figures = medians({name: [run.settled for run in found] for name, found in runs.items()}, "ms")
    return [
        Check(
            "settled start at 115200 baud",
            figures["ours"].value,
            "ms",
            2.2,
            figures.get("less"),
            is_ratio=True,
            others=without(figures, "ours", "less"),
        )
    ]


def silence_and_distance(laboratory: Laboratory) -> list[Check]:
    """Check a terminal that never answers, and a round trip of 200 ms."""
    ours = laboratory.ours()

    def start(line: Line) -> float:
        with Session(ours, line) as session:
            ready = session.wait_until_ready()
            session.settle()
            session.leave()
        return ready

    measures = {"xterm": partial(start, Line()), "mute": partial(start, MUTE)}
    starts = interleave(laboratory.runs, measures, warm_ups=1)
    checks = [
        Check(
            "first row on a terminal that never answers",
            median(starts["mute"]),
            "ms",
            1.15,
            Figure("an xterm", median(starts["xterm"]), "ms"),
            is_ratio=True,
        )
    ]
    keys = [_press_far_away(laboratory, ours) for _ in range(laboratory.runs)]
    for key in ("down", "pagedown"):
        samples = [sample for found in keys for sample in found[key]]
        checks.append(
            Check(f"{key} over 200 ms of round trip", median(samples), "ms", _FAR_MILLISECONDS)
        )
    return checks


def _press_far_away(laboratory: Laboratory, program: Program) -> dict[str, list[float]]:
    with Session(program, FAR) as session:
        session.wait_until_ready()
        laboratory.wait_for_all_rows(session)
        session.wait_until_idle()
        samples = {
            key: [session.press(key).milliseconds for _ in range(_FAR_KEYS)]
            for key in ("down", "pagedown")
        }
        session.leave()
    return samples
