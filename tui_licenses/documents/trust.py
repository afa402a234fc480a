"""Which signing keys are trusted, for what and when; and whether an envelope's signatures hold.

Public keys come from a trust document that a known root has signed, never from the file they
verify (docs/license-file.md, Keys and trust).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tui_licenses.documents.envelope import DocumentKind, Envelope
from tui_licenses.documents.signing import PublicKey
from tui_licenses.errors import DocumentError


class SigningKeyStatus(StrEnum):
    """What the root says of a signing key."""

    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A signing key as a trust document lists it; instants are seconds since 1970 in UTC.

    It may sign documents issued from `not_before` to `retire_after`; those stay valid after it
    has retired. A revoked key is worth nothing, whenever it signed.
    """

    public_key: PublicKey
    document_types: tuple[str, ...]
    not_before: int
    retire_after: int | None
    status: SigningKeyStatus

    @property
    def keyid(self) -> str:
        """Return the hint that names this key in an envelope."""
        return self.public_key.keyid


@dataclass(frozen=True, slots=True)
class Trust:
    """What one license cloud's roots vouch for.

    `anchor` is the root that was trusted first and stays the name of this trust when roots
    rotate; `document` are the bytes of the trust document that is in force.
    """

    anchor: PublicKey
    issuer: str
    revision: int
    threshold: int
    roots: tuple[PublicKey, ...]
    keys: tuple[TrustedKey, ...]
    is_lab: bool
    document: bytes

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the anchor in hex: the name of this trust."""
        return self.anchor.fingerprint


@dataclass(frozen=True, slots=True)
class TrustStore:
    """Every trust of this host; all signatures of one document must come from the same one."""

    trusts: tuple[Trust, ...] = ()


@dataclass(frozen=True, slots=True)
class Signed:
    """Who vouches for a document whose signatures were checked."""

    trust: Trust
    keyids: tuple[str, ...]


def check_signatures(
    envelope: Envelope, kind: DocumentKind, store: TrustStore, issued: int | None
) -> Signed:
    """Return who signed an envelope, having checked every signature.

    `issued` is the instant the payload claims; None where it cannot be read. Raises
    `DocumentError`: `signing-key-unknown`, `signing-key-retired`, `signing-key-revoked`,
    `bad-signature`.
    """
    keyids = tuple(signature.keyid for signature in envelope.signatures)
    trust = find_vouching(store, keyids[0])
    if trust is None:
        raise _unknown(kind, "none of the trusted roots vouches for its signing key")
    trusted = {key.keyid: key for key in trust.keys}
    for keyid in keyids:
        if keyid not in trusted:
            raise _unknown(kind, f"the signing key {keyid} is not trusted")
        _check_allowed(trusted[keyid], kind, issued)
    if len(set(keyids)) != len(keyids):
        raise _bad_signature(kind, "names the same signing key twice")
    if len(keyids) < trust.threshold:
        raise _bad_signature(kind, f"has {len(keyids)} of {trust.threshold} signatures")
    message = envelope.signed_bytes
    for signature in envelope.signatures:
        if not trusted[signature.keyid].public_key.is_signature(signature.value, message):
            raise _bad_signature(kind, f"has a false signature of {signature.keyid}")
    return Signed(trust, keyids)


def find_vouching(store: TrustStore, keyid: str) -> Trust | None:
    """Return the trust that lists a signing key.

    A real cloud comes before a lab: a lab may list anybody's public key, and must not speak for
    it.
    """
    listing = [trust for trust in store.trusts if keyid in {key.keyid for key in trust.keys}]
    return min(listing, key=lambda trust: trust.is_lab, default=None)


def _check_allowed(key: TrustedKey, kind: DocumentKind, issued: int | None) -> None:
    if key.status is SigningKeyStatus.REVOKED:
        raise DocumentError(
            "signing-key-revoked",
            f"The signing key {key.keyid} of this {kind.name} was revoked.",
            f"Download the {kind.name} again from the license cloud.",
        )
    if kind.payload_type not in key.document_types:
        raise _unknown(kind, f"the signing key {key.keyid} may not sign a {kind.name}")
    if issued is None:
        return
    if issued < key.not_before:
        raise _unknown(kind, f"the signing key {key.keyid} was not in use when it was issued")
    if key.retire_after is not None and issued > key.retire_after:
        raise DocumentError(
            "signing-key-retired",
            f"The signing key {key.keyid} had retired when this {kind.name} was issued.",
            f"Download the {kind.name} again from the license cloud.",
        )


def _unknown(kind: DocumentKind, reason: str) -> DocumentError:
    return DocumentError(
        "signing-key-unknown",
        f"This {kind.name} cannot be trusted: {reason}.",
        "Check where it comes from, and bring the trusted roots up to date"
        " (`tui-licenses trust list`, `trust add`).",
    )


def _bad_signature(kind: DocumentKind, reason: str) -> DocumentError:
    return DocumentError(
        "bad-signature",
        f"This {kind.name} is forged or damaged: it {reason}.",
        "Do not use it; download it again from the license cloud.",
    )
