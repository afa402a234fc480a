"""Rotating, retiring and revoking the keys of a cloud, and keeping its root off the host.

Each change is one new trust document, signed by the root, whose revision is one more. Servers
that run notice it in the transaction in which they sign next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from tui_licenses.cloud.key_files import decode_key
from tui_licenses.cloud.signing_keys import (
    CloudSigning,
    current_signing,
    new_trusted_key,
    read_documents,
    replay,
    write_documents,
)
from tui_licenses.documents.envelope import SIGNATURES_MAXIMUM
from tui_licenses.documents.payload import epoch_seconds
from tui_licenses.documents.signing import PublicKey, SigningKey
from tui_licenses.documents.trust import SigningKeyStatus, TrustedKey
from tui_licenses.documents.trust_document import build_trust_document
from tui_licenses.errors import (
    FileError,
    NotFoundError,
    StateError,
    TuiLicensesError,
    UseError,
)
from tui_licenses.files import read_private
from tui_licenses.files.folder import sync_folder
from tui_licenses.text import clean

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store


@dataclass(frozen=True, slots=True)
class ListedKeys:
    """The trust document in force: its revision, its root, its signing keys, and what is here."""

    revision: int
    root: PublicKey
    has_root: bool
    keys: tuple[TrustedKey, ...]
    here: frozenset[str]


def list_keys(store: Store) -> ListedKeys:
    """Return the keys of a cloud; `here` are the ids of those whose private half is here."""
    with store.read() as connection:
        signing = current_signing(store, connection)
    trust = signing.trust()
    here = frozenset(signing.files.signing())
    return ListedKeys(trust.revision, signing.root, signing.has_root, trust.keys, here)


def rotate(store: Store, root_key: Path | None) -> ListedKeys:
    """Add a signing key; it and the ones before it sign together until those are retired.

    Raises `StateError` (`too-many-signing-keys`), and as `_root` does.
    """
    with store.write() as connection:
        signing = current_signing(store, connection)
        _add_key(store, connection, signing.trust().keys, _root(signing, root_key))
    return list_keys(store)


def retire(store: Store, keyid: str, root_key: Path | None) -> ListedKeys:
    """Let a signing key sign no more; what it has signed stays valid.

    Raises `StateError` (`last-signing-key`, `signing-key-not-active`), `NotFoundError`
    (`signing-key-not-found`), and as `_root` does.
    """
    with store.write() as connection:
        signing = current_signing(store, connection)
        keys = signing.trust().keys
        found = _find(keys, keyid)
        _require(found, SigningKeyStatus.ACTIVE)
        if not _active(keys, without=found):
            raise StateError(
                "last-signing-key",
                f"The signing key {found.keyid} is the only one that is active.",
                "Rotate first (`tui-licenses cloud signing-keys rotate`).",
            )
        now = epoch_seconds(store.clock())
        retired = replace(found, status=SigningKeyStatus.RETIRED, retire_after=now)
        changed = [retired if key == found else key for key in keys]
        _publish(store, connection, changed, [_root(signing, root_key)])
    return list_keys(store)


def revoke(store: Store, keyid: str, root_key: Path | None) -> ListedKeys:
    """Make everything a signing key has signed worthless; license files are issued anew.

    Where it is the only active one, a new key takes its place in the same trust document.
    Raises `StateError` (`signing-key-not-active`), `NotFoundError`, and as `_root` does.
    """
    with store.write() as connection:
        signing = current_signing(store, connection)
        keys = signing.trust().keys
        found = _find(keys, keyid)
        _require(found, SigningKeyStatus.ACTIVE, SigningKeyStatus.RETIRED)
        revoked = replace(found, status=SigningKeyStatus.REVOKED)
        changed = [revoked if key == found else key for key in keys]
        root = _root(signing, root_key)
        if _active(changed):
            _publish(store, connection, changed, [root])
        else:
            _add_key(store, connection, changed, root)
    signing.files.remove("signing", found.public_key)
    return list_keys(store)


def rotate_root(store: Store, root_key: Path | None, new_root_key: Path | None) -> ListedKeys:
    """Put a new root in the place of the old one, vouched for by both.

    These are two trust documents: one signed by both roots, for readers who know the old one, and
    one signed by the new root alone, with which new readers begin. The new private key goes into
    `new_root_key`, or beside the database without it; the old one is removed from the host.
    Raises as `_root` does.
    """
    root = SigningKey.generate()
    with store.write() as connection:
        signing = current_signing(store, connection)
        old = _root(signing, root_key)
        if new_root_key is None:
            signing.files.write("root", root)
        else:
            root.save(new_root_key)
        keys = signing.trust().keys
        _publish(store, connection, keys, [root], retiring_roots=[old])
        _publish(store, connection, keys, [root])
    signing.files.remove("root", old.public_key)
    return list_keys(store)


def export_root(store: Store, target: Path) -> ListedKeys:
    """Move the root's private key off the host: into a file that is then carried away.

    Raises `UseError` (`root-key-missing`), `FileError` (`file-exists`, `file-not-private` where
    the target's file system keeps no permissions, and those of writing).
    """
    signing = store.signing
    root = _root(signing, None)
    is_new = root.save(target)
    try:
        # Read back before the only other copy goes; raises where it is not the same.
        _root(signing, target)
    except TuiLicensesError as error:
        if not is_new:
            # Somebody else's copy of the root: theirs to keep.
            raise
        _take_back(target)
        raise _not_moved(target, error) from error
    signing.files.remove("root", root.public_key)
    with store.read() as connection:
        store.signing = replace(current_signing(store, connection), has_root=False)
    return list_keys(store)


def _take_back(target: Path) -> None:
    try:
        target.unlink()
        sync_folder(target.parent)
    except OSError as error:
        raise FileError(
            "file-not-private",
            f"The root key could not be moved, and its copy {target} could not be removed:"
            f" {error.strerror}.",
            f"Destroy {target}: others may read it.",
        ) from error


def _not_moved(target: Path, error: TuiLicensesError) -> FileError:
    return FileError(
        "file-not-private",
        f"The root key was not moved: it could not be kept private there. {error}",
        f"Nothing was left at {target}, the key is still on this host. Give a place in a file"
        " system that keeps permissions, such as ext4: FAT and exFAT do not.",
    )


def _root(signing: CloudSigning, root_key: Path | None) -> SigningKey:
    """Return the root's private key: the one given, or the one on this host.

    Raises `UseError` (`root-key-missing`, `root-key-wrong`), `FileError` and `DocumentError`
    for a file that holds none.
    """
    if root_key is not None:
        given = decode_key(read_private(root_key), root_key)
        if given.public_key != signing.root:
            raise UseError(
                "root-key-wrong",
                f"{root_key} holds another key than the root {signing.root.keyid}.",
                "Give the file of the root that is in force.",
            )
        return given
    here = signing.files.root(signing.root)
    if here is None:
        raise UseError(
            "root-key-missing",
            f"The private key of the root {signing.root.keyid} is not on this host.",
            "Bring its file and give it with `--root-key FILE`.",
        )
    return here


def _add_key(
    store: Store, connection: Connection, keys: Sequence[TrustedKey], root: SigningKey
) -> None:
    if len(_active(keys)) >= SIGNATURES_MAXIMUM:
        raise StateError(
            "too-many-signing-keys",
            f"{SIGNATURES_MAXIMUM} signing keys are active; a document has no more signatures.",
            "Retire one first (`tui-licenses cloud signing-keys retire`).",
        )
    new = SigningKey.generate()
    # Before the document: one that nobody lists does no harm, a listed one that is lost would.
    store.signing.files.write("signing", new)
    _publish(store, connection, [*keys, new_trusted_key(new)], [root])


def _publish(
    store: Store,
    connection: Connection,
    keys: Sequence[TrustedKey],
    roots: Sequence[SigningKey],
    *,
    retiring_roots: Sequence[SigningKey] = (),
) -> None:
    """Put the next trust document in force."""
    documents = read_documents(connection)
    trust = replay(documents, is_lab=store.signing.is_lab)
    document = build_trust_document(
        trust.issuer,
        trust.revision + 1,
        epoch_seconds(store.clock()),
        keys,
        roots,
        retiring_roots=retiring_roots,
        threshold=trust.threshold,
    )
    write_documents(connection, [*documents, document.decode()])


def _active(keys: Sequence[TrustedKey], *, without: TrustedKey | None = None) -> list[TrustedKey]:
    return [key for key in keys if key.status is SigningKeyStatus.ACTIVE and key != without]


def _find(keys: Sequence[TrustedKey], keyid: str) -> TrustedKey:
    found = [key for key in keys if key.keyid == keyid.lower()]
    if not found:
        raise NotFoundError(
            "signing-key-not-found",
            f"No signing key of this license cloud has the id {clean(keyid)}.",
            "List them with `tui-licenses cloud signing-keys list`.",
        )
    return found[0]


def _require(key: TrustedKey, *statuses: SigningKeyStatus) -> None:
    if key.status not in statuses:
        raise StateError(
            "signing-key-not-active",
            f"The signing key {key.keyid} is {key.status} already.",
            "List the keys with `tui-licenses cloud signing-keys list`.",
        )
