"""License files: built and signed, read, inspected and verified (docs/license-file.md).

The verifier's checks come in a fixed order and the first failure wins.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tui_licenses.documents.envelope import (
    ENVELOPE_SIZE_MAXIMUM,
    LICENSE,
    check_size,
    open_envelope,
    seal,
)
from tui_licenses.documents.license_payload import LicensePayload, check_license_payload
from tui_licenses.documents.payload import (
    CLOCK_SKEW_SECONDS,
    convert_payload,
    decode_payload,
    encode_payload,
    epoch_seconds,
)
from tui_licenses.documents.signed_document import open_signed
from tui_licenses.documents.signing import SigningKey
from tui_licenses.documents.trust import TrustStore
from tui_licenses.errors import DocumentError, TuiLicensesError
from tui_licenses.files import read_regular

LICENSE_FILE_SIZE_MAXIMUM = ENVELOPE_SIZE_MAXIMUM

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InspectedLicenseFile:
    """What a license file says, with nothing proven: anybody could have written it."""

    payload: LicensePayload
    keyids: tuple[str, ...]
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class VerifiedLicenseFile:
    """A license file that passed every check.

    `trust_fingerprint` names the root that vouches for it; `is_lab` says that it is a lab's.
    """

    payload: LicensePayload
    keyids: tuple[str, ...]
    sha256: str
    size: int
    trust_fingerprint: str
    is_lab: bool


def build_license_file(payload: LicensePayload, signers: Sequence[SigningKey]) -> bytes:
    """Return the bytes of a license file; the same input gives the same bytes.

    Raises `DocumentError`: `bad-content` where the payload breaks a rule, `too-large`,
    `bad-signature` for no, too many or equal signers.
    """
    data = encode_payload(payload)
    _typed_payload(data)
    return seal(LICENSE, data, signers)


def rebuild_license_file(payload: LicensePayload, signers: Sequence[SigningKey]) -> bytes:
    """Return the bytes of a license file that was built before, without checking it again.

    Compare their digest with that of the file that was built: other bytes are not checked.
    """
    return seal(LICENSE, encode_payload(payload), signers)


def read_license_file(path: Path) -> bytes:
    """Return the bytes of a file that could be a license file (check 1).

    Raises `FileError` (`file-not-found`, `file-unreadable`) where there is no regular file that
    can be read, `DocumentError`: `empty`, `too-large`.
    """
    data = read_regular(path, ENVELOPE_SIZE_MAXIMUM)
    check_size(data, LICENSE)
    return data


def inspect_license_file(data: bytes) -> InspectedLicenseFile:
    """Return what a license file says without checking who signed it.

    Raises `DocumentError` of checks 1 to 4 and 7.
    """
    envelope = open_envelope(data, LICENSE)
    payload = _typed_payload(envelope.payload)
    return InspectedLicenseFile(
        payload=payload,
        keyids=tuple(signature.keyid for signature in envelope.signatures),
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
    )


def verify_license_file(
    data: bytes,
    trust: TrustStore,
    *,
    now: datetime,
    fingerprint: str | None = None,
    highest_serial: int | None = None,
) -> VerifiedLicenseFile:
    """Return a license file that passed all checks, in the order of docs/license-file.md.

    `fingerprint` is that of the server it has to be for, `highest_serial` the highest one seen
    for it; None leaves the check out. Raises `DocumentError`: `empty`, `too-large`,
    `not-a-license`, `not-canonical`, `unsupported-version`, `signing-key-unknown`,
    `signing-key-retired`, `signing-key-revoked`, `bad-signature`, `bad-content`,
    `not-yet-valid`, `file-expired`, `wrong-instance`, `rollback`.
    """
    try:
        payload, signed = open_signed(data, LICENSE, trust, LicensePayload)
        check_license_payload(payload)
        _check_times(payload, epoch_seconds(now))
        _check_instance(payload, fingerprint)
        check_serial(payload, highest_serial)
    except TuiLicensesError:
        raise
    except Exception as error:
        # A verifier that stumbles must not let anything pass.
        _log.exception("The license file verifier failed.")
        raise DocumentError(
            "bad-content",
            "This license file could not be checked to the end and is refused.",
            "Report this together with the file; it is a bug.",
        ) from error
    return VerifiedLicenseFile(
        payload=payload,
        keyids=signed.keyids,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        trust_fingerprint=signed.trust.fingerprint,
        is_lab=signed.trust.is_lab,
    )


def _typed_payload(data: bytes) -> LicensePayload:
    payload = convert_payload(decode_payload(data), data, LicensePayload)
    check_license_payload(payload)
    return payload


def _check_times(payload: LicensePayload, now: int) -> None:
    if max(payload.not_before, payload.issued) > now + CLOCK_SKEW_SECONDS:
        raise DocumentError(
            "not-yet-valid",
            "This license file is not valid yet.",
            "Check the clock of this host; otherwise wait until the file's start.",
        )
    if payload.file_expires is not None and payload.file_expires < now - CLOCK_SKEW_SECONDS:
        raise DocumentError(
            "file-expired",
            "This license file has to be renewed.",
            "Download the present license file from the license cloud.",
        )


def _check_instance(payload: LicensePayload, fingerprint: str | None) -> None:
    if fingerprint is not None and payload.instance.fingerprint != fingerprint:
        raise DocumentError(
            "wrong-instance",
            "This license file is for another server.",
            "Download the license file of this instance.",
        )


def check_serial(payload: LicensePayload, highest_serial: int | None) -> None:
    """Raise `DocumentError` (`rollback`) for a serial below the highest seen (check 10)."""
    if highest_serial is not None and payload.serial < highest_serial:
        raise DocumentError(
            "rollback",
            f"This license file (serial {payload.serial}) is older than one that was verified"
            f" before (serial {highest_serial}).",
            "Download the present license file from the license cloud.",
        )
