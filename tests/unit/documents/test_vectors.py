"""The published vectors: ours and an independent verifier have to agree on every one."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.generate import FOLDER, vector_files
from tui_licenses.documents.license_file import verify_license_file
from tui_licenses.documents.manifest import verify_manifest
from tui_licenses.documents.signing import import_public_key
from tui_licenses.documents.trust import TrustStore
from tui_licenses.documents.trust_document import establish_trust
from tui_licenses.errors import DocumentError

FILES = sorted(FOLDER.glob("*/*.json"))
# Each has three vectors or more.
CODES = {
    *("empty", "too-large", "not-a-license", "not-canonical", "unsupported-version"),
    *("signing-key-unknown", "signing-key-retired", "signing-key-revoked", "bad-signature"),
    *("bad-content", "not-yet-valid", "file-expired", "wrong-instance", "rollback"),
    *("not-a-manifest", "not-a-trust-document"),
}


def load(path: Path) -> dict[str, Any]:
    vector: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return vector


def document_of(vector: dict[str, Any]) -> bytes:
    source = vector["document"]
    if "base64" in source:
        return base64.b64decode(source["base64"])
    return bytes(source["repeat"], "ascii") * int(source["times"])


def outcome_of(vector: dict[str, Any]) -> str:
    data = document_of(vector)
    root = import_public_key(bytes.fromhex(vector["rootKey"]))
    try:
        if vector["kind"] == "trust":
            establish_trust(data, root, is_lab=vector["isLab"])
            return "valid"
        trust = establish_trust(vector["trust"].encode(), root, is_lab=vector["isLab"])
        store = TrustStore((trust,))
        if vector["kind"] == "manifest":
            verify_manifest(data, store)
            return "valid"
        verified = verify_license_file(
            data,
            store,
            now=datetime.fromtimestamp(vector["now"], UTC),
            fingerprint=vector["fingerprint"],
            highest_serial=vector["highestSerial"],
        )
    except DocumentError as error:
        return error.code if error.next_step else "no next step"
    assert verified.is_lab == vector["isLab"]
    assert verified.size == len(data)
    return "valid"


def test_the_committed_vectors_are_those_the_script_writes() -> None:
    committed = {str(path.relative_to(FOLDER)): path.read_bytes().decode("utf-8") for path in FILES}
    assert committed == vector_files()


def test_every_error_has_three_vectors_or_more() -> None:
    expected = [load(path)["expected"] for path in FILES]
    assert {code for code in CODES if expected.count(code) < 3} == set()
    assert set(expected) == CODES | {"valid"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_vector_has_its_published_outcome(path: Path) -> None:
    vector = load(path)
    assert outcome_of(vector) == vector["expected"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl program is not installed")
def test_an_independent_verifier_agrees_on_every_vector() -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "independent_verifier.py", *FILES],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert found == {vector["name"]: vector["expected"] for vector in map(load, FILES)}
