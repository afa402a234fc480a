"""The files of a key: the license file of its instance, and its certificate."""

from __future__ import annotations

import hashlib

from tui_licenses.api.problems import Problem
from tui_licenses.cloud.http.call import Call
from tui_licenses.cloud.http.reply import File, Reply, file_reply, unchanged
from tui_licenses.cloud.http.resource import Cloud, Resource
from tui_licenses.cloud.operations.certificates import certificate_of
from tui_licenses.cloud.resources.instance_files import license_file_of, license_file_reply
from tui_licenses.cloud.resources.keys import owned_key
from tui_licenses.cloud.resources.media_types import CERTIFICATE_MEDIA_TYPE, LICENSE_MEDIA_TYPE
from tui_licenses.cloud.rows import current_instance, read_key
from tui_licenses.domain.file_names import certificate_name


def download_license_file(cloud: Cloud, call: Call) -> Reply:
    """Answer the license file of the instance a key is on: the same bytes for each of its keys."""
    with cloud.store.read() as connection:
        key = owned_key(connection, call.signed_in.account_id, call.path_parameters["id"])
        if key.instance_id is None:
            raise Problem(
                "no-master", "This key is not assigned to an instance; there is no license file."
            )
        row = current_instance(connection, key.instance_id)
        file = license_file_of(cloud, call, connection, row)
    return license_file_reply(call, row, file)


def download_certificate(cloud: Cloud, call: Call) -> Reply:
    """Answer the certificate of a key."""
    with cloud.store.read() as connection:
        row = owned_key(connection, call.signed_in.account_id, call.path_parameters["id"])
        certificate = certificate_of(cloud.store, connection, row)
    known = certificate.known_sha256
    same = None if known is None else unchanged(call, known)
    if same is not None:
        return same
    content = certificate.draw()
    digest = hashlib.sha256(content).hexdigest()
    name = certificate_name(read_key(row))
    return file_reply(call, File(content, CERTIFICATE_MEDIA_TYPE, name, digest))


RESOURCES = (
    Resource(
        "GET",
        "/licensing/keys/{id}/license-file",
        "The license file of the instance a key is on",
        LICENSE_MEDIA_TYPE,
        read=download_license_file,
        problems=("key-not-found", "no-master", "range-not-satisfiable"),
    ),
    Resource(
        "GET",
        "/licensing/keys/{id}/certificate",
        "The certificate of a key",
        CERTIFICATE_MEDIA_TYPE,
        read=download_certificate,
        problems=("key-not-found", "range-not-satisfiable"),
    ),
)
