"""The keys a cloud signs with, in private files beside its database, never inside it.

`<name>-root.key` vouches for `<name>-signing.key`, which signs documents; `<name>-pepper.key`
goes into the hashes of refresh tokens. The signed trust document is public and kept as a setting.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, insert

from tui_licenses.cloud import tables
from tui_licenses.cloud.locks import exclusive_lock
from tui_licenses.cloud.settings import read_setting
from tui_licenses.documents.envelope import CERTIFICATE_TYPE, LICENSE_TYPE, MANIFEST_TYPE
from tui_licenses.documents.payload import epoch_seconds
from tui_licenses.documents.signing import SigningKey
from tui_licenses.documents.trust import SigningKeyStatus, TrustedKey
from tui_licenses.documents.trust_document import build_trust_document
from tui_licenses.errors import FileError
from tui_licenses.files import read_private, write_private

ISSUER = "tui-licenses"
LAB_ISSUER = "tui-licenses lab"

_PEPPER_BYTES = 32
# The first key of a cloud also signs the certificates of keys that were sold before it began.
_FROM_THE_BEGINNING = 0


@dataclass(frozen=True, slots=True)
class CloudSigning:
    """What a cloud signs and hashes with; `trust_document` is what its readers trust it by."""

    issuer: str
    is_lab: bool
    root: SigningKey
    signers: tuple[SigningKey, ...]
    pepper: bytes
    trust_document: str


def secret_path(database: Path, name: str) -> Path:
    """Return the private file beside a database that holds one of its secrets."""
    return database.with_name(f"{database.stem}-{name}.key")


def load_signing(
    engine: Engine, database: Path, clock: Callable[[], datetime], *, lab: bool
) -> CloudSigning:
    """Read the keys of a database, making them for one that was just created.

    Raises `FileError` (`secret-missing`, `file-not-private`) and `DocumentError`
    (`bad-signing-key`).
    """
    known = _read(engine, database)
    if known is not None:
        return known
    with exclusive_lock(database.with_name(f"{database.stem}-keys.lock")):
        return _read(engine, database) or _create(engine, database, clock(), lab=lab)


def _read(engine: Engine, database: Path) -> CloudSigning | None:
    with engine.connect() as connection:
        document = read_setting(connection, "trust_document")
        issuer = read_setting(connection, "issuer")
        lab = read_setting(connection, "lab")
    if document is None or issuer is None:
        return None
    if not secret_path(database, "signing").exists():
        raise FileError(
            "secret-missing",
            f"The signing keys of this license cloud are not in {database.parent}.",
            "Restore the .key files from the same backup as the database.",
        )
    return CloudSigning(
        issuer,
        lab == "true",
        SigningKey.load(secret_path(database, "root")),
        (SigningKey.load(secret_path(database, "signing")),),
        read_private(secret_path(database, "pepper")),
        document,
    )


def _create(engine: Engine, database: Path, now: datetime, *, lab: bool) -> CloudSigning:
    """Make the keys; the settings come last and mark them as complete."""
    root, signing = SigningKey.generate(), SigningKey.generate()
    pepper = secrets.token_bytes(_PEPPER_BYTES)
    for name, content in (
        ("root", root.seed.hex().encode()),
        ("signing", signing.seed.hex().encode()),
        ("pepper", pepper),
    ):
        write_private(secret_path(database, name), content)
    issued = epoch_seconds(now)
    issuer = LAB_ISSUER if lab else ISSUER
    trusted = TrustedKey(
        signing.public_key,
        (LICENSE_TYPE, MANIFEST_TYPE, CERTIFICATE_TYPE),
        _FROM_THE_BEGINNING,
        None,
        SigningKeyStatus.ACTIVE,
    )
    document = build_trust_document(issuer, 1, issued, [trusted], [root]).decode()
    settings = {
        "issuer": issuer,
        "lab": "true" if lab else "false",
        "trust_document": document,
    }
    with engine.connect() as connection, connection.begin():
        connection.execute(
            insert(tables.cloud_setting),
            [{"name": name, "value": value} for name, value in settings.items()],
        )
    return CloudSigning(issuer, lab, root, (signing,), pepper, document)
