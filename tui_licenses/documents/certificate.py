"""Certificates: the PDF that proves the purchase of one key, and the code that proves the PDF."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tui_licenses.domain.license_key import Feature, KeyKind


@dataclass(frozen=True, slots=True)
class CertificateContent:
    """Everything a certificate shows; of the key only the last four characters.

    `instance_name` is None for a key that is not assigned; no expiry means perpetual.
    """

    certificate_number: str
    account_name: str
    instance_name: str | None
    product_name: str
    kind: KeyKind
    key_last_four: str
    features: tuple[Feature, ...]
    order_reference: str | None
    issued_at: datetime
    starts_at: datetime | None
    activated_at: datetime | None
    expires_at: datetime | None
