"""What docs/license-file.md shows is true: its bytes are a vector's, its verifier verifies."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.reading import FILES, FOLDER, document_of, load
from tui_licenses.documents.envelope import LICENSE, open_envelope

TEXT = (FOLDER.parents[1] / "docs" / "license-file.md").read_text(encoding="utf-8")
LINES_MAXIMUM = 50
# The short verifier believes what a trusted key has signed, and knows no chains.
LICENSES = [
    path
    for path in FILES
    if (vector := load(path))["kind"] == "license"
    and len(vector["trust"]) == 1
    and vector["expected"] != "bad-content"
]


def block(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)[number]


def verifier() -> Callable[..., dict[str, Any]]:
    names: dict[str, Any] = {}
    exec(compile(block("python"), "license-file.md", "exec"), names)
    verified: Callable[..., dict[str, Any]] = names["verified"]
    return verified


def test_the_example_is_a_vector() -> None:
    vector = load(FOLDER / "valid" / "keys-1.json")
    data = document_of(vector)
    envelope = open_envelope(data, LICENSE)
    assert block("json").strip().encode() == data
    assert f"one line of {len(data)} bytes" in TEXT
    assert block("json", 1).strip().encode() == envelope.payload
    assert f"the content, {len(envelope.payload)} bytes" in TEXT
    assert envelope.signed_bytes.decode().startswith(block("text").strip().rstrip("…"))
    machine = re.search(r'sha256\("(machine-id:[0-9a-f]{32})"\)` is `([0-9a-f]{64})`', TEXT)
    assert machine is not None
    assert hashlib.sha256(machine[1].encode()).hexdigest() == machine[2] == vector["fingerprint"]
    assert vector["rootKey"] in TEXT
    keyid = envelope.signatures[0].keyid
    (key,) = re.findall(r"The signing key, `([0-9a-f]{64})`", TEXT)
    assert hashlib.sha256(bytes.fromhex(key)).hexdigest().startswith(keyid)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl program is not installed")
def test_the_short_verifier_accepts_what_is_valid_and_nothing_else(tmp_path: Path) -> None:
    lines = [line for line in block("python").splitlines() if line.strip()]
    assert len(lines) <= LINES_MAXIMUM
    verified = verifier()
    file, trust = tmp_path / "license.bin", tmp_path / "trust.json"
    for path in LICENSES:
        vector = load(path)
        file.write_bytes(document_of(vector))
        trust.write_text(vector["trust"][0], encoding="utf-8")
        try:
            verified(
                file,
                trust,
                vector["rootKey"],
                vector["fingerprint"],
                vector["highestSerial"] or 0,
                vector["now"],
            )
            outcome = "valid"
        except (SystemExit, ValueError, AttributeError, TypeError, KeyError, RecursionError):
            outcome = "refused"
        expected = "valid" if vector["expected"] == "valid" else "refused"
        assert (path.stem, outcome) == (path.stem, expected)


def test_the_members_of_a_vector_are_those_of_the_table() -> None:
    listed = re.findall(r"^\| (`.*?`) \|", TEXT.split("## Vectors")[1], re.MULTILINE)
    named = {name for cell in listed for name in re.findall(r"`(\w+)`", cell)}
    assert named == set(json.loads(FILES[0].read_text(encoding="utf-8")))
