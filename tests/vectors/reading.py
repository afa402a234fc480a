"""How a vector is read, and what the program and the second verifier make of it."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import runpy
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from tui_licenses.documents.certificate import verify_certificate_code
from tui_licenses.documents.license_file import verify_license_file
from tui_licenses.documents.manifest import verify_manifest
from tui_licenses.documents.signing import import_public_key
from tui_licenses.documents.trust import TrustStore
from tui_licenses.documents.trust_document import replay_trust
from tui_licenses.errors import DocumentError

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*/*.json"))
SECOND_VERIFIER = FOLDER.parents[1] / "docs" / "verify_license.py"

VectorValue = dict[str, Any]


def load(path: Path) -> VectorValue:
    """Return a vector."""
    vector: VectorValue = json.loads(path.read_text(encoding="utf-8"))
    return vector


def document_of(vector: VectorValue) -> bytes:
    """Return the bytes that are to be verified."""
    source = vector["document"]
    if "base64" in source:
        return base64.b64decode(source["base64"])
    return bytes(source["repeat"], "ascii") * int(source["times"])


def outcome_of(vector: VectorValue) -> str:
    """Return what the program says of a vector: `valid`, or the code of an error."""
    try:
        _verify(vector, document_of(vector))
    except DocumentError as error:
        return error.code if error.next_step else "no next step"
    return "valid"


def _verify(vector: VectorValue, data: bytes) -> None:
    root, is_lab = import_public_key(bytes.fromhex(vector["rootKey"])), vector["isLab"]
    chain = [document.encode() for document in vector["trust"]]
    if vector["kind"] == "trust":
        replay_trust([*chain, data], root, is_lab=is_lab)
        return
    store = TrustStore((replay_trust(chain, root, is_lab=is_lab),))
    now = datetime.fromtimestamp(vector["now"], UTC)
    if vector["kind"] == "manifest":
        labelled = verify_manifest(data, store).is_lab
    elif vector["kind"] == "certificate":
        labelled = verify_certificate_code(data.decode(), store, now=now).is_lab
    else:
        labelled = verify_license_file(
            data,
            store,
            now=now,
            fingerprint=vector["fingerprint"],
            highest_serial=vector["highestSerial"],
        ).is_lab
    assert labelled == is_lab


def second_outcome_of(vector: VectorValue, folder: Path) -> str:
    """Return what the second verifier prints of a vector, whose files are written into `folder`."""
    document = folder / "document"
    document.write_bytes(document_of(vector))
    arguments = [str(document), "--kind", vector["kind"], "--root", vector["rootKey"]]
    arguments += ["--now", str(vector["now"])]
    for number, text in enumerate(vector["trust"]):
        step = folder / f"trust-{number}.json"
        step.write_text(text, encoding="utf-8")
        arguments += ["--trust", str(step)]
    if vector["fingerprint"] is not None:
        arguments += ["--fingerprint", vector["fingerprint"]]
    if vector["highestSerial"] is not None:
        arguments += ["--highest-serial", str(vector["highestSerial"])]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = second_verifier()(arguments)
    outcome = printed.getvalue().strip()
    assert (status == 0) == (outcome == "valid")
    return outcome


@lru_cache
def second_verifier() -> Callable[[list[str]], int]:
    """Return what the script does with its command line; it is loaded once for all vectors."""
    main: Callable[[list[str]], int] = runpy.run_path(str(SECOND_VERIFIER))["main"]
    return main
