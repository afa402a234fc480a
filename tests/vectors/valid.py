"""The vectors that every verifier has to accept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from tests.vectors.materials import (
    DAY,
    FINGERPRINT,
    INSTANCE,
    ISSUED,
    ISSUER,
    KEYS,
    NOW,
    RETIRED,
    Vector,
    licensed_key,
    payload,
    sign,
    trust_document,
)
from tui_licenses.documents.certificate import CertificateContent, certificate_code
from tui_licenses.documents.manifest import build_manifest, manifest_file
from tui_licenses.domain.license_key import Feature, KeyKind


def manifest() -> bytes:
    """Return the manifest of a license file and a profile."""
    files = [
        manifest_file("license", "vault-5b0e3c5e-license.bin", sign(payload())),
        manifest_file("profile", "vault-5b0e3c5e-profile.xml", b"<list/>"),
    ]
    return build_manifest(ISSUER, ISSUED, INSTANCE, 7, files, [KEYS["signing-1"]])


def certificate(
    signer: str = "signing-1", *, number: str = "C-5B0E3C5E-8F0A", issued_at: int = ISSUED
) -> bytes:
    """Return the code of a certificate."""
    issued = datetime.fromtimestamp(issued_at, UTC)
    content = CertificateContent(
        certificate_number=number,
        account_name="Größe & Söhne",
        instance_name="Vault",
        product_name="Server Core",
        kind=KeyKind.MASTER,
        key_last_four="0000",
        features=(Feature("CORE", "Core services", None),),
        order_reference=None,
        issued_at=issued,
        starts_at=issued,
        activated_at=None,
        expires_at=None,
    )
    return certificate_code(content, ISSUER, KEYS[signer]).encode()


def valid_vectors() -> Iterator[Vector]:
    """Yield them."""
    for count in (1, 5, 50, 1000):
        yield Vector(f"keys-{count}", "valid", sign(payload(count)), fingerprint=FINGERPRINT)
    yield Vector("two-signatures", "valid", sign(payload(2), ["signing-1", "signing-2"]))
    yield Vector(
        "two-signatures-demanded",
        "valid",
        sign(payload(2), ["signing-1", "signing-2"]),
        trust=(trust_document(threshold=2),),
    )
    yield Vector("expired-but-intact", "valid", sign(_expired()))
    yield Vector("unicode", "valid", sign(_unicode()))
    yield Vector("largest-texts-and-features", "valid", sign(_largest()))
    yield Vector("largest-numbers", "valid", sign(payload(serial=2**53 - 1)))
    yield Vector(
        "lab-key",
        "valid",
        sign(payload()),
        root="lab-root",
        is_lab=True,
        trust=(trust_document("lab-root"),),
    )
    yield Vector(
        "retired-key",
        "valid",
        sign(payload(issued=RETIRED, notBefore=RETIRED), ["retired"]),
    )
    yield Vector("same-serial-again", "valid", sign(payload()), highest_serial=7)
    yield Vector("within-the-skew", "valid", sign(payload(notBefore=NOW + 300)))
    yield Vector("expiry-within-the-skew", "valid", sign(payload(fileExpires=NOW - 300)))
    yield Vector("manifest", "valid", manifest(), kind="manifest")
    yield from _trust()
    yield Vector("certificate", "valid", certificate(), kind="certificate")
    broken = b"\n ".join(certificate()[at : at + 64] for at in range(0, len(certificate()), 64))
    yield Vector("certificate-in-lines", "valid", broken, kind="certificate")


def _trust() -> Iterator[Vector]:
    first = trust_document()
    rotated = trust_document("next-root", revision=2, retiring=["root"])
    yield Vector("trust", "valid", first, kind="trust", trust=())
    yield Vector("trust-again", "valid", first, kind="trust")
    yield Vector("trust-next", "valid", trust_document(revision=2), kind="trust")
    yield Vector("trust-root-replaced", "valid", rotated, kind="trust")
    chain = (first, rotated, trust_document("next-root", revision=3))
    yield Vector("root-replaced", "valid", sign(payload()), trust=chain)


def _expired() -> dict[str, object]:
    key = licensed_key(0)
    key.update(validFrom=0, validTo=NOW - 60 * DAY, terminates=NOW - 30 * DAY)
    return payload(keys=[key])


def _unicode() -> dict[str, object]:
    key = licensed_key(0, [("feature 中文", 3), ("возможность", None), ("सुविधा", 2**53 - 1)])
    key["features"] = sorted(key["features"], key=lambda feature: feature["code"])
    key["product"] = "Größe · Ελλάδα · 日本語 · 한국어 · עברית · العربية"
    return payload(keys=[key], issuer="Ausgabestelle Zürich")


def _largest() -> dict[str, object]:
    features: list[tuple[str, int | None]] = [
        (f"{number:03d}" + "F" * 253, 2**53 - 1) for number in range(256)
    ]
    keys = [licensed_key(0, features), licensed_key(1, features)]
    for key in keys:
        key["product"] = "P" * 256
    return payload(keys=keys, issuer="I" * 256)
