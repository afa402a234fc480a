"""What the classes of documents share: a place to verify at, sound documents, and naive readers."""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.signed_documents import add_root, offline_service, overwrite, vector_clock
from tests.trust.harness import Broken, Run
from tests.vectors.materials import FINGERPRINT, KEYS, payload, sign
from tui_licenses.documents import license_file
from tui_licenses.documents.signing import PublicKey
from tui_licenses.errors import TuiLicensesError

# The three documents whose every bit is tried.
SOUND = {
    "one key": sign(payload(1)),
    "five keys": sign(payload(5)),
    "two signatures": sign(payload(5), ["signing-1", "signing-2"]),
}

Accepts = Callable[[bytes], bool]


class Desk:
    """Where license files are verified: a root trusted in this home, the real service, one file."""

    def __init__(self, folder: Path) -> None:
        add_root()
        self.service = offline_service()
        self.now = vector_clock()
        self._file = folder / "tried.bin"

    def refusal_of(self, data: bytes) -> str | None:
        """Return the code a file is refused with; None where it is accepted."""
        overwrite(self._file, data)
        try:
            self.service.verify(self._file, fingerprint=FINGERPRINT)
        except TuiLicensesError as error:
            return error.code
        return None

    def accepts(self, data: bytes) -> bool:
        """Say whether a file is accepted."""
        return self.refusal_of(data) is None


@contextmanager
def verifier_that_never_stumbles(run: Run) -> Iterator[None]:
    """Report every exception that the verifier turned into a refusal: each is a bug."""

    class Reporter(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            run.report(Broken.UNHANDLED, f"{record.getMessage()} {record.exc_info}")

    handler = Reporter(logging.ERROR)
    logger = logging.getLogger(license_file.__name__)
    logger.addHandler(handler)
    # The reports of a run are enough; a stack for each would fill the screen.
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = True


def accepts_by_the_book(
    data: bytes, keys: Sequence[PublicKey] = (KEYS["signing-1"].public_key,)
) -> bool:
    """Verify as the DSSE specification allows: both alphabets of base64, any JSON, no limits."""
    try:
        return _is_signed_by_the_book(json.loads(data), keys)
    except (ValueError, KeyError, TypeError, binascii.Error):
        return False


def _is_signed_by_the_book(envelope: dict[str, Any], keys: Sequence[PublicKey]) -> bool:
    content = _lenient(envelope["payload"])
    name = envelope["payloadType"].encode()
    message = b"DSSEv1 %d %b %d %b" % (len(name), name, len(content), content)
    json.loads(content)
    return any(
        len(value := _lenient(each["sig"])) == 64 and key.is_signature(value, message)
        for each in envelope["signatures"]
        for key in keys
    )


def _lenient(text: str) -> bytes:
    return base64.b64decode(text.replace("-", "+").replace("_", "/") + "==")
