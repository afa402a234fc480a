"""Goal 9: how much memory the dashboard has ever held."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks import programs
from benchmarks.checks import Check, medians, without
from benchmarks.interleave import interleave
from benchmarks.laboratory import Laboratory
from benchmarks.programs import Program
from benchmarks.session import Session

_MEBIBYTE = 1024 * 1024
_WORD = "berlin"


def measure_memory(laboratory: Laboratory) -> dict[str, list[float]]:
    """Let everybody show all rows; ours filters too, for that takes memory."""
    embedded = laboratory.once(_embedded)
    measures: dict[str, Callable[[], float]] = {
        "ours": partial(_use_ours, laboratory, laboratory.ours()),
        "embedded": partial(_use_ours, laboratory, embedded),
    }
    measures |= {name: partial(_use_peer, peer) for name, peer in laboratory.peers().items()}
    return interleave(laboratory.runs, measures)


def _embedded(laboratory: Laboratory) -> Program:
    """Return our program on the embedded cloud, its local copy complete."""
    home = laboratory.main_estate().copy_into(laboratory.folder("embedded"))
    home.use_context(None)
    laboratory.synchronise(home)
    return programs.ours(home)


def _use_ours(laboratory: Laboratory, program: Program) -> float:
    with Session(program) as session:
        session.wait_until_ready()
        laboratory.wait_for_all_rows(session)
        session.wait_until_idle()
        session.press_and_settle("/", *_WORD)
        return session.peak_memory_bytes / _MEBIBYTE


def _use_peer(program: Program) -> float:
    with Session(program) as session:
        session.wait_until_ready()
        session.wait_until_idle()
        return session.peak_memory_bytes / _MEBIBYTE


def peak_memory(laboratory: Laboratory) -> list[Check]:
    """Check the peak with a served and with the embedded cloud."""
    peaks = laboratory.once(measure_memory)
    figures = medians(peaks, "MiB")
    others = without(figures, "ours", "embedded", "VisiData")
    checks = [
        Check("peak memory", figures["ours"].value, "MiB", 85, others=others),
        Check("peak memory, embedded cloud", figures["embedded"].value, "MiB", 120),
    ]
    if "VisiData" in figures:
        ratio = Check(
            "peak memory, against VisiData",
            figures["ours"].value,
            "MiB",
            0.8,
            figures["VisiData"],
            is_ratio=True,
        )
        checks.insert(1, ratio)
    return checks
