"""Goals 3, 4 and 5: what a key costs, in time and on the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

from benchmarks.checks import Check, Figure, medians, without
from benchmarks.interleave import interleave
from benchmarks.laboratory import Laboratory
from benchmarks.programs import Program
from benchmarks.session import KeySample, Session
from benchmarks.terminal import ROWS

_DOWN_COUNT, _PAGE_COUNT, _SCROLL_COUNT = 20, 10, 8


@dataclass(frozen=True, slots=True)
class Keys:
    """What each kind of key brought in one session."""

    down: list[KeySample]
    page: list[KeySample]
    scroll: list[KeySample]


def measure_keys(laboratory: Laboratory) -> dict[str, list[Keys]]:
    """Press the same keys everywhere, in turn."""
    measures: dict[str, Callable[[], Keys]] = {
        "ours": partial(_press, laboratory.ours(), partial(_wait_for_rows, laboratory))
    }
    measures |= {
        name: partial(_press, peer, Session.settle) for name, peer in laboratory.peers().items()
    }
    return interleave(laboratory.runs, measures)


def _wait_for_rows(laboratory: Laboratory, session: Session) -> None:
    laboratory.wait_for_all_rows(session)
    session.wait_until_idle()


def _press(program: Program, wait: Callable[[Session], object]) -> Keys:
    with Session(program) as session:
        session.wait_until_ready()
        wait(session)
        if program.has_cursor:
            session.press_and_settle(program.first_row)
        down = [session.press("down") for _ in range(_DOWN_COUNT)]
        page = [session.press(program.page_down) for _ in range(_PAGE_COUNT)]
        if program.has_cursor:
            # To the last row of the screen: from there on each key scrolls.
            session.press_and_settle(program.first_row)
            session.press_and_settle(*("down" for _ in range(ROWS)))
        scroll = [session.press("down") for _ in range(_SCROLL_COUNT)]
        session.leave()
    return Keys(down, page, scroll)


def cursor_down(laboratory: Laboratory) -> list[Check]:
    """Check a move of the cursor within the page."""
    samples = _samples(laboratory, lambda keys: keys.down)
    return [
        _time_check("cursor down", samples, 4),
        _bytes_check("cursor down", samples, 320),
        _ideal_check("cursor down", samples["ours"], 1.10),
    ]


def page_down(laboratory: Laboratory) -> list[Check]:
    """Check a page."""
    samples = _samples(laboratory, lambda keys: keys.page)
    return [
        _time_check("page down", samples, 12),
        _bytes_check("page down", samples, 4300),
        _ideal_check("page down", samples["ours"], 1.10),
    ]


def scroll_by_one(laboratory: Laboratory) -> list[Check]:
    """Check a move of the cursor beyond the page."""
    samples = _samples(laboratory, lambda keys: keys.scroll)
    return [_bytes_check("scroll by one row", samples, 350)]


def _samples(
    laboratory: Laboratory, choose: Callable[[Keys], list[KeySample]]
) -> dict[str, list[KeySample]]:
    """Return one kind of keys, of all runs together."""
    measured = laboratory.once(measure_keys)
    return {
        name: [key for keys in found for key in choose(keys)] for name, found in measured.items()
    }


def _time_check(what: str, samples: dict[str, list[KeySample]], limit: float) -> Check:
    times = {name: [key.milliseconds for key in found] for name, found in samples.items()}
    return _check(f"{what}, to the last byte", medians(times, "ms"), limit, is_steady=False)


def _bytes_check(what: str, samples: dict[str, list[KeySample]], limit: float) -> Check:
    sizes = {name: [key.byte_count for key in found] for name, found in samples.items()}
    return _check(f"{what}, bytes", medians(sizes, "B"), limit, is_steady=True)


def _check(what: str, figures: dict[str, Figure], limit: float, *, is_steady: bool) -> Check:
    ours = figures["ours"]
    return Check(
        what,
        ours.value,
        ours.unit,
        limit,
        figures.get("DataTable"),
        is_steady=is_steady,
        others=without(figures, "ours", "DataTable"),
    )


def _ideal_check(what: str, keys: list[KeySample], limit: float) -> Check:
    ideal = Figure("ideal", median(key.ideal_byte_count for key in keys), "B")
    return Check(
        f"{what}, against an ideal screen diff",
        median(key.byte_count for key in keys),
        "B",
        limit,
        ideal,
        is_ratio=True,
        is_steady=True,
    )
