"""What a license file says, with the domain's values instead of the document's numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses.domain.license_key import KeyKind

if TYPE_CHECKING:
    from tui_licenses.documents.license_file import InspectedLicenseFile, VerifiedLicenseFile


@dataclass(frozen=True, slots=True)
class ContainedFeature:
    """A feature of a contained key; `quantity` counts licenses where the feature has any."""

    code: str
    quantity: int | None


@dataclass(frozen=True, slots=True)
class ContainedKey:
    """A key in a license file: after `valid_to` it warns, after `terminates_at` it stops."""

    key: str
    kind: KeyKind
    product_code: str
    features: tuple[ContainedFeature, ...]
    valid_from: datetime
    valid_to: datetime | None
    terminates_at: datetime | None


@dataclass(frozen=True, slots=True)
class LicenseFileContents:
    """Everything a license file says; the master is the first of `keys`.

    `is_lab` says that a lab signed it, or that it names a lab's key where nothing was verified.
    """

    issuer: str
    serial: int
    issued_at: datetime
    not_before: datetime
    file_expires_at: datetime | None
    instance_id: str
    fingerprint: str
    keys: tuple[ContainedKey, ...]
    signing_keyids: tuple[str, ...]
    sha256: str
    size_bytes: int
    is_lab: bool

    @property
    def summary(self) -> str:
        """Return what is inside in one phrase: `contains 1 master + 3 add-ons`, then `lab`."""
        add_ons = sum(key.kind is KeyKind.ADD_ON for key in self.keys)
        masters = len(self.keys) - add_ons
        return (
            f"contains {masters} master{'' if masters == 1 else 's'}"
            f" + {add_ons} add-on{'' if add_ons == 1 else 's'}"
            f"{' (lab)' if self.is_lab else ''}"
        )


@dataclass(frozen=True, slots=True)
class VerifiedFile:
    """A license file that passed every check.

    `trust_fingerprint` names the root that vouches for it.
    """

    path: Path
    contents: LicenseFileContents
    trust_fingerprint: str

    @property
    def is_lab(self) -> bool:
        """Say whether a lab vouches for it."""
        return self.contents.is_lab


def contents_of(
    file: InspectedLicenseFile | VerifiedLicenseFile, *, is_lab: bool
) -> LicenseFileContents:
    """Return the contents of a decoded license file."""
    payload = file.payload
    return LicenseFileContents(
        issuer=payload.issuer,
        serial=payload.serial,
        issued_at=instant_of(payload.issued),
        not_before=instant_of(payload.not_before),
        file_expires_at=_optional_instant(payload.file_expires),
        instance_id=payload.instance.id,
        fingerprint=payload.instance.fingerprint,
        keys=tuple(
            ContainedKey(
                key.key,
                key.kind,
                key.product,
                tuple(ContainedFeature(part.code, part.quantity) for part in key.features),
                instant_of(key.valid_from),
                _optional_instant(key.valid_to),
                _optional_instant(key.terminates),
            )
            for key in payload.keys
        ),
        signing_keyids=file.keyids,
        sha256=file.sha256,
        size_bytes=file.size,
        is_lab=is_lab,
    )


# What datetime can hold: a signed number may lie far beyond it.
_LAST_INSTANT = int(datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp())


def instant_of(seconds: int) -> datetime:
    """Return signed seconds since 1970 as a datetime, at the latest the last one there is."""
    return datetime.fromtimestamp(min(seconds, _LAST_INSTANT), UTC)


def _optional_instant(seconds: int | None) -> datetime | None:
    return None if seconds is None else instant_of(seconds)
