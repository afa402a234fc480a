"""`python -m benchmarks.trust`: inject every class of faults and count what became of them."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from itertools import chain

from tests.trust.harness import (
    Broken,
    Result,
    TrustClass,
    closing_line,
    find_classes,
    run_class,
)

_SEED_BITS = 32


def main() -> int:
    """Run what is asked for, print the counts of each class, and fail where a promise broke."""
    arguments = _parser().parse_args()
    wanted: Sequence[str] = arguments.only
    chosen = [entry for entry in find_classes() if not wanted or entry.id in wanted]
    seed: int = arguments.seed if arguments.seed is not None else secrets.randbits(_SEED_BITS)
    form = "fast" if arguments.fast else "whole"
    print(f"seed {seed}, {form} form: repeat with --seed {seed}", flush=True)
    shared = [entry for entry in chosen if not entry.alone]
    alone = [entry for entry in chosen if entry.alone]
    results = []
    for result in chain(
        _results(shared, seed, is_fast=arguments.fast, jobs=arguments.jobs),
        _results(alone, seed, is_fast=arguments.fast, jobs=1),
    ):
        print(_line(result), flush=True)
        results.append(result)
    print(closing_line(results))
    return 0 if results and all(result.is_kept for result in results) else 1


def _results(
    classes: Sequence[TrustClass], seed: int, *, is_fast: bool, jobs: int
) -> Iterator[Result]:
    """Run some classes at a time, and give their results as they come."""
    threads = ThreadPoolExecutor(jobs)
    try:
        waiting = [threads.submit(_result, entry, seed, is_fast=is_fast) for entry in classes]
        for future in as_completed(waiting):
            yield future.result()
    finally:
        # After Ctrl-C no other class is begun.
        threads.shutdown(cancel_futures=True)


def _result(entry: TrustClass, seed: int, *, is_fast: bool) -> Result:
    """Run a class in a process of its own, whose end is told of this class alone."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(run_class, entry.id, seed, is_fast=is_fast).result()
        except BrokenProcessPool as error:
            ended = (f"{Broken.UNHANDLED}: the process ended: {error}",)
            broken = {Broken.UNHANDLED: 1}
            return Result(entry.id, entry.title, 0, broken, ended, False, 0, entry.are_faults)


def _line(result: Result) -> str:
    kept = "kept" if result.is_kept else "BROKEN"
    control = "control fails" if result.is_control_caught else "CONTROL PASSES"
    counts = f"{result.disturbed:>9,}  {kept:<7} {control}  {result.seconds:.1f} s"
    reported = (f"      {line}" for line in result.reported)
    return "\n".join((f"{result.id:<4}{result.title:<64.64}{counts}", *reported))


def _ids(text: str) -> Sequence[str]:
    return text.upper().split(",")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trust", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="a sample of each class, as in CI")
    parser.add_argument("--seed", type=int, metavar="N", help="repeat the run of this seed")
    parser.add_argument("--only", type=_ids, default=(), metavar="L1,D2", help="these classes")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="classes at a time"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
