"""The vectors of trust documents and certificate codes that every verifier has to refuse."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from tests.vectors.materials import DAY, KEYS, NOW, RETIRED, Vector, sign, trust_document
from tests.vectors.valid import certificate
from tui_licenses.documents.envelope import TRUST

_PRIME = 2**255 - 19
# Public keys with which anybody can sign, or that are not written in their one way.
_UNSAFE_KEYS = {
    "identity": (1).to_bytes(32, "little"),
    "order-4": bytes(32),
    "order-8": bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    "not-canonical": (_PRIME + 3).to_bytes(32, "little"),
}


def invalid_trust_vectors() -> Iterator[Vector]:
    """Yield those of trust documents: each is tried as the next of a chain."""
    first, second = trust_document(), trust_document(revision=2)
    yield from (
        Vector(f"trust-step-missing-{name}", "trust-step-missing", document, "trust", trust=chain)
        for name, document, chain in (
            ("one", trust_document(revision=3), (first,)),
            ("far", trust_document(revision=2**53 - 1), (first,)),
            ("after-two", trust_document(revision=4), (first, second)),
        )
    )
    for name, document in (
        ("older", first),
        ("same-revision", trust_document(revision=2, threshold=2)),
    ):
        yield Vector(f"rollback-trust-{name}", "rollback", document, "trust", trust=(first, second))
    yield _trust("bad-content", "other-issuer", trust_document(revision=2, issuer="other"))
    yield _trust("signing-key-unknown", "new-root-alone", trust_document("next-root", revision=2))
    replaced = trust_document("next-root", revision=2, retiring=["root"])
    yield Vector(
        "signing-key-unknown-trust-replaced-root",
        "signing-key-unknown",
        trust_document(revision=3),
        "trust",
        trust=(first, replaced),
    )
    members = _members(second)
    members["roots"] = [_listed("next-root")]
    yield _trust("bad-signature", "new-root-silent", sign(members, ["root"], TRUST))
    for name, key in _UNSAFE_KEYS.items():
        members = _members(second)
        members["keys"] = [members["keys"][0] | {"key": key.hex()}]
        yield Vector(
            f"bad-public-key-{name}", "bad-public-key", sign(members, ["root"], TRUST), "trust"
        )


def _trust(code: str, name: str, document: bytes) -> Vector:
    return Vector(f"{code}-trust-{name}", code, document, "trust")


def _listed(name: str) -> dict[str, str]:
    key = KEYS[name].public_key
    return {"keyid": key.keyid, "key": key.raw.hex()}


def _members(document: bytes) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(base64.b64decode(json.loads(document)["payload"]))
    return members


def invalid_certificate_vectors() -> Iterator[Vector]:
    """Yield those of certificate codes."""
    good = certificate()
    prefix, keyid, content, signature = good.split(b".")
    other = certificate(number="C-00000000-0000").split(b".")[2]
    slack = signature[:-1] + (b"B" if signature[-1:] != b"B" else b"C")
    for code, name, document in (
        ("not-a-certificate-code", "empty", b""),
        ("not-a-certificate-code", "page", b"<!DOCTYPE html><title>Sign in</title>"),
        ("not-a-certificate-code", "other-prefix", b"TLC2" + good[4:]),
        ("not-a-certificate-code", "truncated", good[:-1]),
        ("not-a-certificate-code", "padded", good + b"=="),
        ("too-large", "certificate", b"A" * 4097),
        ("not-canonical", "certificate-slack", b".".join((prefix, keyid, content, slack))),
        ("not-canonical", "certificate-length", b".".join((prefix, keyid, b"A", signature))),
        ("bad-signature", "certificate", b".".join((prefix, keyid, other, signature))),
        ("signing-key-unknown", "certificate", certificate("stranger")),
        ("signing-key-unknown", "certificate-type", certificate("manifest-only")),
        ("signing-key-revoked", "certificate", certificate("revoked")),
        ("signing-key-retired", "certificate", certificate("retired", issued_at=RETIRED + 1)),
        (
            "not-yet-valid",
            "certificate",
            certificate(issued_at=NOW + DAY),
        ),
    ):
        yield Vector(f"{code}-{name}", code, document, "certificate")
