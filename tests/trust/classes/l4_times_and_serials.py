"""L4: start, end and serial of a license file, a second and a number around every limit."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from tests.support.signed_documents import SignedServer, add_root, offline_service, overwrite
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.verifying import accepts_by_the_book
from tests.vectors.materials import KEYS, NOW, payload, sign
from tui_licenses.errors import DocumentError
from tui_licenses.service.serials import remember_serial

_STARTS = (-1000, 299, 300, 301, 1000)
_ENDS = (None, -1000, -301, -300, -299, 5)
_HIGHEST = (None, 6, 7, 8)
_SERIAL = 7


def _expected(start: int, end: int | None, highest: int | None) -> str | None:
    """Return what the table of docs/license-file.md says, written out on its own."""
    if start > 300:
        return "not-yet-valid"
    if end is not None and end < -300:
        return "file-expired"
    return "rollback" if highest == 8 else None


def _try(run: Run, refusal_of: Callable[[bytes, str, int | None], str | None]) -> None:
    grid = itertools.product(_STARTS, _ENDS, _HIGHEST)
    for number, (start, end, highest) in enumerate(grid):
        # A server of its own for each: the serial of one says nothing about another.
        server = SignedServer(number)
        data = sign(
            payload(
                serial=_SERIAL,
                # The instant of issue is held to the same limit as the start.
                **{("issued", "notBefore")[number % 2]: NOW + start},
                fileExpires=None if end is None else NOW + end,
                instance={"id": server.id, "fingerprint": server.fingerprint},
            )
        )
        what = f"start {start}, end {end}, highest serial {highest}"
        with run.case(what):
            found = refusal_of(data, server.fingerprint, highest)
            expected = _expected(start, end, highest)
            broken = Broken.FORGED if found is None else Broken.OTHER
            run.expect(found == expected, broken, f"{what}: {found}, not {expected}")
            run.disturb(expected is not None)


def _run(run: Run) -> None:
    add_root()
    service, file = offline_service(), run.folder / "tried.bin"
    trust = KEYS["root"].public_key.fingerprint

    def refusal_of(data: bytes, fingerprint: str, highest: int | None) -> str | None:
        if highest is not None:
            remember_serial(trust, fingerprint, highest)
        overwrite(file, data)
        try:
            service.verify(file, fingerprint=fingerprint)
        except DocumentError as error:
            return error.code
        return None

    _try(run, refusal_of)


def _control(run: Run) -> None:
    def refusal_of(data: bytes, _fingerprint: str, _highest: int | None) -> str | None:
        # What a reader does that looks at the signature alone.
        return None if accepts_by_the_book(data) else "bad-signature"

    _try(run, refusal_of)


CLASS = TrustClass("L4", "license files: times, skew and serials", 84, _run, _control)
