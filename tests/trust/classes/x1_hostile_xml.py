"""X1: XML bombs, outside files, odd encodings and strangers, each with the answer it deserves."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.signed_documents import offline_service, overwrite
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.hostile_xml import HostileXml, hostile_documents
from tui_licenses.documents.profile import hardware_rows
from tui_licenses.errors import DocumentError

_CANARY = "what only this host may know"
_CODES = {"profile-invalid", "profile-too-large", "profile-without-identity"}
# What is read of a document, all its text; None where it is refused.
_Reader = Callable[[HostileXml], str | None]


def _try(run: Run, read: _Reader) -> None:
    canary = run.folder / "canary"
    canary.write_text(_CANARY, encoding="utf-8")
    for document in hostile_documents(canary):
        with run.case(document.name):
            text = read(document)
            run.expect(_CANARY not in (text or ""), Broken.OTHER, f"{document.name}: file is read")
            is_right = (text is not None) == document.is_profile
            run.expect(is_right, Broken.FORGED, f"{document.name}: {text!r:.60}")
        run.disturb()


def _run(run: Run) -> None:
    service, file = offline_service(), run.folder / "profile.xml"

    def read(document: HostileXml) -> str | None:
        overwrite(file, document.data)
        try:
            service.fingerprint_of_profile(file)
        except DocumentError as error:
            run.expect(error.code in _CODES, Broken.OTHER, f"{document.name}: {error.code}")
            return None
        return str(hardware_rows(document.data))

    _try(run, read)


def _control(run: Run) -> None:
    from lxml import etree

    def read(document: HostileXml) -> str | None:
        parser = etree.XMLParser(resolve_entities=True)
        try:
            return str(etree.fromstring(document.data, parser).xpath("string()"))
        except (etree.XMLSyntaxError, ValueError):
            return None

    _try(run, read)


CLASS = TrustClass("X1", "hostile server profiles", 60, _run, _control)
