"""L1: every bit of three license files is flipped, and bytes are edited at random."""

from __future__ import annotations

from collections.abc import Iterator

from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.verifying import (
    SOUND,
    Accepts,
    Desk,
    accepts_by_the_book,
    verifier_that_never_stumbles,
)

_EDITS = 20_000
_WHOLE = sum(len(data) * 8 for data in SOUND.values()) + _EDITS


def _flips(run: Run) -> Iterator[tuple[str, bytes]]:
    flips = [(name, bit) for name, data in SOUND.items() for bit in range(len(data) * 8)]
    for name, bit in run.choose(flips, fast=4000):
        data = bytearray(SOUND[name])
        data[bit // 8] ^= 1 << bit % 8
        yield f"{name}, bit {bit}", bytes(data)


def _edits(run: Run) -> Iterator[tuple[str, bytes]]:
    """Yield files with one to four bytes replaced, left out or put in."""
    wanted = run.count(_EDITS, 1000)
    while wanted:
        name = run.random.choice([*SOUND])
        data = bytearray(SOUND[name])
        for _ in range(run.random.randint(1, 4)):
            at = run.random.randrange(len(data))
            new = run.random.randbytes(run.random.randint(0, 2))
            data[at : at + run.random.randint(0, 2)] = new
        if data != SOUND[name]:
            wanted -= 1
            yield f"{name}, edited to {bytes(data)!r}", bytes(data)


def _try(run: Run, accepts: Accepts) -> None:
    for data in SOUND.values():
        run.expect(accepts(data), Broken.OTHER, "a sound file is refused")
    for what, data in (*_flips(run), *_edits(run)):
        with run.case(what):
            run.expect(not accepts(data), Broken.FORGED, what)
        run.disturb()


def _run(run: Run) -> None:
    with verifier_that_never_stumbles(run):
        _try(run, Desk(run.folder).accepts)


def _control(run: Run) -> None:
    _try(run, accepts_by_the_book)


CLASS = TrustClass("L1", "license files: every bit, and edited bytes", _WHOLE, _run, _control)
