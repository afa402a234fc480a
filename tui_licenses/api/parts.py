"""Parts of a license cloud's answers that are no domain values: pages, changes, license sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import LicenseKey

Item_co = TypeVar("Item_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Change:
    """One changed object: `instance` or `key` is how it is now, neither once it is gone."""

    kind: str
    id: str
    instance: Instance | None
    key: LicenseKey | None


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """Changes in their order, and the cursor that follows them."""

    items: tuple[Change, ...]
    next_cursor: str
    has_more: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[Item_co]):
    """A part of a list of `total`; `changes_cursor` is where changes are followed from."""

    items: tuple[Item_co, ...]
    total: int
    changes_cursor: str | None


@dataclass(frozen=True, slots=True)
class WantedLicense:
    """An instance whose license file is wanted; the digests are of what is here already."""

    instance_id: str
    license_sha256: str | None = None
    manifest_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class LicenseSet:
    """A license file and its manifest; None for what is the same as what is here."""

    license_file: bytes | None = field(repr=False)
    manifest: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rest:
    """The rest of a document whose first `offset` bytes are here, if it still has this ETag."""

    offset: int
    etag: str
