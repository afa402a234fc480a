"""`python -m benchmarks`: measure every goal, print the table, write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.checks import Outcome, measure_goal
from benchmarks.data import default_folder
from benchmarks.fast import measure_fast
from benchmarks.goals import GOALS
from benchmarks.laboratory import Laboratory, Options
from benchmarks.report import as_document, as_text, summary

_DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
# The thread that stamps the output must not wait for its turn.
_SWITCH_SECONDS = 1e-4


def main() -> int:
    """Measure what is asked for; the fast form fails where something has become worse."""
    arguments = _parser().parse_args()
    sys.setswitchinterval(_SWITCH_SECONDS)
    if arguments.fast:
        outcomes, notes = measure_fast()
        _tell(outcomes, notes)
        return 0 if all(outcome.is_reached for outcome in outcomes) else 1
    chosen = arguments.only
    goals = [goal for goal in GOALS if not chosen or goal.number in chosen]
    options = Options(
        arguments.data,
        arguments.runs,
        has_large=not arguments.skip_large,
        visidata_path=arguments.visidata,
    )
    with Laboratory(options) as laboratory:
        outcomes = []
        for goal in goals:
            print(f"{goal.number}  {goal.title} …", file=sys.stderr, flush=True)
            outcomes.append(measure_goal(laboratory, goal))
    _tell(outcomes, laboratory.notes)
    if not chosen:
        document = as_document(outcomes, laboratory.notes, laboratory.runs)
        _DOCUMENT.write_text(document, encoding="utf-8")
    return 0


def _tell(outcomes: Sequence[Outcome], notes: Sequence[str]) -> None:
    print(as_text(outcomes))
    for note in notes:
        print(f"- {note}")
    print(summary(outcomes))


def _numbers(text: str) -> Sequence[int]:
    return [int(number) for number in text.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--fast", action="store_true", help="only what does not depend on the machine, in a minute"
    )
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="rounds (default 5)")
    parser.add_argument(
        "--only", type=_numbers, metavar="1,3,8", help="these goals; the document stays as it is"
    )
    parser.add_argument(
        "--data", type=Path, default=default_folder(), help="where seeded clouds are kept"
    )
    parser.add_argument(
        "--skip-large", action="store_true", help="without the cloud of 1,000,000 keys"
    )
    parser.add_argument("--visidata", metavar="PATH", help="the VisiData program to compare with")
    return parser


if __name__ == "__main__":
    sys.exit(main())
