"""X2: every bit of a profile is flipped, it is cut and edited; its manifest finds each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.support.signed_documents import SignedServer, add_root, offline_service, overwrite
from tests.trust.harness import Broken, Run, TrustClass
from tui_licenses.service.folder_check import FileCheck

_SERVER = SignedServer(1)
_DOCUMENTS = _SERVER.documents()
_PROFILE = _DOCUMENTS["profile"]
_EDITS = 5000
_WHOLE = len(_PROFILE) * 9 + _EDITS


def _exact() -> Iterator[tuple[str, bytes]]:
    for bit in range(len(_PROFILE) * 8):
        data = bytearray(_PROFILE)
        data[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit}", bytes(data)
    for length in range(len(_PROFILE)):
        yield f"the first {length} bytes", _PROFILE[:length]


def _edits(run: Run) -> Iterator[tuple[str, bytes]]:
    wanted = run.count(_EDITS, 200)
    while wanted:
        data = bytearray(_PROFILE)
        for _ in range(run.random.randint(1, 3)):
            at = run.random.randrange(len(data))
            data[at : at + run.random.randint(0, 3)] = run.random.choices(
                b"<>/=\"' abcdef0123456789", k=run.random.randint(0, 3)
            )
        if data != _PROFILE:
            wanted -= 1
            yield f"edited to {bytes(data)!r}", bytes(data)


def _try(run: Run, is_good: Callable[[bytes], bool]) -> None:
    run.expect(is_good(_PROFILE), Broken.OTHER, "the right profile is refused")
    for what, data in (*run.choose([*_exact()], fast=600), *_edits(run)):
        with run.case(what):
            run.expect(not is_good(data), Broken.FORGED, what)
        run.disturb()


def _run(run: Run) -> None:
    add_root()
    service = offline_service()
    _SERVER.save(run.folder, _DOCUMENTS)
    name = _SERVER.name("profile")

    def is_good(data: bytes) -> bool:
        overwrite(run.folder / name, data)
        report = service.verify_folder(run.folder, fingerprint=_SERVER.fingerprint)
        return {file.name: file.check for file in report.files}[name] is FileCheck.GOOD

    _try(run, is_good)


def _control(run: Run) -> None:
    from lxml import etree

    def is_good(data: bytes) -> bool:
        try:
            etree.fromstring(data)
        except (etree.XMLSyntaxError, ValueError):
            return False
        return True

    _try(run, is_good)


CLASS = TrustClass("X2", "altered server profiles, with their manifest", _WHOLE, _run, _control)
