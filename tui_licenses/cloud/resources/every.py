"""Every resource of docs/protocol.md, in one tuple."""

from __future__ import annotations

from tui_licenses.cloud.http.resource import Resource
from tui_licenses.cloud.resources import (
    account,
    activations,
    history,
    instance_files,
    instances,
    key_files,
    keys,
    license_sets,
    openapi,
    trust,
)

RESOURCES: tuple[Resource, ...] = (
    *account.RESOURCES,
    *instances.RESOURCES,
    *instance_files.RESOURCES,
    *license_sets.RESOURCES,
    *keys.RESOURCES,
    *key_files.RESOURCES,
    *activations.RESOURCES,
    *history.RESOURCES,
    *trust.RESOURCES,
    *openapi.RESOURCES,
)
