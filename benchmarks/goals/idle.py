"""Goal 10: what happens while nothing happens."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median

from benchmarks.checks import Check, Figure
from benchmarks.interleave import interleave
from benchmarks.laboratory import Laboratory
from benchmarks.programs import Program
from benchmarks.session import IdleSample, Session

_SECONDS = 4.0


def measure_idleness(laboratory: Laboratory) -> dict[str, list[list[IdleSample]]]:
    """Look on for a while; with ours at the table, then in the filter."""

    def look_at_ours() -> list[IdleSample]:
        with Session(laboratory.ours()) as session:
            session.wait_until_ready()
            laboratory.wait_for_all_rows(session)
            session.wait_until_idle()
            at_table = session.idle(_SECONDS)
            session.press_and_settle("/")
            session.wait_until_idle()
            return [at_table, session.idle(_SECONDS)]

    measures: dict[str, Callable[[], list[IdleSample]]] = {"ours": look_at_ours}
    visidata = laboratory.visidata()
    if visidata is not None:
        measures["VisiData"] = partial(_look_at, visidata)
    return interleave(laboratory.runs, measures)


def _look_at(program: Program) -> list[IdleSample]:
    with Session(program) as session:
        session.wait_until_ready()
        session.settle()
        return [session.idle(_SECONDS)]


def idleness(laboratory: Laboratory) -> list[Check]:
    """Check bytes and processor time, with the table and with a text field focused."""
    samples = laboratory.once(measure_idleness)
    theirs = [found[0] for found in samples.get("VisiData", [])]
    checks = []
    for number, place in enumerate(("in the table", "in a text field")):
        ours = [found[number] for found in samples["ours"]]
        # Nothing is nothing in every run.
        written = max(sample.bytes_per_second for sample in ours)
        used = median(sample.cpu_milliseconds_per_second for sample in ours)
        checks += [
            Check(
                f"idle {place}, bytes",
                written,
                "B/s",
                0,
                is_steady=True,
                others=_visidata([sample.bytes_per_second for sample in theirs], "B/s"),
            ),
            Check(
                f"idle {place}, processor",
                used,
                "ms/s",
                2,
                others=_visidata([sample.cpu_milliseconds_per_second for sample in theirs], "ms/s"),
            ),
        ]
    return checks


def _visidata(values: list[float], unit: str) -> tuple[Figure, ...]:
    return (Figure("VisiData", median(values), unit),) if values else ()
