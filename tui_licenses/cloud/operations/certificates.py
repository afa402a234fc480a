"""Certificates: what the cloud puts into the PDF of one key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from tui_licenses.cloud import tables
from tui_licenses.cloud.rows import AnyRow, read_key
from tui_licenses.domain.license_key import GROUP_LENGTH

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store


def build_certificate(store: Store, connection: Connection, row: AnyRow) -> bytes:
    """Return the PDF for the `key_select` row of a key; the same row gives the same bytes."""
    from tui_licenses.documents.certificate import (
        CertificateContent,
        certificate_code,
        render_certificate,
    )

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
    code = certificate_code(content, store.signing.issuer, store.signing.signers[0])
    return render_certificate(content, code)


def certificate_number(key_id: str) -> str:
    """Return the number a certificate is filed under: the start of its key's id."""
    return f"C-{key_id[:13].upper()}"
