"""The roots this user trusts, each with the chain of trust documents that starts at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tui_licenses import paths
from tui_licenses.errors import DocumentError, FileError, NotFoundError, UseError
from tui_licenses.files import read_private, read_regular, unreadable, write_private
from tui_licenses.text import clean

if TYPE_CHECKING:
    from tui_licenses.documents.signing import PublicKey
    from tui_licenses.documents.trust import Trust

_DOCUMENT_BYTES_MAXIMUM = 1024 * 1024
_FINGERPRINT_CHARACTERS = frozenset("0123456789abcdef")
# Shorter beginnings name a root too easily by accident.
_BEGINNING_CHARACTERS = 8


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """A root public key whose signed trust documents name the signing keys.

    `fingerprint` is the SHA-256 (hex) of the raw key; `is_automatic` is true for the root of the
    embedded cloud in its own context, which is kept nowhere.
    """

    fingerprint: str
    issuer: str
    source: str
    is_lab: bool
    is_automatic: bool
    added_at: datetime | None


@dataclass(frozen=True, slots=True)
class TrustOffer:
    """A root that could be trusted, as a cloud or a file gives it; nothing in it is proven."""

    root: PublicKey
    document: bytes
    is_lab: bool
    source: str


class _StoredTrust(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    root: str
    documents: list[str]
    lab: bool
    source: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class _Entry:
    """A stored trust that was replayed from its root through all of its documents."""

    stored: _StoredTrust
    trust: Trust


def stored_trusts() -> tuple[Trust, ...]:
    """Return every stored trust; raises `FileError` (`file-damaged`, `file-not-private`)."""
    return tuple(entry.trust for entry in _entries())


def stored_roots() -> tuple[TrustedRoot, ...]:
    """Return the stored roots for people to read."""
    return tuple(
        TrustedRoot(
            entry.trust.fingerprint,
            entry.trust.issuer,
            entry.stored.source,
            entry.trust.is_lab,
            False,
            entry.stored.added_at,
        )
        for entry in _entries()
    )


def add_root(offer: TrustOffer, fingerprint: str | None) -> TrustedRoot:
    """Trust an offered root whose fingerprint was typed back.

    Raises `UseError` (`fingerprint-required`) with the fingerprint where none is given,
    `DocumentError` (`fingerprint-mismatch` and those of `establish_trust`).
    """
    from tui_licenses.documents.trust_document import establish_trust

    root = offer.root
    if fingerprint is None:
        raise UseError(
            "fingerprint-required",
            f"The root of {clean(offer.source)} has the fingerprint {root.fingerprint}.",
            "Compare it with the one that its operator gave you; if they are the same, "
            "run the command again with that fingerprint.",
        )
    if _plain(fingerprint) != root.fingerprint:
        raise DocumentError(
            "fingerprint-mismatch",
            f"The root of {clean(offer.source)} has another fingerprint: {root.fingerprint}.",
            "Do not trust it before its operator has confirmed the fingerprint.",
        )
    trust = establish_trust(offer.document, root, is_lab=offer.is_lab)
    stored = _StoredTrust(
        root.raw.hex(),
        [offer.document.decode("ascii")],
        offer.is_lab,
        offer.source,
        datetime.now(UTC),
    )
    _write(trust.fingerprint, stored)
    return TrustedRoot(
        trust.fingerprint, trust.issuer, offer.source, offer.is_lab, False, stored.added_at
    )


def remove_root(fingerprint: str) -> None:
    """Stop trusting a stored root, named by the beginning of its fingerprint.

    Raises `NotFoundError` (`root-not-found`), `UseError` (`ambiguous-name`).
    """
    beginning = _plain(fingerprint)
    found = [name for name in _names() if name.startswith(beginning)]
    if len(beginning) < _BEGINNING_CHARACTERS or not found:
        raise NotFoundError(
            "root-not-found",
            f"No trusted root has a fingerprint that begins with “{clean(fingerprint)}”.",
            "List the roots with `tui-licenses trust list`; give eight digits or more.",
        )
    if len(found) > 1:
        raise UseError(
            "ambiguous-name",
            f"{len(found)} trusted roots have such a fingerprint.",
            "Give more digits of it.",
        )
    try:
        _file(found[0]).unlink()
    except OSError as error:
        raise FileError(
            "folder-not-writable",
            f"{_file(found[0])} cannot be removed: {error.strerror}.",
            "Check the permissions of its folder.",
        ) from error


def follow(document: bytes) -> None:
    """Take over a newer trust document for the stored root that signed it, if there is one.

    A document that continues none of the stored chains changes nothing.
    """
    from tui_licenses.documents.trust_document import advance_trust

    for entry in _entries():
        try:
            advanced = advance_trust(entry.trust, document)
        except DocumentError:
            continue
        if advanced is not entry.trust:
            chain = [*entry.stored.documents, document.decode("ascii")]
            _write(entry.trust.fingerprint, msgspec.structs.replace(entry.stored, documents=chain))


def read_offer(path: Path) -> TrustOffer:
    """Return the root in a file: a trust document, or the answer of `/licensing/trust`.

    Raises `FileError` (`file-not-found`, `file-unreadable`), `DocumentError`
    (`not-a-trust-document` and the others of docs/license-file.md).
    """
    data = read_regular(path, _DOCUMENT_BYTES_MAXIMUM)
    try:
        answer = msgspec.json.decode(data, type=_TrustAnswer)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        # A bare document does not say whether it is a lab's: the careful label is right for it.
        return make_offer(data, is_lab=True, source=path.name)
    return make_offer(answer.document.encode(), is_lab=answer.lab, source=path.name)


def make_offer(document: bytes, *, is_lab: bool, source: str) -> TrustOffer:
    """Return the first root that a trust document names, as something that could be trusted."""
    from tui_licenses.documents.trust_document import listed_root

    return TrustOffer(listed_root(document), document, is_lab, source)


class _TrustAnswer(msgspec.Struct):
    document: str
    lab: bool


def _entries() -> tuple[_Entry, ...]:
    return tuple(_read(name) for name in _names())


def _names() -> list[str]:
    folder = paths.trust_folder()
    try:
        return sorted(file.stem for file in folder.iterdir() if file.suffix == ".json")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unreadable(folder, error) from error


def _read(name: str) -> _Entry:
    file = _file(name)
    data = read_private(file)
    try:
        return _replay(data)
    except (msgspec.MsgspecError, ValueError, IndexError, DocumentError) as error:
        raise FileError(
            "file-damaged",
            f"The trusted root in {file} cannot be read.",
            "Remove that file, and add the root again with `tui-licenses trust add`.",
        ) from error


@lru_cache(maxsize=32)
def _replay(data: bytes) -> _Entry:
    """Return what the bytes of a stored trust stand for: the same for the same bytes."""
    from tui_licenses.documents.signing import import_public_key
    from tui_licenses.documents.trust_document import advance_trust, establish_trust

    stored = msgspec.json.decode(data, type=_StoredTrust)
    documents = [document.encode() for document in stored.documents]
    root = import_public_key(bytes.fromhex(stored.root))
    trust = establish_trust(documents[0], root, is_lab=stored.lab)
    for document in documents[1:]:
        trust = advance_trust(trust, document)
    return _Entry(stored, trust)


def _write(name: str, stored: _StoredTrust) -> None:
    file = _file(name)
    paths.private_folder(file.parent)
    write_private(file, msgspec.json.encode(stored))


def _file(name: str) -> Path:
    return paths.trust_folder() / f"{name}.json"


def _plain(fingerprint: str) -> str:
    """Return a typed fingerprint without the separators people put into it."""
    return "".join(
        character for character in fingerprint.lower() if character in _FINGERPRINT_CHARACTERS
    )
