"""What the vectors are made of: keys from published seeds, trust documents, payloads."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tui_licenses.documents.canonical import encode_canonical
from tui_licenses.documents.envelope import (
    CERTIFICATE_TYPE,
    LICENSE,
    LICENSE_TYPE,
    MANIFEST_TYPE,
    DocumentKind,
    seal,
)
from tui_licenses.documents.signing import SigningKey
from tui_licenses.documents.trust import SigningKeyStatus, TrustedKey
from tui_licenses.documents.trust_document import build_trust_document

NOW = 1_767_225_600
DAY = 86_400
ISSUED = NOW - DAY
RETIRED = NOW - 30 * DAY
ISSUER = "vectors.example"
INSTANCE = "5b0e3c5e-8f0a-4f7e-9c6e-2f0d1c9a7b11"
FINGERPRINT = hashlib.sha256(b"machine-id:00112233445566778899aabbccddeeff").hexdigest()

SEED_NAMES = (
    "root",
    "lab-root",
    "signing-1",
    "signing-2",
    "retired",
    "revoked",
    "later",
    "manifest-only",
    "stranger",
    "next-root",
)


def seed(name: str) -> bytes:
    """Return the published seed of a key."""
    return hashlib.sha256(f"tui-licenses vector {name}".encode()).digest()


KEYS = {name: SigningKey(seed(name)) for name in SEED_NAMES}


def _trusted(
    name: str,
    status: SigningKeyStatus = SigningKeyStatus.ACTIVE,
    *,
    types: tuple[str, ...] = (LICENSE_TYPE, MANIFEST_TYPE, CERTIFICATE_TYPE),
    not_before: int = 0,
    retire_after: int | None = None,
) -> TrustedKey:
    return TrustedKey(KEYS[name].public_key, types, not_before, retire_after, status)


TRUSTED_KEYS = (
    _trusted("signing-1"),
    _trusted("signing-2", retire_after=NOW + 365 * DAY),
    _trusted("retired", SigningKeyStatus.RETIRED, retire_after=RETIRED),
    _trusted("revoked", SigningKeyStatus.REVOKED),
    _trusted("later", not_before=NOW + 10 * DAY),
    _trusted("manifest-only", types=(MANIFEST_TYPE,)),
)


def trust_document(
    root: str = "root",
    *,
    threshold: int = 1,
    revision: int = 1,
    retiring: Sequence[str] = (),
    issuer: str = ISSUER,
) -> bytes:
    """Return a trust document as the vectors are verified with; `retiring` roots sign it too."""
    return build_trust_document(
        issuer,
        revision,
        0,
        TRUSTED_KEYS,
        [KEYS[root]],
        retiring_roots=[KEYS[name] for name in retiring],
        threshold=threshold,
    )


@dataclass(frozen=True)
class Vector:
    """One document, how it is verified and what has to come out.

    `trust` is the chain of trust documents from the root; a trust document is the next of them.
    """

    name: str
    expected: str
    document: bytes
    kind: str = "license"
    root: str = "root"
    is_lab: bool = False
    now: int = NOW
    fingerprint: str | None = None
    highest_serial: int | None = None
    trust: tuple[bytes, ...] = field(default_factory=lambda: (trust_document(),))

    def as_json(self) -> dict[str, Any]:
        """Return the published form; a document of one repeated byte is told, not written out."""
        repeated = len(self.document) > 1000 and len(set(self.document)) == 1
        return {
            "name": self.name,
            "kind": self.kind,
            "expected": self.expected,
            "document": (
                {"repeat": self.document[:1].decode(), "times": len(self.document)}
                if repeated
                else {"base64": base64.b64encode(self.document).decode()}
            ),
            "trust": [document.decode() for document in self.trust],
            "rootKey": KEYS[self.root].public_key.raw.hex(),
            "isLab": self.is_lab,
            "now": self.now,
            "fingerprint": self.fingerprint,
            "highestSerial": self.highest_serial,
            "seeds": {name: seed(name).hex() for name in SEED_NAMES},
        }


def key_text(number: int) -> str:
    """Return a license key for a number; higher numbers sort later."""
    return f"VECT{number:012d}"


def licensed_key(number: int, features: Sequence[tuple[str, int | None]] = ()) -> dict[str, Any]:
    """Return the members of a key; number 0 is the master."""
    return {
        "key": key_text(number),
        "kind": "addOn" if number else "master",
        "product": "SERVER" if number == 0 else "ADDON",
        "features": [{"code": code, "quantity": quantity} for code, quantity in features],
        "validFrom": ISSUED,
        "validTo": None,
        "terminates": None,
    }


def payload(key_count: int = 1, **changes: object) -> dict[str, Any]:
    """Return the members of a license payload with so many keys."""
    members: dict[str, Any] = {
        "format": "tui-licenses.license",
        "version": 1,
        "issuer": ISSUER,
        "serial": 7,
        "issued": ISSUED,
        "notBefore": ISSUED,
        "fileExpires": None,
        "instance": {"id": INSTANCE, "fingerprint": FINGERPRINT},
        "keys": [licensed_key(number) for number in range(key_count)],
        "critical": [],
    }
    members["keys"][0]["features"] = [{"code": "CORE", "quantity": None}]
    members.update(changes)
    return members


def sign(
    content: dict[str, Any] | bytes,
    signers: Sequence[str] = ("signing-1",),
    kind: DocumentKind = LICENSE,
) -> bytes:
    """Return a signed envelope of members, or of payload bytes as they are."""
    data = content if isinstance(content, bytes) else encode_canonical(content)
    return seal(kind, data, [KEYS[name] for name in signers])
