"""What a class of faults is, how it is run, and how its outcomes are counted.

A class injects one kind of fault many times and looks at what became of it. Only runs that the
fault really *disturbed* are counted. Its control does the same to a deliberately naive writer,
verifier or renderer and must fail: a class whose control passes proves nothing, nor does one whose
control only crashes.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import random
import re
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from tests.trust import classes

_Case = TypeVar("_Case")

# What a report shows of one class; the rest is counted only.
_REPORTED_MAXIMUM = 20


class Broken(StrEnum):
    """The ways in which a promise can be broken, in the words of the closing line."""

    LOST = "lost"
    CORRUPT = "corrupt"
    FORGED = "forged accepted"
    RAW = "raw control bytes"
    UNHANDLED = "unhandled exceptions"
    # A promise outside those five: a wrong error, a limit of time or memory that was passed.
    OTHER = "other promises broken"


# What a control is to show. Any mistake in it would crash it too, so that proves nothing.
_ALL_BUT_CRASHES = tuple(broken for broken in Broken if broken is not Broken.UNHANDLED)


@dataclass
class Run:
    """One run of one class: its randomness, its folder, and its counts.

    In the whole form `choose` gives every case; in the fast form a repeatable sample. A run
    `is_finished` when its class returned; it is not when an exception ended it.
    """

    random: random.Random
    folder: Path
    is_fast: bool
    disturbed: int = 0
    broken: Counter[Broken] = field(default_factory=Counter)
    reported: list[str] = field(default_factory=list)
    is_finished: bool = False

    def choose(self, cases: Sequence[_Case], fast: int) -> Sequence[_Case]:
        """Return every case, or in the fast form at most `fast` of them, in their order."""
        if not self.is_fast or len(cases) <= fast:
            return cases
        return [cases[index] for index in sorted(self.random.sample(range(len(cases)), fast))]

    def count(self, whole: int, fast: int) -> int:
        """Return how often to repeat something in this form."""
        return fast if self.is_fast else whole

    def disturb(self, times: int = 1) -> None:
        """Count runs that a fault really reached."""
        self.disturbed += times

    def report(self, broken: Broken, what: str) -> None:
        """Count a broken promise, and keep what is needed to repeat it."""
        self.broken[broken] += 1
        if len(self.reported) < _REPORTED_MAXIMUM:
            self.reported.append(f"{broken}: {what}")

    def expect(self, is_kept: bool, broken: Broken, what: str) -> None:
        """Report `what` unless a promise was kept."""
        if not is_kept:
            self.report(broken, what)

    @contextmanager
    def case(self, what: str, *expected: type[BaseException]) -> Iterator[None]:
        """Run one case: `expected` errors are answers, any other exception is a bug."""
        try:
            yield
        except expected:
            pass
        except Exception as error:  # noqa: BLE001 - what a class is there to find
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(place.filename).name}:{place.lineno}"
            self.report(Broken.UNHANDLED, f"{what}: {error!r} at {where}")


@dataclass(frozen=True)
class TrustClass:
    """One class: `run` does it to this program, `control` to a naive one that must fail.

    `whole` is the least number of disturbed runs of the whole form. A class that measures time
    or memory is run `alone`, beside no other. Runs that are no faults (`are_faults`), as strings
    given to a function, are left out of the closing line. A control whose naive one crashes where
    this program does not says so by `control_breaks`: one of these promises it must break.
    """

    id: str
    title: str
    whole: int
    run: Callable[[Run], None]
    control: Callable[[Run], None]
    alone: bool = False
    are_faults: bool = True
    control_breaks: tuple[Broken, ...] = _ALL_BUT_CRASHES


@dataclass(frozen=True)
class Result:
    """What came out of one class."""

    id: str
    title: str
    disturbed: int
    broken: dict[Broken, int]
    reported: tuple[str, ...]
    is_control_caught: bool
    seconds: float
    are_faults: bool = True

    @property
    def is_kept(self) -> bool:
        """Say whether every promise was kept, and the class is known to bite."""
        return not self.broken and self.is_control_caught and self.disturbed > 0


def find_classes() -> tuple[TrustClass, ...]:
    """Return every class, in the order of the matrix: T, L, X, D, N, C, S and their numbers."""
    found = [
        importlib.import_module(f"{classes.__name__}.{module.name}").CLASS
        for module in pkgutil.iter_modules(classes.__path__)
    ]
    return tuple(sorted(found, key=_order))


def _order(trust_class: TrustClass) -> tuple[int, int]:
    parts = re.fullmatch(r"([TLXDNCS])(\d+)", trust_class.id)
    if parts is None:
        raise ValueError(f"{trust_class.id} is no id of the matrix")
    return "TLXDNCS".index(parts[1]), int(parts[2])


def run_class(class_id: str, seed: int, *, is_fast: bool) -> Result:
    """Run one class and its control, each in an empty home of its own.

    To be called in a process of its own: it changes the environment.
    """
    (trust_class,) = (entry for entry in find_classes() if entry.id == class_id)
    started = time.monotonic()
    run = _run_one(trust_class.run, f"{seed}/{class_id}", is_fast=is_fast)
    # The smallest form is enough to see that it fails.
    control = _run_one(trust_class.control, f"{seed}/{class_id}/control", is_fast=True)
    if not is_fast and run.disturbed < trust_class.whole:
        run.report(Broken.OTHER, f"{run.disturbed} disturbed, not {trust_class.whole}")
    return Result(
        trust_class.id,
        trust_class.title,
        run.disturbed,
        dict(run.broken),
        tuple(run.reported),
        is_control_caught=_is_caught(control, trust_class.control_breaks),
        seconds=time.monotonic() - started,
        are_faults=trust_class.are_faults,
    )


def _is_caught(control: Run, breaks: Sequence[Broken]) -> bool:
    """Say whether a control came to its end, was reached by its fault, and broke its promise."""
    is_broken = any(control.broken[broken] for broken in breaks)
    return control.is_finished and control.disturbed > 0 and is_broken


def _run_one(body: Callable[[Run], None], seed: str, *, is_fast: bool) -> Run:
    with tempfile.TemporaryDirectory(prefix="trust-") as name:
        folder = Path(name).resolve()
        _empty_home(folder / "home")
        work = folder / "work"
        work.mkdir(mode=0o700)
        run = Run(random.Random(seed), work, is_fast)
        with run.case(f"seed {seed}"):
            body(run)
            run.is_finished = True
        return run


def _empty_home(home: Path) -> None:
    """Point the environment of this process at a home that holds nothing."""
    home.mkdir(mode=0o700)
    for name in tuple(os.environ):
        if name.startswith(("XDG_", "TUI_LICENSES_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["HOME"] = str(home)
    for name, place in (
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_CACHE_HOME", ".cache"),
        ("XDG_RUNTIME_DIR", ".run"),
    ):
        os.environ[name] = str(home / place)


def closing_line(results: Sequence[Result]) -> str:
    """Return the line to quote, from the run's own counters."""
    total: Counter[Broken] = Counter()
    for result in results:
        total.update(result.broken)
    counts = ", ".join(
        f"{total[broken]} {broken}" for broken in Broken if broken is not Broken.OTHER
    )
    other = f", {total[Broken.OTHER]} {Broken.OTHER}" if total[Broken.OTHER] else ""
    faults = sum(result.disturbed for result in results if result.are_faults)
    return f"{faults:,} faults injected, {counts}{other}"
