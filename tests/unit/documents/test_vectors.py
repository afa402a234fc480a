"""The published vectors: ours and an independent verifier have to agree on every one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.vectors.generate import vector_files
from tests.vectors.reading import FILES, FOLDER, load, outcome_of, second_outcome_of

# Each has three vectors or more.
CODES = {
    *("empty", "too-large", "not-a-license", "not-canonical", "unsupported-version"),
    *("signing-key-unknown", "signing-key-retired", "signing-key-revoked", "bad-signature"),
    *("bad-content", "not-yet-valid", "file-expired", "wrong-instance", "rollback"),
    *("not-a-manifest", "not-a-trust-document", "not-a-certificate-code"),
    *("trust-step-missing", "bad-public-key"),
}


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
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_independent_verifier_agrees(path: Path, tmp_path: Path) -> None:
    vector = load(path)
    assert second_outcome_of(vector, tmp_path) == vector["expected"]
