"""L8: sound documents of other servers, serials and clouds stand in the place of the right ones."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import shutil
from collections.abc import Iterator

from tests.support.signed_documents import SignedServer, add_root, offline_service
from tests.support.values import make_instance
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.verifying import accepts_by_the_book
from tests.vectors.materials import KEYS
from tui_licenses.documents.envelope import LICENSE_TYPE, MANIFEST_TYPE
from tui_licenses.documents.trust import SigningKeyStatus, TrustedKey
from tui_licenses.documents.trust_document import build_trust_document
from tui_licenses.errors import DocumentError
from tui_licenses.service.folder_check import FileCheck, FolderReport
from tui_licenses.service.verification import DownloadedLicense, VerificationService

_KINDS = ("license", "manifest", "profile", "certificate")
_SERVERS = tuple(SignedServer(number) for number in range(5))
_LAB_SIGNER = "stranger"


def _trust_both() -> VerificationService:
    """Trust a real cloud and a lab, as an administrator who tries things out does."""
    add_root()
    key = TrustedKey(
        KEYS[_LAB_SIGNER].public_key,
        (LICENSE_TYPE, MANIFEST_TYPE),
        0,
        None,
        SigningKeyStatus.ACTIVE,
    )
    lab = build_trust_document("lab", 1, 0, [key], [KEYS["lab-root"]])
    add_root(lab, "lab-root", is_lab=True)
    return offline_service()


def _swaps() -> Iterator[tuple[str, SignedServer, str, dict[str, bytes]]]:
    """Yield which kind of document of a server was swapped, and its documents thereafter."""
    for server, kind in itertools.product(_SERVERS, _KINDS):
        right = server.documents()
        for other in _SERVERS:
            if other is not server:
                yield (
                    f"of {other.name(kind)}",
                    server,
                    kind,
                    right | {kind: other.documents()[kind]},
                )
        for serial in (6, 8):
            wrong = server.documents(serial)[kind]
            # A profile has no serial: the same bytes are no fault.
            if wrong != right[kind]:
                yield f"of serial {serial}", server, kind, right | {kind: wrong}
        by_lab = server.documents(signers=[_LAB_SIGNER])[kind]
        if by_lab != right[kind]:
            yield "of a lab", server, kind, right | {kind: by_lab}


def _swapped_pairs() -> Iterator[tuple[str, SignedServer, dict[str, bytes]]]:
    """Yield whole sets that were sound together and are another server's or another serial's."""
    for server, other in itertools.permutations(_SERVERS, 2):
        yield f"all of {other.number} for {server.number}", server, other.documents()
    for server in _SERVERS:
        yield f"an older set for {server.number}", server, server.documents(serial=6)


def _check_folder(run: Run, service: VerificationService) -> None:
    for number, (what, server, kind, documents) in enumerate(_swaps()):
        folder = run.folder / str(number)
        folder.mkdir()
        server.save(folder, documents)
        with run.case(what):
            report = service.verify_folder(folder, fingerprint=server.fingerprint)
            swapped = f"{server.name(kind)} {what}"
            run.expect(not report.is_good, Broken.FORGED, f"{swapped}: the folder is good")
            _check_files(run, report, swapped, server, documents)
        run.disturb()
        shutil.rmtree(folder)


def _check_files(
    run: Run, report: FolderReport, swapped: str, server: SignedServer, documents: dict[str, bytes]
) -> None:
    """Only what the manifest that is there lists, with exactly these bytes, may be told as good."""
    listed = _listed(documents["manifest"])
    told = {file.name: file.check for file in report.files}
    here = {server.name(kind): _digest(data) for kind, data in documents.items()}
    run.expect(here.keys() <= told.keys(), Broken.LOST, f"{swapped}: told only of {[*told]}")
    # These prove themselves. That counts for a license file which no manifest lists, as beside
    # that of another server: it is this server's own, and what is wrong is told of the others.
    proven = {server.name("manifest"), server.name("license")} - listed.keys()
    for name in told.keys() - proven:
        is_listed = name in here and here[name] == listed.get(name)
        is_good = told[name] is FileCheck.GOOD
        run.expect(is_listed or not is_good, Broken.FORGED, f"{swapped}: {name} is good")


def _listed(manifest: bytes) -> dict[str, str]:
    """Return the digest of each file that a manifest lists, by its name."""
    payload = json.loads(base64.b64decode(json.loads(manifest)["payload"]))
    return {file["name"]: file["sha256"] for file in payload["files"]}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _check_downloads(run: Run, service: VerificationService) -> None:
    """Let a cloud answer with what belongs to another server, or with an older set."""
    downloads = [
        (f"{kind} {what}", server, documents)
        for what, server, kind, documents in _swaps()
        if kind in {"license", "manifest"}
    ]
    for what, server, documents in (*downloads, *_swapped_pairs()):
        instance = make_instance(id=server.id, fingerprint=server.fingerprint)
        download = DownloadedLicense(instance, documents["license"], documents["manifest"])
        with run.case(what):
            (found,) = service.check_downloads([download])
            is_refused = isinstance(found, DocumentError)
            run.expect(is_refused, Broken.FORGED, f"downloaded for {server.number}: {what}")
        run.disturb()


def _run(run: Run) -> None:
    service = _trust_both()
    for server in _SERVERS:
        folder = run.folder / "right"
        folder.mkdir()
        server.save(folder, server.documents())
        good = service.verify_folder(folder, fingerprint=server.fingerprint).is_good
        run.expect(good, Broken.OTHER, f"the right documents of {server.number} are refused")
        shutil.rmtree(folder)
    _check_folder(run, service)
    _check_downloads(run, service)


def _control(run: Run) -> None:
    """Check each part alone: sound signatures, digests that some manifest of the cloud lists."""
    listed = {_digest(data) for server in _SERVERS for data in server.documents().values()}
    for what, server, kind, documents in _swaps():
        run.disturb()
        is_signed = all(accepts_by_the_book(documents[each]) for each in ("license", "manifest"))
        others = (documents[each] for each in ("profile", "certificate"))
        if is_signed and all(_digest(data) in listed for data in others):
            run.report(Broken.FORGED, f"{server.name(kind)} {what}")


CLASS = TrustClass("L8", "sound documents that do not belong together", 200, _run, _control)
