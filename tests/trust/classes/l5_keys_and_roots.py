"""L5: signing keys come and go, roots are replaced, a lab stands beside a real cloud."""

from __future__ import annotations

import base64
import itertools
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.signed_documents import add_root, offline_service
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.verifying import accepts_by_the_book
from tests.vectors.materials import ISSUED, ISSUER, KEYS, NOW, payload, sign
from tui_licenses import paths
from tui_licenses.documents.envelope import LICENSE_TYPE, MANIFEST_TYPE
from tui_licenses.documents.signing import import_public_key
from tui_licenses.documents.trust import SigningKeyStatus, TrustedKey
from tui_licenses.documents.trust_document import build_trust_document
from tui_licenses.errors import TuiLicensesError
from tui_licenses.service import trust_store

_NOT_BEFORE, _RETIRE_AFTER = NOW - 1000, NOW - 500
_GOOD = TrustedKey(KEYS["signing-1"].public_key, (LICENSE_TYPE,), 0, None, SigningKeyStatus.ACTIVE)


@dataclass(frozen=True)
class _Case:
    """What is trusted in which order (root, lab or not, documents), a file, and the outcome.

    `expected` is an error, `valid` or `lab`. An attack `is_without_effect` where a document that
    may not change anything is refused or ignored, and the file is judged as if it were not there.
    """

    what: str
    roots: Sequence[tuple[str, bool, Sequence[bytes]]]
    document: bytes
    expected: str
    is_without_effect: bool = False

    @property
    def is_fault(self) -> bool:
        """Say whether something else than acceptance is due, of the file or of a document."""
        return self.is_without_effect or self.expected not in {"valid", "lab"}


def _trust(
    keys: Sequence[TrustedKey] = (_GOOD,),
    revision: int = 1,
    root: str = "root",
    retiring: Sequence[str] = (),
    threshold: int = 1,
    issuer: str = ISSUER,
) -> bytes:
    return build_trust_document(
        issuer,
        revision,
        0,
        keys,
        [KEYS[root]],
        retiring_roots=[KEYS[name] for name in retiring],
        threshold=threshold,
    )


def _key(name: str, status: SigningKeyStatus) -> TrustedKey:
    """Return a key that signed for a while."""
    retire_after = None if status is SigningKeyStatus.ACTIVE else _RETIRE_AFTER
    return TrustedKey(KEYS[name].public_key, (LICENSE_TYPE,), _NOT_BEFORE, retire_after, status)


def _always(
    name: str,
    status: SigningKeyStatus = SigningKeyStatus.ACTIVE,
    document_type: str = LICENSE_TYPE,
) -> TrustedKey:
    """Return a key that signed from the beginning."""
    return TrustedKey(KEYS[name].public_key, (document_type,), 0, None, status)


def _file(signers: Sequence[str] = ("signing-1",), issued: int = ISSUED) -> bytes:
    return sign(payload(issued=issued, notBefore=0), signers)


def _statuses() -> Iterator[_Case]:
    instants = {
        "before its time": _NOT_BEFORE - 1,
        "at its start": _NOT_BEFORE,
        "at its end": _RETIRE_AFTER,
        "after its end": _RETIRE_AFTER + 1,
    }
    signers = (["retired"], ["retired", "signing-1"], ["signing-1", "retired"])
    for status, (when, issued), names in itertools.product(
        SigningKeyStatus, instants.items(), signers
    ):
        expected = "valid"
        if status is SigningKeyStatus.REVOKED:
            expected = "signing-key-revoked"
        elif issued < _NOT_BEFORE:
            expected = "signing-key-unknown"
        elif issued > _RETIRE_AFTER and status is SigningKeyStatus.RETIRED:
            expected = "signing-key-retired"
        document = _trust([_GOOD, _key("retired", status)])
        yield _Case(
            f"a key that is {status}, {when}, signed by {names}",
            [("root", False, [document])],
            _file(names, issued),
            expected,
        )


def _thresholds() -> Iterator[_Case]:
    names = ("signing-1", "signing-2", "later")
    keys = [_always(name) for name in names]
    for threshold, count in itertools.product((1, 2, 3), repeat=2):
        yield _Case(
            f"{count} signatures of {threshold}",
            [("root", False, [_trust(keys, threshold=threshold)])],
            _file(names[:count]),
            "valid" if count >= threshold else "bad-signature",
        )


def _steps() -> Iterator[_Case]:
    first, revoked = _trust(), _trust([_always("signing-1", SigningKeyStatus.REVOKED)], 2)
    replaced = _trust(revision=2, root="next-root", retiring=["root"])
    revoked_by_next = _trust([_always("signing-1", SigningKeyStatus.REVOKED)], 3, "next-root")
    revoked_by_old = _trust([_always("signing-1", SigningKeyStatus.REVOKED)], 3)
    new_key = _trust([_always("signing-2")], 2)
    for what, documents, signer, expected in (
        ("revoked in the next step", [first, revoked], "signing-1", "signing-key-revoked"),
        (
            "the step before comes again",
            [first, revoked, first],
            "signing-1",
            "signing-key-revoked",
        ),
        ("a new key", [first, new_key], "signing-2", "valid"),
        ("the old key is gone", [first, new_key], "signing-1", "signing-key-unknown"),
        ("the root is replaced", [first, replaced], "signing-1", "valid"),
        (
            "the new root revokes",
            [first, replaced, revoked_by_next],
            "signing-1",
            "signing-key-revoked",
        ),
        ("256 steps", [_trust(revision=each) for each in range(1, 257)], "signing-1", "valid"),
    ):
        yield _Case(what, [("root", False, documents)], _file([signer]), expected)
    for what, documents in (
        ("the old root may not", [first, replaced, revoked_by_old]),
        ("a root nobody named", [first, _trust((), 2, "next-root")]),
        ("another issuer", [first, _trust((), 2, issuer="other")]),
        ("a missing step", [first, _trust((), 3)]),
    ):
        yield _Case(what, [("root", False, documents)], _file(), "valid", is_without_effect=True)


def _labs() -> Iterator[_Case]:
    real = ("root", False, [_trust()])
    lab_key, taken = _always("stranger"), _always("signing-1", SigningKeyStatus.REVOKED)
    lab = ("lab-root", True, [_trust([lab_key], root="lab-root", issuer="lab")])
    thief = ("lab-root", True, [_trust([lab_key, taken], root="lab-root", issuer="lab")])
    copier = ("lab-root", True, [_trust([_GOOD], root="lab-root", issuer="lab")])
    ours, theirs = _file(), _file(["stranger"])
    yield _Case("a lab's file without the lab", [real], theirs, "signing-key-unknown")
    yield _Case("a real file without its cloud", [lab], ours, "signing-key-unknown")
    for roots in ([real, lab], [lab, real]):
        yield _Case("a lab's file beside a real cloud", roots, theirs, "lab")
        yield _Case("a real file beside a lab", roots, ours, "valid")
    yield _Case("a lab revokes a real cloud's key", [thief, real], ours, "valid", True)
    yield _Case("a lab lists a real cloud's key", [copier, real], ours, "valid", True)
    mixed = _file(["signing-1", "stranger"])
    yield _Case("signed by both", [real, lab], mixed, "signing-key-unknown")
    relabelled = ("lab-root", False, lab[2])
    yield _Case("a lab added again as a real cloud", [lab, relabelled], theirs, "lab", True)
    wrong_type = ("root", False, [_trust([_always("signing-2", document_type=MANIFEST_TYPE)])])
    yield _Case("a key for manifests", [wrong_type], _file(["signing-2"]), "signing-key-unknown")


def _outcome(case: _Case, run: Run) -> str:
    """Return what the program makes of a case, in an empty trust store."""
    for file in (*_files(paths.trust_folder()), *_files(paths.state_folder() / "serials")):
        file.unlink()
    for root, is_lab, documents in case.roots:
        add_root(documents[0], root, is_lab=is_lab)
        trust_store.follow(documents[1:])
    tried = run.folder / "tried.bin"
    tried.write_bytes(case.document)
    try:
        found = offline_service().verify(tried)
    except TuiLicensesError as error:
        return error.code
    return "lab" if found.is_lab else "valid"


def _files(folder: Path) -> list[Path]:
    return [*folder.iterdir()] if folder.is_dir() else []


def _try(run: Run, outcome: Callable[[_Case, Run], str]) -> None:
    for case in (*_statuses(), *_thresholds(), *_steps(), *_labs()):
        with run.case(case.what):
            found = outcome(case, run)
            forged = found in {"valid", "lab"} and case.expected not in {"valid", "lab"}
            broken = Broken.FORGED if forged else Broken.OTHER
            run.expect(found == case.expected, broken, f"{case.what}: {found}, not {case.expected}")
            run.disturb(case.is_fault)


def _run(run: Run) -> None:
    # What is refused here is told by its outcome.
    logging.getLogger(trust_store.__name__).addHandler(logging.NullHandler())
    _try(run, _outcome)


def _naive_outcome(case: _Case, _run: Run) -> str:
    """Accept what any key signed that was ever listed, as a folder of public keys would."""
    listed = [
        import_public_key(bytes.fromhex(entry["key"]))
        for _, _, documents in case.roots
        for document in documents
        for entry in json.loads(base64.b64decode(json.loads(document)["payload"]))["keys"]
    ]
    return "valid" if accepts_by_the_book(case.document, listed) else "signing-key-unknown"


def _control(run: Run) -> None:
    _try(run, _naive_outcome)


CLASS = TrustClass("L5", "signing keys, roots, thresholds and labs", 39, _run, _control)
