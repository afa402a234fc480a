"""The roots this user trusts, each with the chain of trust documents that starts at it.

What is stored is outside data too: a file is believed only under the name of its root, with the
checksum it was written with, and after its whole chain was replayed from that root.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tui_licenses import paths
from tui_licenses.errors import DocumentError, FileError, NotFoundError, UseError
from tui_licenses.files import locked, read_private, read_regular, unreadable, write_private
from tui_licenses.service.serials import highest_revision, remember_revision
from tui_licenses.text import clean

if TYPE_CHECKING:
    from tui_licenses.documents.signing import PublicKey
    from tui_licenses.documents.trust import Trust

_log = logging.getLogger(__name__)

_DOCUMENT_BYTES_MAXIMUM = 1024 * 1024
# As much as is read of a private file.
_STORED_BYTES_MAXIMUM = 1024 * 1024
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
    """What a file holds; the checksum covers what no root has signed, above all `lab`."""

    root: str
    documents: list[str]
    lab: bool
    source: str
    added_at: datetime
    checksum: str = ""

    def encode(self) -> bytes:
        """Return the one form in which this is stored."""
        plain = msgspec.json.encode(msgspec.structs.replace(self, checksum=""))
        checksum = hashlib.sha256(plain).hexdigest()
        return msgspec.json.encode(msgspec.structs.replace(self, checksum=checksum))


@dataclass(frozen=True, slots=True)
class _Entry:
    """A stored trust that was replayed from its root through all of its documents."""

    stored: _StoredTrust
    trust: Trust


def stored_trusts() -> tuple[Trust, ...]:
    """Return every stored trust.

    Raises `FileError` (`file-damaged`, `file-not-private`), `DocumentError` (`rollback`) for one
    that is older than it has been: a key revoked since would count again.
    """
    trusts = tuple(entry.trust for entry in _entries())
    for trust in trusts:
        _check_revision(trust)
    return trusts


def _check_revision(trust: Trust) -> None:
    highest = highest_revision(trust.fingerprint)
    if highest is not None and trust.revision < highest:
        raise DocumentError(
            "rollback",
            f"The trust in {clean(trust.issuer)} is older (revision {trust.revision})"
            f" than it has been here (revision {highest}).",
            "Add the present trust document with `tui-licenses trust add`.",
        )


def is_lab_source(source: str) -> bool:
    """Say whether a stored root that came from `source` is labelled a lab's.

    For the screen, so nothing is verified here: documents have the label of what verified them.
    """
    try:
        stored = [
            msgspec.json.decode(read_private(_file(name)), type=_StoredTrust) for name in _names()
        ]
    except (FileError, msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return any(each.lab and each.source == source for each in stored)


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

    A root that is trusted already goes on from where it is and stays a lab's if it was one; it
    never goes back. Raises `UseError` (`fingerprint-required`) with the fingerprint where none is
    given, `DocumentError` (`fingerprint-mismatch` and those of `replay_trust`).
    """
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
    paths.private_folder(paths.trust_folder())
    with _held():
        return _add(offer)


def _add(offer: TrustOffer) -> TrustedRoot:
    root, documents, is_lab = offer.root, [offer.document], offer.is_lab
    if root.fingerprint in _names():
        known = _read(root.fingerprint)
        is_lab = is_lab or known.trust.is_lab
        documents = _continued(known, offer)
    stored = _StoredTrust(
        root.raw.hex(),
        [document.decode("utf-8", errors="replace") for document in documents],
        is_lab,
        offer.source,
        datetime.now(UTC),
    )
    trust = _write(root, stored)
    return TrustedRoot(
        trust.fingerprint, trust.issuer, offer.source, is_lab, False, stored.added_at
    )


def _continued(known: _Entry, offer: TrustOffer) -> list[bytes]:
    """Return the chain of a trusted root after an offered document; raises `DocumentError`."""
    from tui_licenses.documents.trust_document import advance_trust, establish_trust

    chain = [document.encode() for document in known.stored.documents]
    try:
        advanced = advance_trust(known.trust, offer.document)
    except DocumentError as error:
        # The root itself vouches for a later document: the steps between need not be known.
        if error.code != "trust-step-missing" or offer.root not in known.trust.roots:
            raise
        establish_trust(offer.document, offer.root, is_lab=known.trust.is_lab)
        return [offer.document]
    return chain if advanced is known.trust else [*chain, offer.document]


def remove_root(fingerprint: str) -> None:
    """Stop trusting a stored root, named by the beginning of its fingerprint.

    Raises `NotFoundError` (`root-not-found`), `UseError` (`ambiguous-name`).
    """
    if not _names():
        raise _not_found(fingerprint)
    with _held():
        _remove(fingerprint)


def _remove(fingerprint: str) -> None:
    beginning = _plain(fingerprint)
    found = [name for name in _names() if name.startswith(beginning)]
    if len(beginning) < _BEGINNING_CHARACTERS or not found:
        raise _not_found(fingerprint)
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


def _not_found(fingerprint: str) -> NotFoundError:
    return NotFoundError(
        "root-not-found",
        f"No trusted root has a fingerprint that begins with “{clean(fingerprint)}”.",
        "List the roots with `tui-licenses trust list`; give eight digits or more.",
    )


def follow(documents: Sequence[bytes]) -> None:
    """Take over newer trust documents, oldest first, for the stored root that signed them.

    A document that continues none of the stored chains changes nothing.
    """
    if _names():
        with _held():
            _follow(documents)


def _follow(documents: Sequence[bytes]) -> None:
    from tui_licenses.documents.trust_document import STEPS_MAXIMUM, advance_trust

    for entry in _entries():
        trust, chain = entry.trust, list(entry.stored.documents)
        for document in documents[-STEPS_MAXIMUM:]:
            try:
                advanced = advance_trust(trust, document)
            except DocumentError as error:
                if error.code == "trust-step-missing":
                    _log.warning("The trust in %s cannot be followed: %s", trust.issuer, error)
                continue
            if advanced is not trust:
                trust = advanced
                chain.append(document.decode("utf-8", errors="replace"))
        if trust is not entry.trust:
            try:
                _write(trust.anchor, msgspec.structs.replace(entry.stored, documents=chain))
            except DocumentError as error:
                _log.warning("The trust in %s cannot be followed: %s", trust.issuer, error)


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


@contextmanager
def _held() -> Iterator[None]:
    """Hold the folder of the roots, which must be there, against the other programs of this user.

    What was removed must not come back from what another one had read before.
    """
    folder = paths.trust_folder()
    try:
        with locked(folder):
            yield
    except OSError as error:
        raise unreadable(folder, error) from error


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
        return _replay(data, name)
    except (msgspec.MsgspecError, ValueError, DocumentError) as error:
        raise FileError(
            "file-damaged",
            f"The trusted root in {file} cannot be read.",
            "Remove that file, and add the root again with `tui-licenses trust add`.",
        ) from error


@lru_cache(maxsize=32)
def _replay(data: bytes, name: str) -> _Entry:
    """Return what the bytes of a stored trust stand for: the same for the same bytes.

    Raises `ValueError`, `msgspec.MsgspecError`, `DocumentError`.
    """
    from tui_licenses.documents.signing import import_public_key
    from tui_licenses.documents.trust_document import replay_trust

    stored = msgspec.json.decode(data, type=_StoredTrust)
    if stored.encode() != data:
        raise ValueError("these are not the bytes that were stored")
    root = import_public_key(bytes.fromhex(stored.root))
    if root.fingerprint != name:
        raise ValueError("this is the file of another root")
    documents = [document.encode() for document in stored.documents]
    return _Entry(stored, replay_trust(documents, root, is_lab=stored.lab))


def _write(root: PublicKey, stored: _StoredTrust) -> Trust:
    """Store a chain that leads from a root, and return where it leads; raises `DocumentError`."""
    from tui_licenses.documents.trust_document import replay_trust

    documents = [document.encode() for document in stored.documents]
    trust = replay_trust(documents, root, is_lab=stored.lab)
    _check_revision(trust)
    data = stored.encode()
    if len(data) > _STORED_BYTES_MAXIMUM:
        raise DocumentError(
            "trust-chain-too-long",
            "The trust documents from this root to the present one are too large to be kept.",
            "Remove the root with `tui-licenses trust remove`, and add the present one again.",
        )
    write_private(_file(root.fingerprint), data)
    remember_revision(trust.fingerprint, trust.revision)
    return trust


def _file(name: str) -> Path:
    return paths.trust_folder() / f"{name}.json"


def _plain(fingerprint: str) -> str:
    """Return a typed fingerprint without the separators people put into it."""
    return "".join(
        character for character in fingerprint.lower() if character in _FINGERPRINT_CHARACTERS
    )
