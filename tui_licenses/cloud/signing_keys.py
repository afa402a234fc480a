"""What a cloud signs with: its keys, and the trust documents in which its root lists them.

The private keys are never in the database (`key_files`). The trust documents are public: the one
in force is a setting, those before it are another, one a line, so that a reader who has missed a
step can follow.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from tui_licenses.cloud.key_files import KeyFiles, secret_path
from tui_licenses.cloud.locks import exclusive_lock
from tui_licenses.cloud.settings import read_setting, write_setting
from tui_licenses.documents.envelope import CERTIFICATE_TYPE, LICENSE_TYPE, MANIFEST_TYPE
from tui_licenses.documents.payload import epoch_seconds
from tui_licenses.documents.signing import PublicKey, SigningKey
from tui_licenses.documents.trust import SigningKeyStatus, Trust, TrustedKey
from tui_licenses.documents.trust_document import (
    advance_trust,
    build_trust_document,
    establish_trust,
    listed_root,
)
from tui_licenses.errors import FileError
from tui_licenses.files import write_private

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store

ISSUER = "tui-licenses"
LAB_ISSUER = "tui-licenses lab"

_PEPPER_BYTES = 32
# A key also signs the certificates of keys that were sold before it began.
_FROM_THE_BEGINNING = 0


@dataclass(frozen=True, slots=True)
class CloudSigning:
    """What a cloud signs and hashes with; `trust_document` is what its readers trust it by.

    `signers` are the active keys that are on this host, the oldest first; `has_root` says whether
    the root's private key is. `history` names the course of changes that cursors follow: a
    restored backup begins another.
    """

    issuer: str
    is_lab: bool
    root: PublicKey
    has_root: bool
    signers: tuple[SigningKey, ...]
    pepper: bytes
    trust_document: str
    earlier_documents: tuple[str, ...]
    history: str
    files: KeyFiles

    def trust(self) -> Trust:
        """Return the trust in force, replayed from the first document; raises `DocumentError`."""
        return replay((*self.earlier_documents, self.trust_document), is_lab=self.is_lab)


def replay(documents: Sequence[str], *, is_lab: bool) -> Trust:
    """Return the trust after a chain of documents, begun at its own root."""
    first, *later = (document.encode() for document in documents)
    trust = establish_trust(first, listed_root(first), is_lab=is_lab)
    for document in later:
        trust = advance_trust(trust, document)
    return trust


def read_documents(connection: Connection) -> tuple[str, ...]:
    """Return all trust documents of a cloud, the one in force last; empty for a new one."""
    current = read_setting(connection, "trust_document")
    if current is None:
        return ()
    return (*(read_setting(connection, "earlier_trust_documents") or "").splitlines(), current)


def new_trusted_key(key: SigningKey) -> TrustedKey:
    """Return a signing key as a trust document lists it from now on."""
    return TrustedKey(
        key.public_key,
        (LICENSE_TYPE, MANIFEST_TYPE, CERTIFICATE_TYPE),
        _FROM_THE_BEGINNING,
        None,
        SigningKeyStatus.ACTIVE,
    )


def load_signing(
    engine: Engine, database: Path, clock: Callable[[], datetime], *, lab: bool
) -> CloudSigning:
    """Read the keys of a database, making them for one that was just created.

    Raises `FileError` (`secret-missing`, `file-not-private`) and
    `DocumentError` (`bad-signing-key`).
    """
    files = KeyFiles(database)
    known = _load(engine, files)
    if known is not None:
        return known
    with exclusive_lock(database.with_name(f"{database.stem}-keys.lock")):
        known = _load(engine, files)
        if known is None:
            _create(engine, files, clock(), lab=lab)
            known = _load(engine, files)
        assert known is not None
        return known


def _load(engine: Engine, files: KeyFiles) -> CloudSigning | None:
    with engine.connect() as connection, connection.begin():
        return read_signing(connection, files)


def write_documents(connection: Connection, documents: Sequence[str]) -> None:
    """Keep the trust documents of a cloud, the one in force last."""
    *earlier, current = documents
    write_setting(connection, "earlier_trust_documents", "\n".join(earlier))
    write_setting(connection, "trust_document", current)


def read_signing(connection: Connection, files: KeyFiles) -> CloudSigning | None:
    """Return what the cloud of a database signs with; None for one that has no keys yet.

    Raises as `load_signing` does.
    """
    documents = read_documents(connection)
    issuer = read_setting(connection, "issuer")
    if not documents or issuer is None:
        return None
    *earlier, document = documents
    is_lab = read_setting(connection, "lab") == "true"
    root = listed_root(document.encode())
    listed = establish_trust(document.encode(), root, is_lab=is_lab).keys
    here = files.signing()
    if not here:
        raise FileError(
            "secret-missing",
            f"The signing keys of this license cloud are not in {files.database.parent}.",
            "Restore the .key files from the same backup as the database.",
        )
    active = (key.keyid for key in listed if key.status is SigningKeyStatus.ACTIVE)
    signers = tuple(here[keyid] for keyid in active if keyid in here)
    return CloudSigning(
        issuer,
        is_lab,
        root,
        files.root(root) is not None,
        # A key that nobody vouches for still opens the database: `cloud check` tells.
        signers or tuple(here.values())[:1],
        files.pepper(),
        document,
        tuple(earlier),
        read_setting(connection, "history") or listed_root(documents[0].encode()).keyid,
        files,
    )


def current_signing(store: Store, connection: Connection) -> CloudSigning:
    """Return what to sign with in this transaction: keys may have changed since the start."""
    if read_setting(connection, "trust_document") != store.signing.trust_document:
        known = read_signing(connection, store.signing.files)
        assert known is not None
        store.signing = known
    return store.signing


def _create(engine: Engine, files: KeyFiles, now: datetime, *, lab: bool) -> None:
    """Make the keys; the settings come last and mark them as complete."""
    root, signing = SigningKey.generate(), SigningKey.generate()
    for name, content in (
        ("root", root.seed.hex().encode()),
        ("signing", signing.seed.hex().encode()),
        ("pepper", secrets.token_bytes(_PEPPER_BYTES)),
    ):
        write_private(secret_path(files.database, name), content)
    issuer = LAB_ISSUER if lab else ISSUER
    document = build_trust_document(
        issuer, 1, epoch_seconds(now), [new_trusted_key(signing)], [root]
    )
    with engine.connect() as connection, connection.begin():
        write_setting(connection, "issuer", issuer)
        write_setting(connection, "lab", "true" if lab else "false")
        write_documents(connection, [document.decode()])
