"""A profile or certificate gets its name only after something signed has vouched for it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.folders import names_in
from tests.support.scripted_server import Answer, Received, http
from tests.support.scripted_services import scripted_services
from tests.support.signed_documents import SignedServer, add_root
from tests.support.values import make_instance, make_key
from tests.vectors.materials import ISSUED, ISSUER, KEYS, trust_document
from tests.vectors.valid import certificate
from tui_licenses.documents.manifest import build_manifest, manifest_file
from tui_licenses.domain.license_key import KeyKind
from tui_licenses.errors import DocumentError
from tui_licenses.service.downloads import DocumentKind

SERVER, OTHER = SignedServer(1), SignedServer(2)
INSTANCE = make_instance(id=SERVER.id, fingerprint=SERVER.fingerprint)
KEY = make_key(kind=KeyKind.MASTER, key="VECT000000000000")
PROFILE = SERVER.documents()["profile"]


def pdf(code: bytes) -> bytes:
    return b"%PDF-1.4\n/Keywords (" + code + b")\n%%EOF"


def download(data: bytes) -> bytes:
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    return http(200, data, {"Repr-Digest": f"sha-256=:{digest}:"})


def cloud(document: bytes, manifest: bytes = b"") -> Callable[[Received], Answer]:
    """Return a cloud that answers every document with the same one."""

    def responder(request: Received) -> Answer:
        if request.path.endswith("/trust"):
            return http(200, {"document": trust_document().decode(), "roots": [], "lab": False})
        return download(manifest if "/manifest" in request.path else document)

    return responder


def manifest_of(data: bytes, server: SignedServer = SERVER, signer: str = "signing-1") -> bytes:
    listed = [manifest_file("profile", server.name("profile"), data)]
    return build_manifest(ISSUER, ISSUED, server.id, 0, listed, [KEYS[signer]])


async def refusal(responder: Callable[[Received], Answer], folder: Path, kind: DocumentKind) -> str:
    async with scripted_services(responder) as (services, _):
        subject = INSTANCE if kind is DocumentKind.PROFILE else KEY
        (outcome,) = (await services.downloads.bulk(kind, [subject], folder).run()).outcomes
    assert isinstance(outcome.error, DocumentError)
    assert names_in(folder) == []
    return outcome.error.code


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        (manifest_of(PROFILE + b" "), "digest-mismatch"),
        (manifest_of(PROFILE, OTHER), "digest-mismatch"),
        (manifest_of(PROFILE, signer="stranger"), "signing-key-unknown"),
        (b"{}", "not-a-manifest"),
    ],
)
async def test_a_profile_that_nobody_vouches_for_is_not_saved(
    manifest: bytes, code: str, tmp_path: Path
) -> None:
    add_root()
    assert await refusal(cloud(PROFILE, manifest), tmp_path, DocumentKind.PROFILE) == code


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"%PDF-1.4 without a code", "not-a-certificate-code"),
        (pdf(certificate())[1:], "not-a-certificate-code"),
        (pdf(certificate("stranger")), "signing-key-unknown"),
        (pdf(certificate()[:-86] + b"A" * 86), "bad-signature"),
    ],
)
async def test_a_certificate_without_a_true_code_is_not_saved(
    document: bytes, code: str, tmp_path: Path
) -> None:
    add_root()
    assert await refusal(cloud(document), tmp_path, DocumentKind.CERTIFICATE) == code


async def test_the_certificate_of_another_key_is_not_saved(tmp_path: Path) -> None:
    add_root()
    async with scripted_services(cloud(pdf(certificate()))) as (services, _):
        for other in ({"key": "VECT000000000001"}, {"kind": KeyKind.ADD_ON}):
            key = make_key(**{"kind": KeyKind.MASTER, "key": KEY.key, **other})
            with pytest.raises(DocumentError) as caught:
                await services.downloads.certificate(key, tmp_path)
            assert caught.value.code == "digest-mismatch"
        assert (await services.downloads.certificate(KEY, tmp_path)).contents is None


async def test_what_a_lab_vouches_for_is_labelled_and_what_nobody_does_too(tmp_path: Path) -> None:
    responder = cloud(PROFILE, manifest_of(PROFILE))
    async with scripted_services(responder) as (services, _):
        saved = await services.downloads.profile(INSTANCE, tmp_path)
        assert saved.contents == "not verified: no root is trusted"
    add_root(is_lab=True)
    async with scripted_services(responder) as (services, _):
        again = await services.downloads.profile(INSTANCE, tmp_path)
        assert (again.is_new, again.contents) == (False, "from a lab")
