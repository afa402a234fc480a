"""The fast form: what does not depend on the machine, on a small account, within a minute."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

from benchmarks.checks import Check, Goal, Outcome, measure_goal
from benchmarks.errors import BenchmarkError
from benchmarks.goals import GOALS
from benchmarks.laboratory import Laboratory, Options

_GOALS = (1, 3, 4, 5, 10, 12, 14, 17)
_INSTANCE_COUNT, _KEY_COUNT = 160, 4_000
# Ratios of times are kept with room for a busy machine; times alone are not looked at.
_ROOM = 3
_ROOT = Path(__file__).parents[1]
_QUERY_PLANS = "tests/cloud/test_query_plans.py"


def measure_fast() -> tuple[list[Outcome], list[str]]:
    """Return what came out, and notes."""
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks-") as data,
        Laboratory(_options(Path(data))) as laboratory,
    ):
        goals = [goal for goal in GOALS if goal.number in _GOALS]
        goals.append(Goal(16, "The cloud at size", _query_plans))
        outcomes = [
            measure_goal(laboratory, goal, steady_checks)
            for goal in sorted(goals, key=attrgetter("number"))
        ]
        return outcomes, laboratory.notes


def _options(data: Path) -> Options:
    return Options(
        data,
        runs=1,
        has_peers=False,
        has_large=False,
        instance_count=_INSTANCE_COUNT,
        key_count=_KEY_COUNT,
    )


def steady_checks(checks: Iterable[Check]) -> Iterator[Check]:
    """Give the checks that hold on every machine: counts, and ratios with room."""
    for check in checks:
        if check.is_steady:
            yield check
        elif check.is_ratio and not check.is_least:
            yield replace(check, limit=check.limit * _ROOM)


def _query_plans(_laboratory: Laboratory) -> list[Check]:
    """Let the project's own test look at the plan of every query of the cloud."""
    done = subprocess.run(
        (sys.executable, "-m", "pytest", "-q", _QUERY_PLANS),
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"{_QUERY_PLANS}: {done.stdout.strip().splitlines()[-1]}")
    return [Check("queries that read a large table whole", 0, "", 0, is_steady=True)]
