"""The names of downloaded files: made by us from cleaned parts, never taken from an answer."""

from __future__ import annotations

from typing import Protocol

from tui_licenses.domain.license_key import GROUP_LENGTH, LicenseKey
from tui_licenses.text import slug

_ID_CHARACTERS = 8
# A name without one Latin letter or digit; the id behind it tells the files apart.
_NO_LATIN_NAME = "instance"


class Named(Protocol):
    """An instance, as far as file names go."""

    @property
    def id(self) -> str:
        """Return its id."""

    @property
    def name(self) -> str:
        """Return its name, in any script."""


def license_file_name(instance: Named) -> str:
    """Return the name of an instance's license file."""
    return f"{_instance_stem(instance)}-license.bin"


def manifest_name(instance: Named) -> str:
    """Return the name of the signed manifest beside an instance's documents."""
    return f"{_instance_stem(instance)}-manifest.json"


def profile_name(instance: Named) -> str:
    """Return the name of an instance's server profile."""
    return f"{_instance_stem(instance)}-profile.xml"


def certificate_name(key: LicenseKey) -> str:
    """Return the name of a key's certificate: slug, the key's last four, start of its id."""
    stem = slug(key.instance_name or key.product_name, _NO_LATIN_NAME)
    return f"{stem}-{slug(key.key[-GROUP_LENGTH:]).upper()}-{_start_of(key.id)}-certificate.pdf"


def _instance_stem(instance: Named) -> str:
    return f"{slug(instance.name, _NO_LATIN_NAME)}-{_start_of(instance.id)}"


def _start_of(identifier: str) -> str:
    # The id comes from the cloud: what is no letter or digit must not reach a path.
    return slug(identifier[:_ID_CHARACTERS])
