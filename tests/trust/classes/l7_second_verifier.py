"""L7: the second verifier, which shares no code with the program, agrees on every vector."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.verifying import accepts_by_the_book
from tests.vectors.reading import FILES, document_of, load, outcome_of, second_outcome_of

# Where acceptance is due, nothing was disturbed.
_WHOLE = sum(load(path)["expected"] != "valid" for path in FILES)


def _run(run: Run) -> None:
    for path in run.choose(FILES, fast=40):
        vector = load(path)
        with run.case(path.stem), tempfile.TemporaryDirectory(dir=run.folder) as folder:
            found = (outcome_of(vector), second_outcome_of(vector, Path(folder)))
            expected = vector["expected"]
            is_forged = "valid" in found and expected != "valid"
            run.expect(
                found == (expected, expected),
                Broken.FORGED if is_forged else Broken.OTHER,
                f"{path.stem}: {found}, not {expected}",
            )
            run.disturb(expected != "valid")


def _control(run: Run) -> None:
    for path in FILES:
        vector = load(path)
        if vector["kind"] != "license" or vector["expected"] == "valid":
            continue
        run.disturb()
        with run.case(path.stem):
            is_forged = accepts_by_the_book(document_of(vector))
            run.expect(not is_forged, Broken.FORGED, f"{path.stem} is accepted")


CLASS = TrustClass("L7", "every vector, by the second verifier too", _WHOLE, _run, _control)
