"""A figure, what it has to be, and whether it is."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.errors import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from benchmarks.laboratory import Laboratory

_DECIMALS_BELOW = ((10, 2), (100, 1))


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value of somebody: a program, a database, the yardstick."""

    name: str
    value: float
    unit: str

    def __str__(self) -> str:
        return f"{self.name} {number_text(self.value)} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a goal asks for.

    `limit` bounds our value, or its ratio to the baseline where `is_ratio`; `is_least` makes it
    the least that will do. `is_steady` says that the machine and its load do not matter.
    """

    what: str
    value: float
    unit: str
    limit: float
    baseline: Figure | None = None
    is_ratio: bool = False
    is_least: bool = False
    is_steady: bool = False
    others: tuple[Figure, ...] = ()

    @property
    def ratio(self) -> float | None:
        """Return our value as a multiple of the baseline's."""
        if self.baseline is None or not self.baseline.value:
            return None
        return self.value / self.baseline.value

    @property
    def passes(self) -> bool:
        """Say whether the limit is kept."""
        judged = self.ratio if self.is_ratio else self.value
        if judged is None:
            return False
        return judged >= self.limit if self.is_least else judged <= self.limit

    @property
    def limit_text(self) -> str:
        """Return what is asked for, as `≤ 1.15x minimal`."""
        sign = "≥" if self.is_least else "≤"
        if self.is_ratio and self.baseline is not None:
            return f"{sign} {self.limit:g}x {self.baseline.name}"
        return f"{sign} {number_text(self.limit)} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be measured, and why."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal; `measure` returns the checks that it consists of, one after the other."""

    number: int
    title: str
    measure: Callable[[Laboratory], Iterable[Check]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out for one goal."""

    goal: Goal
    checks: tuple[Check, ...]
    failure: Failure | None = None

    @property
    def is_reached(self) -> bool:
        """Say whether every check of the goal passes."""
        return self.failure is None and all(check.passes for check in self.checks)


def measure_goal(
    laboratory: Laboratory,
    goal: Goal,
    choose: Callable[[Iterable[Check]], Iterable[Check]] = iter,
) -> Outcome:
    """Measure one goal; what was measured before a failure is kept."""
    checks: list[Check] = []
    try:
        for check in choose(goal.measure(laboratory)):
            checks.append(check)  # noqa: PERF402 - what came before an error stays
    except BenchmarkError as error:
        return Outcome(goal, tuple(checks), Failure(goal.title, str(error)))
    return Outcome(goal, tuple(checks))


def number_text(value: float) -> str:
    """Return a number with as many decimals as mean something."""
    for below, decimals in _DECIMALS_BELOW:
        if abs(value) < below:
            text = f"{value:.{decimals}f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:,.0f}"


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def medians(samples: Mapping[str, Sequence[float]], unit: str) -> dict[str, Figure]:
    """Return the median of what was measured of each program."""
    return {name: Figure(name, median(found), unit) for name, found in samples.items()}


def without(figures: Mapping[str, Figure], *names: str) -> tuple[Figure, ...]:
    """Return the figures of the other programs."""
    return tuple(figure for name, figure in figures.items() if name not in names)
