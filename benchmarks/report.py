"""The table of the goals, on the terminal and as a document."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from benchmarks.checks import Check, Outcome, number_text

_TITLES = ("#", "goal", "ours", "wanted", "baseline", "ratio", "result", "others in the same run")
_METHOD = (
    "Each figure is the median of an interleaved run: the programs take turns, so that what "
    "disturbs the machine disturbs all of them. Only ratios within one run mean anything on "
    "another machine. A terminal of 120x40 cells, an account of 100,000 keys where nothing else "
    "is said."
)
# A smaller one would be shown as nothing.
_RATIO_LEAST = 0.01
PASSES, FALLS_SHORT = "pass", "falls short"


def rows(outcomes: Iterable[Outcome]) -> list[tuple[str, ...]]:
    """Return the rows of the table, one for each check."""
    found: list[tuple[str, ...]] = []
    for outcome in outcomes:
        number = str(outcome.goal.number)
        found += [(number, *_cells(check)) for check in outcome.checks]
        if outcome.failure is not None:
            reason = outcome.failure.reason
            found.append((number, outcome.failure.what, "–", "", "", "", FALLS_SHORT, reason))
    return found


def _cells(check: Check) -> tuple[str, ...]:
    return (
        check.what,
        f"{number_text(check.value)} {check.unit}".strip(),
        check.limit_text,
        "" if check.baseline is None else str(check.baseline),
        _ratio_text(check.ratio),
        PASSES if check.passes else FALLS_SHORT,
        ", ".join(str(figure) for figure in check.others),
    )


def _ratio_text(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return "< 0.01x" if ratio < _RATIO_LEAST else f"{number_text(ratio)}x"


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return how many goals are reached, in a sentence."""
    reached = sum(outcome.is_reached for outcome in outcomes)
    missed = [str(outcome.goal.number) for outcome in outcomes if not outcome.is_reached]
    if not missed:
        return f"All {reached} goals are reached."
    return f"{reached} of {len(outcomes)} goals are reached; short of it: {', '.join(missed)}."


def as_text(outcomes: Sequence[Outcome]) -> str:
    """Return the table for a terminal."""
    table = [_TITLES, *rows(outcomes)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_TITLES))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
    return "\n".join(lines)


def as_document(outcomes: Sequence[Outcome], notes: Iterable[str], runs: int) -> str:
    """Return the document that is kept with the project."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `python -m benchmarks`; do not edit.",
        "",
        _METHOD,
        "",
        *(f"- {fact}" for fact in _machine(runs)),
        "",
        summary(outcomes),
        "",
        _line(_TITLES),
        _line(("---",) * len(_TITLES)),
        *(_line(row) for row in rows(outcomes)),
    ]
    told = [f"- {note}" for note in notes]
    if told:
        lines += ["", *told]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _machine(runs: int) -> list[str]:
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, {runs} runs",
        f"{os.cpu_count()} cores, {platform.machine()}, {system}",
        f"Python {sys.version.split()[0]}, Textual {version('textual')}",
    ]
