"""License files with their manifests, many at once: what a bulk download asks for."""

from __future__ import annotations

import hashlib

from tui_licenses.api.license_sets import (
    LICENSE_SETS_MAXIMUM,
    WireLicenseSet,
    WireLicenseSets,
    WireLicenseSetsRequest,
)
from tui_licenses.api.problems import Problem
from tui_licenses.cloud.http.call import Call, decode_body, invalid
from tui_licenses.cloud.http.reply import Reply, json_reply
from tui_licenses.cloud.http.resource import Cloud, Resource
from tui_licenses.cloud.operations.instances import owned_instance
from tui_licenses.cloud.resources.instance_files import license_file_of, manifest_of

_KINDS = frozenset({"license", "profile"})


def show_license_sets(cloud: Cloud, call: Call) -> Reply:
    """Answer the license file and the manifest of each instance, or why it has none."""
    wanted = decode_body(call, WireLicenseSetsRequest).instances
    if not 1 <= len(wanted) <= LICENSE_SETS_MAXIMUM:
        raise invalid("/instances", f"Between 1 and {LICENSE_SETS_MAXIMUM} instances at a time.")
    items = [_license_set(cloud, call, entry) for entry in wanted]
    return json_reply(WireLicenseSets(items=items), headers={"Cache-Control": "private, no-store"})


def _license_set(cloud: Cloud, call: Call, wanted: WireLicenseSetsRequest.Wanted) -> WireLicenseSet:
    try:
        with cloud.store.read() as connection:
            row = owned_instance(connection, call.signed_in.account_id, wanted.instance_id)
            file = license_file_of(cloud, call, connection, row)
            manifest = manifest_of(cloud, connection, row, _KINDS, file)
    except Problem as problem:
        refusal = WireLicenseSet.Refusal(code=problem.problem_code.code, detail=problem.detail)
        return WireLicenseSet(instance_id=wanted.instance_id, refusal=refusal)
    return WireLicenseSet(
        instance_id=row.id,
        license_file=_unless_known(file.content, wanted.license_sha256),
        manifest=_unless_known(manifest, wanted.manifest_sha256),
    )


def _unless_known(content: bytes, known_sha256: str | None) -> str | None:
    if known_sha256 is not None and hashlib.sha256(content).hexdigest() == known_sha256:
        return None
    # Both documents are canonical JSON, so UTF-8: they lose nothing as text.
    return content.decode()


RESOURCES = (
    Resource(
        "POST",
        "/licensing/license-files",
        "License files with their manifests, many at once",
        WireLicenseSets,
        read=show_license_sets,
        request=WireLicenseSetsRequest,
        problems=("unsupported-media-type",),
    ),
)
