"""The files of an instance: its license file, its server profile, the manifest of both."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Literal

from sqlalchemy import Connection

from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import WireInstance
from tui_licenses.cloud.http.call import Call, invalid, media_type
from tui_licenses.cloud.http.reply import (
    File,
    Reply,
    file_reply,
    matches_strongly,
    revision_etag,
)
from tui_licenses.cloud.http.resource import PROFILE_BYTES, Cloud, Resource, some_of
from tui_licenses.cloud.instants import MICROSECONDS_PER_SECOND
from tui_licenses.cloud.operations.certificates import certificate_of
from tui_licenses.cloud.operations.instances import owned_instance, replace_profile
from tui_licenses.cloud.operations.license_files import (
    LicenseFile,
    current_license_file,
    issue_license_file,
)
from tui_licenses.cloud.operations.profiles import stored_profile
from tui_licenses.cloud.resources.instances import instance_reply, stale
from tui_licenses.cloud.resources.media_types import LICENSE_MEDIA_TYPE, PROFILE_MEDIA_TYPE
from tui_licenses.cloud.rows import AnyRow, instance_keys, read_key
from tui_licenses.documents.manifest import ManifestFile, build_manifest, manifest_file
from tui_licenses.domain.account import Role
from tui_licenses.domain.file_names import (
    certificate_name,
    license_file_name,
    manifest_name,
    profile_name,
)

_XML_TYPES = (PROFILE_MEDIA_TYPE, "text/xml")
_MANIFEST_MEDIA_TYPE = "application/vnd.tui-licenses.manifest.v1+json"
_KINDS: tuple[Literal["license", "profile", "certificate"], ...] = (
    "license",
    "profile",
    "certificate",
)


def license_file_of(cloud: Cloud, call: Call, connection: Connection, row: AnyRow) -> LicenseFile:
    """Return the license file of an instance, issuing it where it never was or is out of date."""
    file = current_license_file(cloud.store, connection, row)
    return file or issue_license_file(cloud.store, row.id, call.author)


def license_file_reply(call: Call, row: AnyRow, file: LicenseFile) -> Reply:
    """Answer the download of a license file."""
    return file_reply(
        call, File(file.content, LICENSE_MEDIA_TYPE, license_file_name(row), file.sha256)
    )


def download_license_file(cloud: Cloud, call: Call) -> Reply:
    """Answer the license file of an instance."""
    with cloud.store.read() as connection:
        row = owned_instance(connection, call.signed_in.account_id, call.path_parameters["id"])
        file = license_file_of(cloud, call, connection, row)
    return license_file_reply(call, row, file)


def _profile(connection: Connection, row: AnyRow) -> AnyRow:
    stored = stored_profile(connection, row)
    if stored is None:
        raise Problem("profile-not-found", "This instance has no server profile.")
    return stored


def download_profile(cloud: Cloud, call: Call) -> Reply:
    """Answer the server profile of an instance, byte for byte."""
    with cloud.store.read() as connection:
        row = owned_instance(connection, call.signed_in.account_id, call.path_parameters["id"])
        stored = _profile(connection, row)
    return file_reply(
        call, File(stored.content, PROFILE_MEDIA_TYPE, profile_name(row), stored.sha256)
    )


def upload_profile(cloud: Cloud, call: Call, connection: Connection) -> Reply:
    """Replace the server profile: 201 for the first of an instance, 200 after that.

    If-Match names the profile's digest or the instance's revision: a client that lists
    instances need not fetch the old profile to replace it.
    """
    row = owned_instance(connection, call.signed_in.account_id, call.path_parameters["id"])
    if media_type(call) not in _XML_TYPES:
        raise Problem("unsupported-media-type", "A server profile is sent as application/xml.")
    match, none_match = call.headers.get("if-match"), call.headers.get("if-none-match")
    if match is None and none_match is None:
        raise Problem(
            "if-match-required",
            "Replacing a profile needs If-Match, the first one If-None-Match: *.",
        )
    stored = stored_profile(connection, row)
    if stored is not None:
        accepted = (f'"{stored.sha256}"', revision_etag(row.revision))
        if match is None or not matches_strongly(match, accepted):
            raise stale(row)
    elif none_match is None or none_match.strip() != "*":
        raise stale(row)
    changed = replace_profile(cloud.store, connection, call.author, row, call.body)
    return instance_reply(changed, 200 if stored is not None else 201)


def _wanted_kinds(call: Call) -> set[str]:
    text = call.parameter("kinds")
    if text is None:
        return {"license", "profile"}
    wanted = set(text.split(","))
    if not wanted <= set(_KINDS):
        raise invalid("kinds", f"The kinds are: {', '.join(_KINDS)}.")
    return wanted


def download_manifest(cloud: Cloud, call: Call) -> Reply:
    """Answer the signed manifest of the documents asked for, as far as the instance has them.

    A license file that is asked for and cannot be had is a problem, as its download is.
    """
    wanted = _wanted_kinds(call)
    with cloud.store.read() as connection:
        row = owned_instance(connection, call.signed_in.account_id, call.path_parameters["id"])
        file = license_file_of(cloud, call, connection, row) if "license" in wanted else None
        content = manifest_of(cloud, connection, row, wanted, file)
    digest = hashlib.sha256(content).hexdigest()
    return file_reply(call, File(content, _MANIFEST_MEDIA_TYPE, manifest_name(row), digest))


def manifest_of(
    cloud: Cloud,
    connection: Connection,
    row: AnyRow,
    kinds: Collection[str],
    license_file: LicenseFile | None,
) -> bytes:
    """Return the signed manifest of an instance: its license file, and what else is asked for."""
    files: list[ManifestFile] = []
    serial = issued = 0
    if license_file is not None:
        serial, issued = license_file.serial, license_file.issued
        files.append(manifest_file("license", license_file_name(row), license_file.content))
    stored = stored_profile(connection, row) if "profile" in kinds else None
    if stored is not None:
        files.append(manifest_file("profile", profile_name(row), stored.content))
    if "certificate" in kinds:
        files += _certificates(cloud, connection, row)
    signing = cloud.store.signing
    # The instant of the newest part: the same parts give the same bytes.
    issued = max(issued, row.updated_at // MICROSECONDS_PER_SECOND)
    return build_manifest(signing.issuer, issued, row.id, serial, files, signing.signers)


def _certificates(cloud: Cloud, connection: Connection, row: AnyRow) -> list[ManifestFile]:
    keys = instance_keys(connection, row.id)
    keys = [entry for entry in keys if entry.account_id == row.account_id]
    return [
        manifest_file(
            "certificate",
            certificate_name(read_key(entry)),
            certificate_of(cloud.store, connection, entry).draw(),
        )
        for entry in keys
    ]


RESOURCES = (
    Resource(
        "GET",
        "/licensing/instances/{id}/profile",
        "The server profile of an instance",
        PROFILE_MEDIA_TYPE,
        read=download_profile,
        problems=("instance-not-found", "profile-not-found", "range-not-satisfiable"),
    ),
    Resource(
        "PUT",
        "/licensing/instances/{id}/profile",
        "Replace the server profile of an instance",
        WireInstance,
        change=upload_profile,
        headers=("ETag",),
        role=Role.OPERATOR,
        request=_XML_TYPES,
        statuses=(200, 201),
        body_bytes=PROFILE_BYTES,
        problems=(
            "unsupported-media-type",
            "profile-too-large",
            "instance-not-found",
            "instance-retired",
            "profile-invalid",
            "profile-without-identity",
            "if-match-required",
            "revision-mismatch",
        ),
    ),
    Resource(
        "GET",
        "/licensing/instances/{id}/license-file",
        "The license file of an instance",
        LICENSE_MEDIA_TYPE,
        read=download_license_file,
        problems=("instance-not-found", "no-master", "range-not-satisfiable"),
    ),
    Resource(
        "GET",
        "/licensing/instances/{id}/manifest",
        "The signed manifest of the documents of an instance",
        _MANIFEST_MEDIA_TYPE,
        read=download_manifest,
        parameters={"kinds": some_of(_KINDS)},
        problems=("instance-not-found", "no-master", "range-not-satisfiable"),
    ),
)
