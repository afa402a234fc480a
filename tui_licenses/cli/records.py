"""Domain objects as plain records, with the member names of docs/protocol.md."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tui_licenses.domain.account import Account, User
from tui_licenses.domain.activation import Activation, ActivationPreview, KeyLookup
from tui_licenses.domain.event import AuditEvent
from tui_licenses.domain.hardware import HardwareRow
from tui_licenses.domain.instance import Instance, Location
from tui_licenses.domain.license_key import Feature, LicenseKey, mask_key
from tui_licenses.errors import Detail
from tui_licenses.service.license_contents import LicenseFileContents, instant_of
from tui_licenses.service.outcomes import SavedFile

if TYPE_CHECKING:
    from tui_licenses.documents.certificate import CertificateFields

Record = dict[str, Any]


def instant_record(instant: datetime | None) -> str | None:
    """Return an instant as RFC 3339, UTC."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def account_record(account: Account) -> Record:
    """Return an account with its plan and its Licenses tab."""
    tab = account.licenses_tab
    return {
        "id": account.id,
        "name": account.name,
        "plan": account.plan,
        "planStartsAt": instant_record(account.plan_starts_at),
        "planEndsAt": instant_record(account.plan_ends_at),
        "licensesTab": {
            "available": tab.available,
            "reason": tab.reason,
            "supportContact": tab.support_contact,
        },
    }


def user_record(user: User) -> Record:
    """Return the signed-in subject and its account."""
    return {
        "id": user.id,
        "email": user.email,
        "displayName": user.display_name,
        "role": user.role.value,
        "account": account_record(user.account),
    }


def location_record(location: Location) -> Record:
    """Return a location."""
    return {"countryCode": location.country_code, "label": location.label}


def instance_record(instance: Instance) -> Record:
    """Return an instance."""
    return {
        "id": instance.id,
        "name": instance.name,
        "location": location_record(instance.location),
        "coreVersion": instance.core_version,
        "state": instance.state.value,
        "hostname": instance.hostname,
        "fingerprint": instance.fingerprint,
        "profileRevision": instance.profile_revision,
        "masterKeyId": instance.master_key_id,
        "keyCount": instance.key_count,
        "addOnCount": instance.add_on_count,
        "activatedAt": instant_record(instance.activated_at),
        "createdAt": instant_record(instance.created_at),
        "updatedAt": instant_record(instance.updated_at),
        "revision": instance.revision,
    }


def feature_record(feature: Feature) -> Record:
    """Return a feature of a key."""
    return {"code": feature.code, "name": feature.name, "quantity": feature.quantity}


def key_record(key: LicenseKey, status: str | None, *, mask: bool = False) -> Record:
    """Return a license key with its status at the time of asking."""
    return {
        "id": key.id,
        "key": mask_key(key.key) if mask else key.key,
        "kind": key.kind.value,
        "productCode": key.product_code,
        "productName": key.product_name,
        "features": [feature_record(feature) for feature in key.features],
        "state": key.state.value,
        "status": status,
        "instanceId": key.instance_id,
        "instanceName": key.instance_name,
        "masterKeyId": key.master_key_id,
        "orderReference": key.order_reference,
        "issuedAt": instant_record(key.issued_at),
        "startsAt": instant_record(key.starts_at),
        "activatedAt": instant_record(key.activated_at),
        "expiresAt": instant_record(key.expires_at),
        "terminatesAt": instant_record(key.terminates_at),
        "updatedAt": instant_record(key.updated_at),
        "revision": key.revision,
    }


def detail_record(detail: Detail) -> Record:
    """Return one part of a larger problem."""
    return {"pointer": detail.pointer, "code": detail.code, "detail": detail.message}


def lookup_record(lookup: KeyLookup) -> Record:
    """Return what may be told about a typed key."""
    return {
        "inAccount": lookup.in_account,
        "assignable": lookup.assignable,
        "reasons": [detail_record(reason) for reason in lookup.reasons],
        "keyId": lookup.key_id,
        "kind": None if lookup.kind is None else lookup.kind.value,
        "status": lookup.status,
        "productName": lookup.product_name,
        "features": [feature_record(feature) for feature in lookup.features],
        "instanceId": lookup.instance_id,
        "instanceName": lookup.instance_name,
    }


def preview_record(preview: ActivationPreview, *, mask: bool = False) -> Record:
    """Return what an activation would do; nothing was written."""
    return {
        "instance": None if preview.instance is None else instance_record(preview.instance),
        "before": [key_record(key, key.state.value, mask=mask) for key in preview.before],
        "after": [key_record(key, key.state.value, mask=mask) for key in preview.after],
        "problems": [detail_record(problem) for problem in preview.problems],
    }


def activation_record(activation: Activation, *, mask: bool = False) -> Record:
    """Return a finished activation."""
    file = activation.license_file
    return {
        "id": activation.id,
        "instance": instance_record(activation.instance),
        "keys": [key_record(key, key.state.value, mask=mask) for key in activation.keys],
        "licenseFile": None
        if file is None
        else {"serial": file.serial, "sha256": file.sha256, "size": file.size},
        "createdAt": instant_record(activation.created_at),
    }


def hardware_record(row: HardwareRow) -> Record:
    """Return one leaf value of a server profile, raw."""
    return {"section": row.section, "attribute": row.attribute, "value": row.value}


def event_record(event: AuditEvent) -> Record:
    """Return one event of the audit trail."""
    return {
        "sequence": event.sequence,
        "at": instant_record(event.at),
        "actor": event.actor,
        "action": event.action,
        "targetKind": event.target_kind,
        "targetId": event.target_id,
        "before": None if event.before is None else dict(event.before),
        "after": None if event.after is None else dict(event.after),
        "requestId": event.request_id,
    }


def saved_file_record(subject_id: str, file: SavedFile) -> Record:
    """Return a saved document with its path and checksum."""
    return {
        "subjectId": subject_id,
        "kind": file.kind.value,
        "subject": file.subject,
        "path": str(file.path.absolute()),
        "size": file.size_bytes,
        "sha256": file.sha256,
        "isNew": file.is_new,
        "contents": file.contents,
    }


def license_contents_record(contents: LicenseFileContents, *, mask: bool = False) -> Record:
    """Return what a license file says."""
    return {
        "issuer": contents.issuer,
        "serial": contents.serial,
        "issuedAt": instant_record(contents.issued_at),
        "notBefore": instant_record(contents.not_before),
        "fileExpiresAt": instant_record(contents.file_expires_at),
        "instanceId": contents.instance_id,
        "fingerprint": contents.fingerprint,
        "contains": contents.summary,
        "keys": [
            {
                "key": mask_key(key.key) if mask else key.key,
                "kind": key.kind.value,
                "productCode": key.product_code,
                "features": [
                    {"code": feature.code, "quantity": feature.quantity} for feature in key.features
                ],
                "validFrom": instant_record(key.valid_from),
                "validTo": instant_record(key.valid_to),
                "terminatesAt": instant_record(key.terminates_at),
            }
            for key in contents.keys
        ],
        "signingKeyIds": list(contents.signing_keyids),
        "sha256": contents.sha256,
        "size": contents.size_bytes,
        "isLab": contents.is_lab,
    }


def certificate_record(fields: CertificateFields) -> Record:
    """Return what the verified code of a certificate vouches for."""
    return {
        "issuer": fields.issuer,
        "issuedAt": instant_record(instant_of(fields.issued)),
        "certificateNumber": fields.certificate_number,
        "accountName": fields.account_name,
        "productName": fields.product_name,
        "kind": fields.kind.value,
        "keyLastFour": fields.key_last_four,
        "expiresAt": None if fields.expires is None else instant_record(instant_of(fields.expires)),
        "isLab": fields.is_lab,
        "trust": fields.trust_fingerprint,
    }
