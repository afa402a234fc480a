"""Certificates: what the cloud puts into the PDF of one key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from tui_licenses.cloud import tables
from tui_licenses.cloud.rows import AnyRow, read_key
from tui_licenses.cloud.signing_keys import current_signing
from tui_licenses.domain.license_key import GROUP_LENGTH

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store
    from tui_licenses.documents.certificate import CertificateContent


# The SHA-256 of certificates that were drawn, by the code that stands for all they show: to say
# that one is still the same costs a hundredth of drawing it. Some 20 MB when full.
_DIGESTS_MAXIMUM = 65_536
_digests: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate of a key as it is now, not drawn yet; the same one gives the same bytes."""

    content: CertificateContent
    code: str

    @property
    def known_sha256(self) -> str | None:
        """Return the digest of its bytes, if it was drawn since this cloud was started."""
        return _digests.get(self.code)

    def draw(self) -> bytes:
        """Return the PDF."""
        from tui_licenses.documents.certificate import render_certificate

        drawn = render_certificate(self.content, self.code)
        if len(_digests) >= _DIGESTS_MAXIMUM:
            _digests.clear()
        _digests[self.code] = hashlib.sha256(drawn).hexdigest()
        return drawn


def certificate_of(store: Store, connection: Connection, row: AnyRow) -> Certificate:
    """Return the certificate for the `key_select` row of a key."""
    from tui_licenses.documents.certificate import CertificateContent, certificate_code

    key, account = read_key(row), tables.account
    owner = connection.execute(
        select(account.c.name).where(account.c.id == row.account_id)
    ).scalar_one()
    content = CertificateContent(
        certificate_number(key.id),
        str(owner),
        key.instance_name,
        key.product_name,
        key.kind,
        key.key[-GROUP_LENGTH:],
        key.features,
        key.order_reference,
        key.issued_at,
        key.starts_at,
        key.activated_at,
        key.expires_at,
    )
    signing = current_signing(store, connection)
    code = certificate_code(content, signing.issuer, signing.signers[0])
    return Certificate(content, code)


def certificate_number(key_id: str) -> str:
    """Return the number a certificate is filed under: the start of its key's id."""
    return f"C-{key_id[:13].upper()}"
