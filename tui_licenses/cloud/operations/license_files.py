"""The license file of an instance: its serial, kept with the instant it was issued.

The bytes are made anew from what is stored each time: the same serial, instant and content give
the same bytes, whichever key they are asked for through.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import WireLicenseFile
from tui_licenses.cloud import tables
from tui_licenses.cloud.instants import MICROSECONDS_PER_SECOND
from tui_licenses.cloud.operations.audit import Author, record
from tui_licenses.cloud.rows import (
    AnyRow,
    current_instance,
    decode_features,
    find_key_row,
    instance_keys,
)
from tui_licenses.cloud.settings import read_setting
from tui_licenses.cloud.signing_keys import CloudSigning, current_signing
from tui_licenses.documents.license_file import build_license_file, rebuild_license_file
from tui_licenses.documents.license_payload import (
    LicensedFeature,
    LicensedKey,
    LicensePayload,
    license_payload,
)
from tui_licenses.documents.payload import encode_payload
from tui_licenses.domain.instance import InstanceState
from tui_licenses.domain.license_key import KeyKind, KeyState

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store


@dataclass(frozen=True, slots=True)
class LicenseFile:
    """A license file as it is now; `issued` is in seconds."""

    serial: int
    issued: int
    content: bytes
    sha256: str


def _licensed_key(row: AnyRow) -> LicensedKey:
    def seconds(instant: int | None) -> int | None:
        return None if instant is None else instant // MICROSECONDS_PER_SECOND

    return LicensedKey(
        key=row.key,
        kind=KeyKind(row.kind),
        product=row.product_code,
        features=tuple(
            LicensedFeature(code=entry.code, quantity=entry.quantity)
            for entry in decode_features(row.features)
        ),
        valid_from=(row.starts_at or row.issued_at) // MICROSECONDS_PER_SECOND,
        valid_to=seconds(row.expires_at),
        terminates=seconds(row.terminates_at),
    )


def licensed_keys(connection: Connection, instance: AnyRow) -> tuple[LicensedKey, ...]:
    """Return the active master and active add-ons of an instance; empty without that master."""
    if instance.state != InstanceState.LICENSED or instance.fingerprint is None:
        return ()
    rows = [row for row in instance_keys(connection, instance.id) if row.state == KeyState.ACTIVE]
    if not any(row.id == instance.master_key_id for row in rows):
        return ()
    return tuple(_licensed_key(row) for row in rows)


def _undated(
    signing: CloudSigning, instance: AnyRow, keys: tuple[LicensedKey, ...]
) -> LicensePayload:
    """Return what a license file says, under serial and instant 0."""
    return license_payload(signing.issuer, 0, 0, instance.id, instance.fingerprint, keys)


def _content_hash(signing: CloudSigning, undated: LicensePayload) -> str:
    """Return a digest of everything the bytes depend on but serial and instant."""
    signers = " ".join(signer.public_key.keyid for signer in signing.signers)
    return hashlib.sha256(signers.encode() + b"\n" + encode_payload(undated)).hexdigest()


def _dated(undated: LicensePayload, serial: int, issued: int) -> LicensePayload:
    return msgspec.structs.replace(undated, serial=serial, issued=issued, not_before=issued)


def _build(signing: CloudSigning, payload: LicensePayload) -> LicenseFile:
    content = build_license_file(payload, signing.signers)
    digest = hashlib.sha256(content).hexdigest()
    return LicenseFile(payload.serial, payload.issued, content, digest)


def _rebuild(signing: CloudSigning, undated: LicensePayload, known: AnyRow) -> LicenseFile:
    """Return the file as it was issued: the bytes with its digest were checked then."""
    payload = _dated(undated, known.serial, known.issued)
    content = rebuild_license_file(payload, signing.signers)
    if hashlib.sha256(content).hexdigest() != known.sha256:
        return _build(signing, payload)
    return LicenseFile(known.serial, known.issued, content, known.sha256)


_STORED = select(tables.license_file).where(
    tables.license_file.c.instance_id == bindparam("instance_id")
)


def _stored(connection: Connection, instance_id: str) -> AnyRow | None:
    return connection.execute(_STORED, {"instance_id": instance_id}).one_or_none()


def serial_floor(connection: Connection) -> int:
    """Return the serial above which files begin: not 0 where a backup was restored."""
    return int(read_setting(connection, "serial_floor") or 0)


def current_license_file(
    store: Store, connection: Connection, instance: AnyRow
) -> LicenseFile | None:
    """Return the license file as it was issued, or None where it has to be issued first.

    Raises `Problem` (`no-master`) while the instance has no active master.
    """
    keys = licensed_keys(connection, instance)
    if not keys:
        raise no_master(connection, instance)
    signing = current_signing(store, connection)
    known, undated = _stored(connection, instance.id), _undated(signing, instance, keys)
    if known is None or known.content_hash != _content_hash(signing, undated):
        return None
    return _rebuild(signing, undated, known)


def refresh_license_file(
    store: Store, connection: Connection, instance: AnyRow, now: int
) -> LicenseFile | None:
    """Issue the license file under the next serial if its content changed; return it.

    None while the instance has no active master; the serial is kept for the next one.
    """
    keys = licensed_keys(connection, instance)
    if not keys:
        return None
    signing = current_signing(store, connection)
    known, undated = _stored(connection, instance.id), _undated(signing, instance, keys)
    content_hash = _content_hash(signing, undated)
    if known is not None and known.content_hash == content_hash:
        return _rebuild(signing, undated, known)
    serial = 1 + (serial_floor(connection) if known is None else known.serial)
    file = _build(signing, _dated(undated, serial, now // MICROSECONDS_PER_SECOND))
    table = tables.license_file
    values = {
        "serial": serial,
        "issued": file.issued,
        "content_hash": content_hash,
        "sha256": file.sha256,
        "size": len(file.content),
    }
    if known is None:
        connection.execute(insert(table).values(instance_id=instance.id, **values))
    else:
        connection.execute(update(table).where(table.c.instance_id == instance.id).values(**values))
    return file


def issue_license_file(store: Store, instance_id: str, author: Author) -> LicenseFile:
    """Issue a license file in a transaction of its own: after a new signing key, or the first."""
    with store.write({author.account_id}) as connection:
        instance = current_instance(connection, instance_id)
        known = _stored(connection, instance_id)
        file = refresh_license_file(store, connection, instance, author.now)
        if file is None:
            raise no_master(connection, instance)
        if known is None or known.serial != file.serial:
            record(
                connection,
                author,
                "license-file.issued",
                ("instance", instance.id),
                before=None if known is None else {"licenseFileSerial": known.serial},
                after={"licenseFileSerial": file.serial},
            )
    return file


def license_file_summary(connection: Connection, instance: AnyRow) -> WireLicenseFile | None:
    """Return the summary of the license file an instance has."""
    known = _stored(connection, instance.id)
    if known is None or not licensed_keys(connection, instance):
        return None
    return WireLicenseFile(serial=known.serial, sha256=known.sha256, size=known.size)


def wire_license_file(file: LicenseFile | None) -> WireLicenseFile | None:
    """Return the summary of a license file that was just issued."""
    if file is None:
        return None
    return WireLicenseFile(serial=file.serial, sha256=file.sha256, size=len(file.content))


def no_master(connection: Connection, instance: AnyRow) -> Problem:
    """Return the problem that tells why an instance has no license file."""
    master = (
        None if instance.master_key_id is None else find_key_row(connection, instance.master_key_id)
    )
    if instance.state == InstanceState.RETIRED:
        reason = "The instance is retired; it has no license file."
    elif master is None:
        reason = "The instance has no master key, so there is no license file."
    else:
        reason = f"The master key of the instance is {master.state}; there is no license file."
    return Problem("no-master", reason)
