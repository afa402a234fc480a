"""L2: license files are cut short, added to, and put together from parts of others."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.verifying import (
    SOUND,
    Accepts,
    Desk,
    accepts_by_the_book,
    verifier_that_never_stumbles,
)
from tests.vectors.materials import payload, sign
from tests.vectors.valid import certificate, manifest
from tui_licenses.documents.canonical import encode_canonical

_WHOLE = 12_000
_APPENDED_BYTES = 64
# What parts are taken from: other serials, other signers, another kind of document.
_OTHERS = (
    *SOUND.values(),
    sign(payload(2, serial=8)),
    sign(payload(5), ["signing-2"]),
    sign(payload(3), ["stranger"]),
    sign(payload(3), ["retired"]),
    manifest(),
    b'{"code":"%s"}' % certificate(),
)


def _cuts(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    for length in range(len(data)):
        yield f"{name}, the first {length} bytes", data[:length]


def _additions(run: Run, name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    for length in range(1, _APPENDED_BYTES + 1):
        for more in (b"\0" * length, b"\n" * length, b" " * length, run.random.randbytes(length)):
            yield f"{name} and {more!r}", data + more
            yield f"{more!r} and {name}", more + data


def _swapped_members() -> Iterator[tuple[str, bytes]]:
    """Yield envelopes with payload, type or signatures of another."""
    envelopes = [json.loads(data) for data in _OTHERS[:-1]]
    for (one, envelope), (two, other) in itertools.permutations(enumerate(envelopes), 2):
        for member in envelope:
            swapped = envelope | {member: other[member]}
            yield f"{member} of {two} in {one}", encode_canonical(swapped)
        more = envelope | {"signatures": envelope["signatures"] + other["signatures"]}
        yield f"signatures of {two} added to {one}", encode_canonical(more)


def _splices(run: Run) -> Iterator[tuple[str, bytes]]:
    while True:
        one, two = run.random.sample(_OTHERS, 2)
        start, end = run.random.randrange(len(one)), run.random.randrange(len(two))
        spliced = one[:start] + two[end:]
        yield f"spliced to {spliced!r}", spliced


def _cases(run: Run) -> Iterator[tuple[str, bytes]]:
    exact = [
        case
        for name, data in SOUND.items()
        for case in (*_cuts(name, data), *_additions(run, name, data))
    ]
    exact += _swapped_members()
    yield from run.choose(exact, fast=1500)
    yield from itertools.islice(_splices(run), run.count(_WHOLE, 500))


def _is_sound(data: bytes) -> bool:
    """Say whether parts that belong together met: the same envelope, or one signature of two."""
    one_signature = json.loads(SOUND["two signatures"])
    one_signature["signatures"].pop()
    both_ways = json.loads(SOUND["two signatures"])
    both_ways["signatures"].reverse()
    sound = {*_OTHERS[:3], _OTHERS[3], _OTHERS[4], encode_canonical(one_signature)}
    return data in sound | {encode_canonical(both_ways)}


def _try(run: Run, accepts: Accepts) -> None:
    for name, data in SOUND.items():
        run.expect(accepts(data), Broken.OTHER, f"{name}: a sound file is refused")
    for what, data in _cases(run):
        if _is_sound(data):
            continue
        with run.case(what):
            run.expect(not accepts(data), Broken.FORGED, what)
        run.disturb()


def _run(run: Run) -> None:
    with verifier_that_never_stumbles(run):
        _try(run, Desk(run.folder).accepts)


def _control(run: Run) -> None:
    _try(run, accepts_by_the_book)


CLASS = TrustClass("L2", "license files: cut, added to, spliced", _WHOLE, _run, _control)
