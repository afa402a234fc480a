"""The DSSE 1.0.2 envelope in its strict form (docs/license-file.md, Envelope)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tui_licenses.documents.canonical import decode_strict, encode_canonical
from tui_licenses.documents.signing import KEYID_CHARACTERS, SIGNATURE_BYTES, SigningKey
from tui_licenses.errors import DocumentError

ENVELOPE_SIZE_MAXIMUM = 256 * 1024
SIGNATURES_MAXIMUM = 4

_TYPE_PREFIX = "application/vnd.tui-licenses."
LICENSE_TYPE = f"{_TYPE_PREFIX}license.v1+json"
MANIFEST_TYPE = f"{_TYPE_PREFIX}manifest.v1+json"
TRUST_TYPE = f"{_TYPE_PREFIX}trust.v1+json"
CERTIFICATE_TYPE = f"{_TYPE_PREFIX}certificate.v1+json"
BACKUP_TYPE = f"{_TYPE_PREFIX}backup.v1+json"

_KEYID = re.compile(rf"[0-9a-f]{{{KEYID_CHARACTERS}}}")


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """One kind of signed document: its type, what to call it, the code when it is none."""

    payload_type: str
    name: str
    shape_code: str


LICENSE = DocumentKind(LICENSE_TYPE, "license file", "not-a-license")
MANIFEST = DocumentKind(MANIFEST_TYPE, "manifest", "not-a-manifest")
TRUST = DocumentKind(TRUST_TYPE, "trust document", "not-a-trust-document")
CERTIFICATE = DocumentKind(CERTIFICATE_TYPE, "certificate code", "not-a-certificate-code")
BACKUP = DocumentKind(BACKUP_TYPE, "backup", "not-a-backup")
_KINDS = {kind.payload_type: kind for kind in (LICENSE, MANIFEST, TRUST, CERTIFICATE, BACKUP)}


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature and the hint which key made it."""

    keyid: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A decoded envelope; nothing in it is proven."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    @property
    def signed_bytes(self) -> bytes:
        """Return what the signatures are made over."""
        return pre_authentication_encoding(self.payload_type, self.payload)

    def encode(self) -> bytes:
        """Return the one canonical form of this envelope."""
        return encode_canonical(
            {
                "payload": _to_base64(self.payload),
                "payloadType": self.payload_type,
                "signatures": [
                    {"keyid": signature.keyid, "sig": _to_base64(signature.value)}
                    for signature in self.signatures
                ],
            }
        )


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return the DSSE PAE of a payload."""
    encoded_type = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(encoded_type), encoded_type, len(payload), payload)


def seal(kind: DocumentKind, payload: bytes, signers: Sequence[SigningKey]) -> bytes:
    """Return the signed envelope of a payload.

    Raises `DocumentError`: `too-large`, or `bad-signature` for no, too many or equal signers.
    """
    keyids = {signer.public_key.keyid for signer in signers}
    if not 1 <= len(signers) <= SIGNATURES_MAXIMUM or len(keyids) != len(signers):
        raise DocumentError(
            "bad-signature",
            f"A {kind.name} needs 1 to {SIGNATURES_MAXIMUM} different signing keys.",
            "Check the signing keys of the license cloud.",
        )
    message = pre_authentication_encoding(kind.payload_type, payload)
    signatures = tuple(
        Signature(signer.public_key.keyid, signer.sign(message)) for signer in signers
    )
    data = Envelope(payload, kind.payload_type, signatures).encode()
    check_size(data, kind)
    return data


def check_size(data: bytes, kind: DocumentKind) -> None:
    """Raise `DocumentError` (`empty`, `too-large`) for bytes that need not be looked at."""
    if not data:
        raise DocumentError(
            "empty", f"This {kind.name} is empty.", "Get it again from the license cloud."
        )
    if len(data) > ENVELOPE_SIZE_MAXIMUM:
        raise DocumentError(
            "too-large",
            f"A {kind.name} has at most {ENVELOPE_SIZE_MAXIMUM} bytes; this is larger.",
            "Check that this is the right file.",
        )


def open_envelope(data: bytes, kind: DocumentKind) -> Envelope:
    """Return the envelope of hostile bytes, of the type of `kind` and in canonical form.

    Raises `DocumentError` in this order: `empty`, `too-large`, the shape code of `kind`,
    `not-canonical`, `unsupported-version`.
    """
    check_size(data, kind)
    envelope = _decode(data, kind)
    if envelope.encode() != data:
        raise DocumentError(
            "not-canonical",
            f"This {kind.name} was changed by an editor or on the way.",
            "Copy it again from the original, as a binary file.",
        )
    if envelope.payload_type != kind.payload_type:
        raise _wrong_type(envelope.payload_type, kind)
    return envelope


def _decode(data: bytes, kind: DocumentKind) -> Envelope:
    value = decode_strict(data, kind.shape_code, ENVELOPE_SIZE_MAXIMUM)
    match value:
        case {
            "payload": str(payload),
            "payloadType": str(payload_type),
            "signatures": list(signatures),
            **rest,
        } if not rest and 1 <= len(signatures) <= SIGNATURES_MAXIMUM:
            return Envelope(
                _from_base64(payload, kind),
                payload_type,
                tuple(_decode_signature(signature, kind) for signature in signatures),
            )
    raise _wrong_shape(kind)


def _decode_signature(value: object, kind: DocumentKind) -> Signature:
    match value:
        case {"keyid": str(keyid), "sig": str(text), **rest} if not rest:
            signature = _from_base64(text, kind)
            if len(signature) == SIGNATURE_BYTES and _KEYID.fullmatch(keyid):
                return Signature(keyid, signature)
    raise _wrong_shape(kind)


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _from_base64(text: str, kind: DocumentKind) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise _wrong_shape(kind) from error


def _wrong_shape(kind: DocumentKind) -> DocumentError:
    return DocumentError(
        kind.shape_code,
        f"This is not a {kind.name} of tui-licenses.",
        "Check that this is the right file, and that all of it was copied.",
    )


def _wrong_type(payload_type: str, kind: DocumentKind) -> DocumentError:
    other = _KINDS.get(payload_type)
    if other is not None:
        return DocumentError(
            "unsupported-version",
            f"This is a {other.name}, not a {kind.name}.",
            f"Choose the {kind.name}.",
        )
    return DocumentError(
        "unsupported-version",
        f"This {kind.name} was made for a newer tool.",
        "Update tui-licenses on this host.",
    )
