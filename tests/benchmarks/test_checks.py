"""Limits, ratios and the table: what would be wrong without anybody noticing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.checks import (
    Check,
    Failure,
    Figure,
    Goal,
    Outcome,
    measure_goal,
    number_text,
    percentile,
)
from benchmarks.errors import BenchmarkError
from benchmarks.fast import steady_checks
from benchmarks.goals import GOALS
from benchmarks.interleave import interleave
from benchmarks.laboratory import Laboratory, Options
from benchmarks.report import as_document, as_text, summary

BASELINE = Figure("minimal", 200, "ms")


def _measure(_laboratory: Laboratory) -> Sequence[Check]:
    return ()


GOAL = Goal(1, "The first row", _measure)


def test_a_ratio_is_judged_against_its_baseline_and_not_in_itself() -> None:
    assert Check("row", 230, "ms", 1.15, BASELINE, is_ratio=True).passes
    assert not Check("row", 231, "ms", 1.15, BASELINE, is_ratio=True).passes
    assert not Check("row", 10, "ms", 1.15, is_ratio=True).passes
    assert Check("bytes", 320, "B", 320, BASELINE).passes
    assert not Check("bytes", 321, "B", 320, BASELINE).passes


def test_a_rate_has_a_least_value() -> None:
    assert Check("files", 300, "/s", 300, is_least=True).passes
    assert not Check("files", 299, "/s", 300, is_least=True).passes
    assert Check("files", 300, "/s", 300, is_least=True).limit_text == "≥ 300 /s"


def test_the_fast_form_keeps_counts_as_they_are_and_gives_ratios_room() -> None:
    count = Check("bytes", 1, "B", 320, is_steady=True)
    ratio = Check("row", 230, "ms", 1.15, BASELINE, is_ratio=True)
    time = Check("row", 230, "ms", 4)
    kept = list(steady_checks([count, ratio, time]))
    assert kept[0] == count
    assert [check.limit for check in kept] == [320, pytest.approx(3.45)]


def test_everybody_takes_turns_and_warm_ups_do_not_count() -> None:
    called: list[str] = []

    def measure(name: str) -> int:
        called.append(name)
        return len(called)

    measures = {"a": lambda: measure("a"), "b": lambda: measure("b")}
    assert interleave(2, measures, warm_ups=1) == {"a": [3, 5], "b": [4, 6]}
    assert "".join(called) == "ababab"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1.15, "1.15"), (9.999, "10"), (42.25, "42.2"), (99.96, "100"), (14317.4, "14,317")],
)
def test_a_number_has_the_decimals_that_mean_something(value: float, text: str) -> None:
    assert number_text(value) == text


def test_the_95th_percentile_leaves_one_of_twenty_out() -> None:
    assert percentile(list(range(100)), 95) == 95
    assert percentile([7], 95) == 7


def test_the_table_tells_figure_limit_baseline_ratio_and_result() -> None:
    check = Check("row | one", 230, "ms", 1.15, BASELINE, is_ratio=True)
    outcomes = [Outcome(GOAL, (check,)), Outcome(GOAL, (), Failure("start", "it does not end"))]
    document = as_document(outcomes, ["mutt is not installed here."], 5)
    row = "| 1 | row \\| one | 230 ms | ≤ 1.15x minimal | minimal 200 ms | 1.15x | pass |  |"
    assert row in document.splitlines()
    assert "| falls short | it does not end |" in document
    assert "- mutt is not installed here." in document
    assert "230 ms" in as_text(outcomes)


def test_what_was_measured_before_a_failure_is_kept(tmp_path: Path) -> None:
    check = Check("bytes", 1, "B", 1)

    def measure(_laboratory: Laboratory) -> Iterator[Check]:
        yield check
        raise BenchmarkError("the program does not end")

    with Laboratory(Options(tmp_path)) as laboratory:
        outcome = measure_goal(laboratory, Goal(1, "The first row", measure))
    assert outcome.checks == (check,)
    assert not outcome.is_reached
    assert outcome.failure == Failure("The first row", "the program does not end")


def test_the_summary_names_what_falls_short() -> None:
    missed = Outcome(GOAL, (Check("bytes", 2, "B", 1), Check("bytes", 1, "B", 1)))
    reached = Outcome(Goal(2, "All rows", _measure), (Check("bytes", 1, "B", 1),))
    assert summary([missed, reached]) == "1 of 2 goals are reached; short of it: 1."
    assert summary([reached]) == "All 1 goals are reached."


def test_every_goal_is_there_once() -> None:
    assert [goal.number for goal in GOALS] == list(range(1, 18))
