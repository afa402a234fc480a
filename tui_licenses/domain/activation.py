"""Activations: the assignment of one or more keys to one instance, all or none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tui_licenses.domain.instance import Instance, Location
from tui_licenses.domain.license_key import Feature, KeyKind, LicenseKey
from tui_licenses.errors import Detail


@dataclass(frozen=True, slots=True)
class NewInstance:
    """An instance to be created by an activation."""

    name: str
    location: Location
    core_version: str | None = None


@dataclass(frozen=True, slots=True)
class ActivationRequest:
    """What is to be activated where: exactly one of `instance_id` and `new_instance` is set.

    `keys` are canonical. `profile_xml` (the text of a server profile) is required with a new
    instance and for an instance that has none.
    """

    keys: tuple[str, ...]
    instance_id: str | None = None
    new_instance: NewInstance | None = None
    profile_xml: str | None = None
    replace_master: bool = False


@dataclass(frozen=True, slots=True)
class ActivationPreview:
    """What an activation would do: the key set of the instance before and after, all problems."""

    instance: Instance | None
    before: tuple[LicenseKey, ...]
    after: tuple[LicenseKey, ...]
    problems: tuple[Detail, ...]


@dataclass(frozen=True, slots=True)
class LicenseFileSummary:
    """The license file an instance now has."""

    serial: int
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Activation:
    """A finished activation; `license_file` is None while the instance has none."""

    id: str
    instance: Instance
    keys: tuple[LicenseKey, ...]
    license_file: LicenseFileSummary | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeyLookup:
    """What may be told about a typed key: `reasons` say why it cannot be assigned.

    For a key of another account only `in_account` and `reasons` are told.
    """

    in_account: bool
    assignable: bool
    reasons: tuple[Detail, ...]
    key_id: str | None = None
    kind: KeyKind | None = None
    status: str | None = None
    product_name: str | None = None
    features: tuple[Feature, ...] = ()
    instance_id: str | None = None
    instance_name: str | None = None
