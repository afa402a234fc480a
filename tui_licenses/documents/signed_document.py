"""What every signed document goes through: checks 2 to 7 of docs/license-file.md, in order."""

from __future__ import annotations

from tui_licenses.documents.envelope import DocumentKind, Envelope, open_envelope
from tui_licenses.documents.payload import P, convert_payload, decode_payload
from tui_licenses.documents.trust import Signed, TrustStore, check_signatures
from tui_licenses.errors import DocumentError


def open_signed(
    data: bytes, kind: DocumentKind, trust: TrustStore, payload_class: type[P]
) -> tuple[P, Signed]:
    """Return the payload of a document whose signatures hold, and who vouches for it.

    Raises `DocumentError`: `empty`, `too-large`, the shape code of `kind`, `not-canonical`,
    `unsupported-version`, `signing-key-unknown`, `signing-key-retired`, `signing-key-revoked`,
    `bad-signature`, `bad-content`.
    """
    return check_signed(open_envelope(data, kind), kind, trust, payload_class)


def check_signed(
    envelope: Envelope, kind: DocumentKind, trust: TrustStore, payload_class: type[P]
) -> tuple[P, Signed]:
    """Return the payload of a decoded envelope whose signatures hold, and who vouches for it.

    Raises `DocumentError` of checks 5 to 7, as `open_signed` does.
    """
    members: object = None
    malformed: DocumentError | None = None
    try:
        members = decode_payload(envelope.payload)
    except DocumentError as error:
        # Who signed it comes first: a forgery is not reported as a formal mistake.
        malformed = error
    signed = check_signatures(envelope, kind, trust, _claimed_instant(members))
    if malformed is not None:
        raise malformed
    return convert_payload(members, envelope.payload, payload_class), signed


def _claimed_instant(members: object) -> int | None:
    match members:
        case {"issued": int(issued)}:
            return issued
    return None
