"""Manifests: which documents belong together."""

from __future__ import annotations

import hashlib

import pytest

from tests.vectors.materials import INSTANCE, ISSUED, ISSUER, KEYS, payload, sign, trust_document
from tui_licenses.documents.manifest import (
    ManifestFile,
    build_manifest,
    manifest_file,
    verify_manifest,
)
from tui_licenses.documents.trust import TrustStore
from tui_licenses.documents.trust_document import establish_trust
from tui_licenses.errors import DocumentError

TRUST = TrustStore((establish_trust(trust_document(), KEYS["root"].public_key, is_lab=False),))


def build(*files: ManifestFile) -> bytes:
    return build_manifest(ISSUER, ISSUED, INSTANCE, 7, files, [KEYS["signing-1"]])


def test_a_manifest_lists_documents_with_their_digests() -> None:
    files = (
        manifest_file("profile", "vault-profile.xml", b"<list/>"),
        manifest_file("license", "vault-license.bin", b"{}"),
    )
    verified = verify_manifest(build(*files), TRUST)
    assert [file.name for file in verified.payload.files] == [
        "vault-license.bin",
        "vault-profile.xml",
    ]
    assert verified.payload.files[0].sha256 == hashlib.sha256(b"{}").hexdigest()
    assert verified.payload.files[0].size == 2
    assert verified.payload.instance == INSTANCE
    assert verified.payload.serial == 7
    assert verified.keyids == (KEYS["signing-1"].public_key.keyid,)
    assert verified.trust_fingerprint == KEYS["root"].public_key.fingerprint
    assert not verified.is_lab


def test_the_order_of_the_files_changes_no_byte() -> None:
    one, other = (manifest_file("license", name, b"") for name in ("a.bin", "b.bin"))
    assert build(one, other) == build(other, one)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "", ".hidden", "a\\b", "a\nb", "x" * 201])
def test_a_name_that_could_be_a_path_is_refused(name: str) -> None:
    with pytest.raises(DocumentError) as raised:
        build(manifest_file("license", name, b""))
    assert raised.value.code == "bad-content"


def test_a_name_listed_twice_is_refused() -> None:
    with pytest.raises(DocumentError) as raised:
        build(*(manifest_file("license", "a.bin", content) for content in (b"1", b"2")))
    assert raised.value.code == "bad-content"


def test_a_license_file_is_no_manifest() -> None:
    with pytest.raises(DocumentError) as raised:
        verify_manifest(sign(payload()), TRUST)
    assert raised.value.code == "unsupported-version"
    assert "license file" in raised.value.message


def test_every_flipped_bit_of_a_manifest_is_refused() -> None:
    good = build(manifest_file("license", "a.bin", b""))
    for position in range(len(good)):
        data = bytearray(good)
        data[position] ^= 1 << position % 8
        with pytest.raises(DocumentError):
            verify_manifest(bytes(data), TRUST)
