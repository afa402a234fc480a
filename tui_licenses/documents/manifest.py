"""The signed manifest: which documents of an instance belong together, with their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from tui_licenses.documents.envelope import MANIFEST, seal
from tui_licenses.documents.payload import (
    Critical,
    Integer,
    Payload,
    Sha256,
    Text,
    bad_content,
    check_critical,
    convert_payload,
    decode_payload,
    encode_payload,
)
from tui_licenses.documents.signed_document import open_signed
from tui_licenses.documents.signing import SigningKey
from tui_licenses.documents.trust import TrustStore

MANIFEST_FORMAT: Literal["tui-licenses.manifest"] = "tui-licenses.manifest"
FILES_MAXIMUM = 1001

FileName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,199}\Z")]


class ManifestFile(Payload, frozen=True):
    """One document: what it is, the name it is saved under, its size and digest."""

    kind: Literal["license", "certificate", "profile"]
    name: FileName
    size: Integer
    sha256: Sha256


class ManifestPayload(Payload, frozen=True):
    """Everything a manifest says; `serial` is that of the license file, 0 while there is none."""

    format: Literal["tui-licenses.manifest"]
    version: Literal[1]
    issuer: Text
    issued: Integer
    instance: Text
    serial: Integer
    files: Annotated[tuple[ManifestFile, ...], msgspec.Meta(max_length=FILES_MAXIMUM)]
    critical: Critical


@dataclass(frozen=True, slots=True)
class VerifiedManifest:
    """A manifest whose signatures hold."""

    payload: ManifestPayload
    keyids: tuple[str, ...]
    trust_fingerprint: str
    is_lab: bool


def manifest_file(
    kind: Literal["license", "certificate", "profile"], name: str, data: bytes
) -> ManifestFile:
    """Return the manifest's entry for a document."""
    return ManifestFile(
        kind=kind, name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest()
    )


def build_manifest(
    issuer: str,
    issued: int,
    instance_id: str,
    serial: int,
    files: Sequence[ManifestFile],
    signers: Sequence[SigningKey],
) -> bytes:
    """Return a signed manifest; the same input gives the same bytes.

    Raises `DocumentError` (`bad-content`, `too-large`, `bad-signature`).
    """
    payload = ManifestPayload(
        format=MANIFEST_FORMAT,
        version=1,
        issuer=issuer,
        issued=issued,
        instance=instance_id,
        serial=serial,
        files=tuple(sorted(files, key=lambda file: file.name)),
        critical=(),
    )
    data = encode_payload(payload)
    _check_payload(convert_payload(decode_payload(data), data, ManifestPayload))
    return seal(MANIFEST, data, signers)


def verify_manifest(data: bytes, trust: TrustStore) -> VerifiedManifest:
    """Return a manifest whose signatures hold.

    Raises `DocumentError`: `empty`, `too-large`, `not-a-manifest`, `not-canonical`,
    `unsupported-version`, `signing-key-unknown`, `signing-key-retired`, `signing-key-revoked`,
    `bad-signature`, `bad-content`.
    """
    payload, signed = open_signed(data, MANIFEST, trust, ManifestPayload)
    _check_payload(payload)
    return VerifiedManifest(
        payload=payload,
        keyids=signed.keyids,
        trust_fingerprint=signed.trust.fingerprint,
        is_lab=signed.trust.is_lab,
    )


def _check_payload(payload: ManifestPayload) -> None:
    check_critical(payload.critical)
    names = [file.name for file in payload.files]
    if names != sorted(set(names)):
        raise bad_content("its files are not unique and sorted")
