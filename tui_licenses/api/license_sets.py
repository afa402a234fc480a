"""The JSON of `POST /licensing/license-files`: license files with their manifests, many at once."""

from __future__ import annotations

from tui_licenses.api.schemas import StrictWire, Wire

# Few enough that an answer is soon there and small, many enough that a request costs little.
LICENSE_SETS_MAXIMUM = 50


class WireLicenseSetsRequest(StrictWire):
    """Which instances; digests (SHA-256 in hex) are of what the caller has and need not get."""

    class Wanted(StrictWire):
        instance_id: str
        license_sha256: str | None = None
        manifest_sha256: str | None = None

    instances: list[Wanted]


class WireLicenseSet(Wire):
    """The documents of one instance, each None where the caller has it; or why there are none."""

    class Refusal(Wire):
        code: str
        detail: str

    instance_id: str
    license_file: str | None = None
    manifest: str | None = None
    refusal: Refusal | None = None


class WireLicenseSets(Wire):
    items: list[WireLicenseSet]
