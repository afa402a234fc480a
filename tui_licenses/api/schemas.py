"""The JSON of the HTTP contract (docs/protocol.md, Objects) and its mapping to the domain.

With `license_sets` the only module that knows the camelCase names of the wire. Decoding is
strict: a wrong type is a `msgspec.ValidationError`, which callers translate.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec

from tui_licenses.domain.account import Account, LicensesTab, Role, User
from tui_licenses.domain.activation import (
    Activation,
    ActivationPreview,
    ActivationRequest,
    KeyLookup,
    LicenseFileSummary,
)
from tui_licenses.domain.event import AuditEvent
from tui_licenses.domain.instance import Instance, InstanceState, Location
from tui_licenses.domain.license_key import Feature, KeyKind, KeyState, LicenseKey
from tui_licenses.errors import Detail

BASE_PATH = "/api/v3"

_feature = lru_cache(maxsize=4096)(Feature)


class Wire(msgspec.Struct, rename="camel", kw_only=True):
    """Base of everything the cloud sends; unknown members are ignored, so that it may grow."""


class StrictWire(msgspec.Struct, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """Base of everything the cloud accepts; an unknown member is an error."""


class WireLocation(StrictWire):
    country_code: str
    label: str | None = None

    def to_domain(self) -> Location:
        return Location(self.country_code, self.label)


class WireLicensesTab(Wire):
    available: bool
    reason: str | None
    support_contact: str | None


class WireAccount(Wire):
    id: str
    name: str
    plan: str
    plan_starts_at: datetime | None
    plan_ends_at: datetime | None
    licenses_tab: WireLicensesTab

    def to_domain(self) -> Account:
        tab = self.licenses_tab
        return Account(
            self.id,
            self.name,
            self.plan,
            self.plan_starts_at,
            self.plan_ends_at,
            LicensesTab(tab.available, tab.reason, tab.support_contact),
        )


class WireUser(Wire):
    id: str
    email: str | None
    display_name: str
    role: Role
    account: WireAccount

    def to_domain(self) -> User:
        return User(self.id, self.email, self.display_name, self.role, self.account.to_domain())


class WireInstance(Wire, kw_only=False, gc=False):
    id: str
    name: str
    location: WireLocation
    core_version: str | None
    state: InstanceState
    hostname: str | None
    fingerprint: str | None
    profile_revision: int
    master_key_id: str | None
    key_count: int
    add_on_count: int
    activated_at: datetime | None
    created_at: datetime
    updated_at: datetime
    revision: int

    def to_domain(self) -> Instance:
        return Instance(
            self.id,
            self.name,
            self.location.to_domain(),
            self.core_version,
            self.state,
            self.hostname,
            self.fingerprint,
            self.profile_revision,
            self.master_key_id,
            self.key_count,
            self.add_on_count,
            self.activated_at,
            self.created_at,
            self.updated_at,
            self.revision,
        )


class WireFeature(Wire):
    code: str
    name: str
    quantity: int | None

    def to_domain(self) -> Feature:
        return _feature(self.code, self.name, self.quantity)


class WireLicenseKey(Wire, kw_only=False, gc=False):
    id: str
    key: str
    kind: KeyKind
    product_code: str
    product_name: str
    features: list[WireFeature]
    state: KeyState
    status: str
    instance_id: str | None
    instance_name: str | None
    master_key_id: str | None
    order_reference: str | None
    issued_at: datetime
    starts_at: datetime | None
    activated_at: datetime | None
    expires_at: datetime | None
    terminates_at: datetime | None
    updated_at: datetime
    revision: int

    def to_domain(self) -> LicenseKey:
        return LicenseKey(
            self.id,
            self.key,
            self.kind,
            self.product_code,
            self.product_name,
            tuple(feature.to_domain() for feature in self.features),
            self.state,
            self.instance_id,
            self.instance_name,
            self.master_key_id,
            self.order_reference,
            self.issued_at,
            self.starts_at,
            self.activated_at,
            self.expires_at,
            self.terminates_at,
            self.updated_at,
            self.revision,
        )


class WireDetail(Wire):
    pointer: str
    code: str
    detail: str

    def to_domain(self) -> Detail:
        return Detail(self.pointer, self.code, self.detail)


class WireActivationRequest(StrictWire):
    """Body of an activation and of its preview; `instance` and `instanceId` exclude each other."""

    class NewInstance(StrictWire):
        name: str
        location: WireLocation
        core_version: str | None = None

    keys: list[str]
    instance_id: str | None = None
    instance: NewInstance | None = None
    profile_xml: str | None = None
    replace_master: bool = False

    @classmethod
    def from_domain(cls, request: ActivationRequest) -> WireActivationRequest:
        new = request.new_instance
        return cls(
            keys=list(request.keys),
            instance_id=request.instance_id,
            instance=None
            if new is None
            else cls.NewInstance(
                name=new.name,
                location=WireLocation(
                    country_code=new.location.country_code, label=new.location.label
                ),
                core_version=new.core_version,
            ),
            profile_xml=request.profile_xml,
            replace_master=request.replace_master,
        )


class WireActivationPreview(Wire):
    instance: WireInstance | None
    before: list[WireLicenseKey]
    after: list[WireLicenseKey]
    problems: list[WireDetail]

    def to_domain(self) -> ActivationPreview:
        return ActivationPreview(
            None if self.instance is None else self.instance.to_domain(),
            tuple(key.to_domain() for key in self.before),
            tuple(key.to_domain() for key in self.after),
            tuple(problem.to_domain() for problem in self.problems),
        )


class WireLicenseFile(Wire):
    serial: int
    sha256: str
    size: int


class WireActivation(Wire):
    id: str
    instance: WireInstance
    keys: list[WireLicenseKey]
    license_file: WireLicenseFile | None
    created_at: datetime

    def to_domain(self) -> Activation:
        file = self.license_file
        return Activation(
            self.id,
            self.instance.to_domain(),
            tuple(key.to_domain() for key in self.keys),
            None if file is None else LicenseFileSummary(file.serial, file.sha256, file.size),
            self.created_at,
        )


class WireKeyLookupRequest(StrictWire):
    key: str


class WireKeyLookup(Wire):
    """Answer of `lookup`; a foreign key tells `inAccount`, `assignable` and `reasons` only."""

    in_account: bool
    assignable: bool
    reasons: list[WireDetail]
    key_id: str | None
    kind: KeyKind | None
    status: str | None
    product_name: str | None
    features: list[WireFeature]
    instance_id: str | None
    instance_name: str | None

    def to_domain(self) -> KeyLookup:
        return KeyLookup(
            self.in_account,
            self.assignable,
            tuple(reason.to_domain() for reason in self.reasons),
            self.key_id,
            self.kind,
            self.status,
            self.product_name,
            tuple(feature.to_domain() for feature in self.features),
            self.instance_id,
            self.instance_name,
        )


class WireInstancePatch(StrictWire):
    """Body of PATCH; a member that is left out stays as it is."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    location: WireLocation | msgspec.UnsetType = msgspec.UNSET
    core_version: str | msgspec.UnsetType | None = msgspec.UNSET


class WireReleaseRequest(StrictWire):
    reason: str
    cascade: bool = False


class WireEvent(Wire):
    sequence: int
    at: datetime
    actor: str
    action: str
    target_kind: str
    target_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None

    def to_domain(self) -> AuditEvent:
        return AuditEvent(
            self.sequence,
            self.at,
            self.actor,
            self.action,
            self.target_kind,
            self.target_id,
            self.before,
            self.after,
            self.request_id,
        )


class ListEnvelope(Wire):
    """What every list carries beside its items; `size` and `totalCount` are the same number."""

    size: int
    total_count: int
    start: int
    limit: int
    next_cursor: str | None


class InstanceList(ListEnvelope):
    items: list[WireInstance]


class KeyList(ListEnvelope):
    items: list[WireLicenseKey]


class EventList(ListEnvelope):
    items: list[WireEvent]


def json_null() -> msgspec.Raw:
    """Return JSON null, undecoded: a member of type `Raw | None` would decode null only."""
    return msgspec.Raw(b"null")


class WireChange(Wire):
    """One changed object since a cursor; `object` is left raw until its `kind` is known.

    `kind` is `instance` or `key`; `deleted` is true for what left the account, its `object` null.
    """

    sequence: int
    kind: Literal["instance", "key"]
    id: str
    object: msgspec.Raw = msgspec.field(default_factory=json_null)
    deleted: bool = False


class ChangeList(Wire):
    items: list[WireChange]
    next_cursor: str
    has_more: bool
