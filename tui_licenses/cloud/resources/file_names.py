"""What downloads are called (docs/command-line.md): a slug, ids, a fixed ending."""

from __future__ import annotations

from tui_licenses.cloud.rows import AnyRow
from tui_licenses.domain.license_key import GROUP_LENGTH, LicenseKey
from tui_licenses.text import slug

LICENSE_MEDIA_TYPE = "application/octet-stream"
PROFILE_MEDIA_TYPE = "application/xml"
CERTIFICATE_MEDIA_TYPE = "application/pdf"

_ID_CHARACTERS = 8


def _instance_part(instance: AnyRow) -> str:
    return f"{slug(instance.name)}-{instance.id[:_ID_CHARACTERS]}"


def license_name(instance: AnyRow) -> str:
    """Return the name of the license file of an instance."""
    return f"{_instance_part(instance)}-license.bin"


def profile_name(instance: AnyRow) -> str:
    """Return the name of the server profile of an instance."""
    return f"{_instance_part(instance)}-profile.xml"


def manifest_name(instance: AnyRow) -> str:
    """Return the name of the manifest of an instance."""
    return f"{_instance_part(instance)}-manifest.json"


def certificate_name(key: LicenseKey) -> str:
    """Return the name of the certificate of a key, named after its instance or its product."""
    name = slug(key.instance_name or key.product_name)
    return f"{name}-{key.key[-GROUP_LENGTH:]}-{key.id[:_ID_CHARACTERS]}-certificate.pdf"
