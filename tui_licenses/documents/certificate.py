"""Certificates: what they show, the code that proves it, and the PDF.

A PDF can be altered by anybody. Its code holds the main fields and a digest of all of them, and is
signed as every other document is (docs/license-file.md).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from tui_licenses.documents.canonical import encode_canonical
from tui_licenses.documents.envelope import (
    CERTIFICATE,
    CERTIFICATE_TYPE,
    Envelope,
    Signature,
    pre_authentication_encoding,
)
from tui_licenses.documents.payload import (
    CLOCK_SKEW_SECONDS,
    Critical,
    Integer,
    Payload,
    Sha256,
    Text,
    check_critical,
    convert_payload,
    decode_payload,
    encode_payload,
    epoch_seconds,
)
from tui_licenses.documents.signed_document import check_signed
from tui_licenses.documents.signing import SigningKey
from tui_licenses.documents.trust import TrustStore
from tui_licenses.domain.license_key import Feature, KeyKind
from tui_licenses.errors import DocumentError
from tui_licenses.text import clean

CODE_PREFIX = "TLC1"
CODE_LENGTH_MAXIMUM = 4096

# The code has to fit a QR code that a telephone can read; the digest covers the whole text.
_NAME_CHARACTERS = 48
_CODE = re.compile(
    rf"{CODE_PREFIX}\.([0-9a-f]{{16}})\.([A-Za-z0-9_-]{{1,{CODE_LENGTH_MAXIMUM}}})"
    r"\.([A-Za-z0-9_-]{86})"
)
_KEYWORDS = re.compile(rb"/Keywords \((%b)\)" % _CODE.pattern.encode().replace(b"(", b"(?:"))


@dataclass(frozen=True, slots=True)
class CertificateContent:
    """Everything a certificate shows; of the key only the last four characters.

    `instance_name` is None for a key that is not assigned; no expiry means perpetual.
    """

    certificate_number: str
    account_name: str
    instance_name: str | None
    product_name: str
    kind: KeyKind
    key_last_four: str
    features: tuple[Feature, ...]
    order_reference: str | None
    issued_at: datetime
    starts_at: datetime | None
    activated_at: datetime | None
    expires_at: datetime | None


class CertificatePayload(Payload, frozen=True):
    """What a certificate code says; long names are cut, `digest` covers them in full."""

    format: Literal["tui-licenses.certificate"]
    version: Literal[1]
    issuer: Text
    issued: Integer
    number: Text
    account: Text
    product: Text
    kind: KeyKind
    last_four: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z0-9]{4}\Z")]
    expires: Integer | None
    digest: Sha256
    critical: Critical


@dataclass(frozen=True, slots=True)
class CertificateFields:
    """The fields a verified code vouches for, to be compared with those on the paper.

    Instants are seconds since 1970 in UTC; names longer than 48 characters end in an ellipsis.
    """

    issuer: str
    issued: int
    certificate_number: str
    account_name: str
    product_name: str
    kind: KeyKind
    key_last_four: str
    expires: int | None
    digest: str
    keyid: str
    trust_fingerprint: str
    is_lab: bool


def certificate_digest(content: CertificateContent) -> str:
    """Return the SHA-256 in hex over everything a certificate shows."""
    return hashlib.sha256(
        encode_canonical(
            {
                "number": content.certificate_number,
                "account": content.account_name,
                "instance": content.instance_name,
                "product": content.product_name,
                "kind": content.kind.value,
                "lastFour": content.key_last_four,
                "features": [
                    [feature.code, feature.name, feature.quantity] for feature in content.features
                ],
                "order": content.order_reference,
                "issued": epoch_seconds(content.issued_at),
                "starts": _optional_seconds(content.starts_at),
                "activated": _optional_seconds(content.activated_at),
                "expires": _optional_seconds(content.expires_at),
            }
        )
    ).hexdigest()


def certificate_code(content: CertificateContent, issuer: str, signer: SigningKey) -> str:
    """Return the code of a certificate; the same input gives the same text.

    It is the DSSE signature in a compact form: prefix, key id, payload, signature. Raises
    `DocumentError` (`bad-content`).
    """
    payload = CertificatePayload(
        format="tui-licenses.certificate",
        version=1,
        issuer=issuer,
        issued=epoch_seconds(content.issued_at),
        number=content.certificate_number,
        account=_cut(content.account_name),
        product=_cut(content.product_name),
        kind=content.kind,
        last_four=content.key_last_four,
        expires=_optional_seconds(content.expires_at),
        digest=certificate_digest(content),
        critical=(),
    )
    data = encode_payload(payload)
    convert_payload(decode_payload(data), data, CertificatePayload)
    signature = signer.sign(pre_authentication_encoding(CERTIFICATE_TYPE, data))
    return ".".join(
        (CODE_PREFIX, signer.public_key.keyid, _to_base64url(data), _to_base64url(signature))
    )


def verify_certificate_code(text: str, trust: TrustStore, *, now: datetime) -> CertificateFields:
    """Return what a typed, pasted or scanned code vouches for; spaces and line breaks are ignored.

    Raises `DocumentError`: `not-a-certificate-code`, `too-large`, `not-canonical`,
    `signing-key-unknown`, `signing-key-retired`, `signing-key-revoked`, `bad-signature`,
    `bad-content`, `not-yet-valid`.
    """
    envelope = _decode(text)
    payload, signed = check_signed(envelope, CERTIFICATE, trust, CertificatePayload)
    check_critical(payload.critical)
    if payload.issued > epoch_seconds(now) + CLOCK_SKEW_SECONDS:
        raise DocumentError(
            "not-yet-valid",
            "This certificate was issued in the future.",
            "Check the clock of this host.",
        )
    return CertificateFields(
        issuer=payload.issuer,
        issued=payload.issued,
        certificate_number=payload.number,
        account_name=payload.account,
        product_name=payload.product,
        kind=payload.kind,
        key_last_four=payload.last_four,
        expires=payload.expires,
        digest=payload.digest,
        keyid=signed.keyids[0],
        trust_fingerprint=signed.trust.fingerprint,
        is_lab=signed.trust.is_lab,
    )


def code_in_certificate(data: bytes) -> str:
    """Return the code that a PDF of ours holds in its keywords; nothing of it is proven.

    Raises `DocumentError` (`not-a-certificate-code`).
    """
    found = _KEYWORDS.search(data)
    if not data.startswith(b"%PDF-") or found is None:
        raise DocumentError(
            "not-a-certificate-code",
            "This is not a certificate of tui-licenses: it holds no code.",
            "Download it again; if it stays, tell whoever runs the license cloud.",
        )
    return found[1].decode("ascii")


def render_certificate(content: CertificateContent, code: str) -> bytes:
    """Return the certificate as a PDF of one A4 page; the same input gives the same bytes.

    `code` is that of `certificate_code`. Raises `FileError` (`file-not-found`) where the package
    was installed without its fonts.
    """
    from tui_licenses.documents.certificate_page import draw_certificate

    return draw_certificate(content, code)


def _decode(text: str) -> Envelope:
    # A PDF viewer copies the code with line breaks, a scanner ends it with one.
    compact = "".join(text[: 2 * CODE_LENGTH_MAXIMUM].split())
    if len(compact) > CODE_LENGTH_MAXIMUM:
        raise DocumentError(
            "too-large",
            f"A certificate code has at most {CODE_LENGTH_MAXIMUM} characters.",
            "Copy the code alone.",
        )
    parts = _CODE.fullmatch(compact)
    if parts is None:
        raise DocumentError(
            "not-a-certificate-code",
            "This is not the code of a certificate, or not all of it.",
            f"Copy the whole code below the QR code; it starts with {CODE_PREFIX}.",
        )
    keyid, payload, signature = parts.groups()
    return Envelope(
        _from_base64url(payload),
        CERTIFICATE_TYPE,
        (Signature(keyid, _from_base64url(signature)),),
    )


def _to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _from_base64url(text: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        data = b""
    if _to_base64url(data) != text:
        raise DocumentError(
            "not-canonical",
            "This certificate code was changed on the way.",
            "Copy or scan it again.",
        )
    return data


def _cut(name: str) -> str:
    text = unicodedata.normalize("NFC", clean(name))
    return text if len(text) <= _NAME_CHARACTERS else text[: _NAME_CHARACTERS - 1] + "…"


def _optional_seconds(moment: datetime | None) -> int | None:
    return None if moment is None else epoch_seconds(moment)
