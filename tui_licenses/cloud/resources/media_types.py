"""The media types of downloads (docs/protocol.md, Conventions)."""

from __future__ import annotations

LICENSE_MEDIA_TYPE = "application/octet-stream"
PROFILE_MEDIA_TYPE = "application/xml"
CERTIFICATE_MEDIA_TYPE = "application/pdf"
