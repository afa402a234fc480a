"""The signed `trust.v1+json` document: made by the cloud, followed step by step by its readers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from tui_licenses.documents.envelope import SIGNATURES_MAXIMUM, TRUST, open_envelope, seal
from tui_licenses.documents.payload import (
    Critical,
    Integer,
    Payload,
    Sha256,
    Text,
    bad_content,
    check_critical,
    convert_payload,
    decode_payload,
    encode_payload,
)
from tui_licenses.documents.signing import PublicKey, SigningKey, import_public_key
from tui_licenses.documents.trust import SigningKeyStatus, Trust, TrustedKey
from tui_licenses.errors import DocumentError

TRUST_FORMAT: Literal["tui-licenses.trust"] = "tui-licenses.trust"
KEYS_MAXIMUM = 256
STEPS_MAXIMUM = 256

Count = Annotated[int, msgspec.Meta(ge=1, le=SIGNATURES_MAXIMUM)]


class ListedRoot(Payload, frozen=True):
    """A root public key, as 64 hex digits."""

    keyid: Text
    key: Sha256


class ListedKey(Payload, frozen=True):
    """A signing key: its public key as 64 hex digits and what it is allowed."""

    keyid: Text
    key: Sha256
    types: tuple[Text, ...]
    not_before: Integer
    retire_after: Integer | None
    status: SigningKeyStatus


class TrustPayload(Payload, frozen=True):
    """The content of a trust document; `revision` rises by exactly one with each."""

    format: Literal["tui-licenses.trust"]
    version: Literal[1]
    issuer: Text
    revision: Integer
    issued: Integer
    threshold: Count
    roots: Annotated[tuple[ListedRoot, ...], msgspec.Meta(min_length=1, max_length=4)]
    keys: Annotated[tuple[ListedKey, ...], msgspec.Meta(max_length=KEYS_MAXIMUM)]
    critical: Critical


def build_trust_document(
    issuer: str,
    revision: int,
    issued: int,
    keys: Sequence[TrustedKey],
    roots: Sequence[SigningKey],
    *,
    retiring_roots: Sequence[SigningKey] = (),
    threshold: int = 1,
) -> bytes:
    """Return the signed trust document.

    `roots` are the roots from now on, `retiring_roots` those of the step before that are not
    among them: both sign. Raises `DocumentError` as `read_trust` does.
    """
    payload = TrustPayload(
        format=TRUST_FORMAT,
        version=1,
        issuer=issuer,
        revision=revision,
        issued=issued,
        threshold=threshold,
        roots=tuple(
            ListedRoot(keyid=root.public_key.keyid, key=root.public_key.raw.hex()) for root in roots
        ),
        keys=tuple(
            ListedKey(
                keyid=key.keyid,
                key=key.public_key.raw.hex(),
                types=key.document_types,
                not_before=key.not_before,
                retire_after=key.retire_after,
                status=key.status,
            )
            for key in keys
        ),
        critical=(),
    )
    data = encode_payload(payload)
    _read_payload(data)
    return seal(TRUST, data, [*roots, *retiring_roots])


def establish_trust(document: bytes, root: PublicKey, *, is_lab: bool) -> Trust:
    """Return the trust that starts at one root key.

    Raises `DocumentError`: `not-a-trust-document`, `not-canonical`, `unsupported-version`,
    `bad-content`, and `signing-key-unknown` or `bad-signature` where `root` did not sign it.
    """
    return _read(document, anchor=root, old_roots=(root,), is_lab=is_lab)


def advance_trust(trust: Trust, document: bytes) -> Trust:
    """Return the trust after the next trust document; the same document changes nothing.

    Raises `DocumentError` as `establish_trust` does, `rollback` for an older document, and
    `trust-step-missing` where documents in between are needed.
    """
    if document == trust.document:
        return trust
    following = _read(document, anchor=trust.anchor, old_roots=trust.roots, is_lab=trust.is_lab)
    if following.issuer != trust.issuer:
        raise bad_content("it is from another issuer")
    if following.revision <= trust.revision:
        raise DocumentError(
            "rollback",
            f"This trust document (revision {following.revision}) is not newer than the one in"
            f" force (revision {trust.revision}).",
            "Get the present trust document from the license cloud.",
        )
    if following.revision != trust.revision + 1:
        raise DocumentError(
            "trust-step-missing",
            f"Trust documents between revision {trust.revision} and {following.revision} are"
            " missing.",
            "Get all of them from the license cloud and add them in order.",
        )
    return following


def replay_trust(documents: Sequence[bytes], root: PublicKey, *, is_lab: bool) -> Trust:
    """Return the trust after a chain of trust documents that starts at one root key.

    Raises `DocumentError` as `establish_trust` and `advance_trust` do, `not-a-trust-document` for
    an empty chain, and `trust-chain-too-long` for one of more than 256 documents.
    """
    if not documents:
        raise DocumentError(
            "not-a-trust-document",
            "There is no trust document.",
            "Get the present trust document from the license cloud.",
        )
    if len(documents) > STEPS_MAXIMUM:
        raise DocumentError(
            "trust-chain-too-long",
            f"More than {STEPS_MAXIMUM} trust documents lead from this root to the present one.",
            "Remove the root with `tui-licenses trust remove`, and add the present one again.",
        )
    trust = establish_trust(documents[0], root, is_lab=is_lab)
    for document in documents[1:]:
        trust = advance_trust(trust, document)
    return trust


def listed_root(document: bytes) -> PublicKey:
    """Return the first root a trust document names, unverified, so that it can be shown.

    Somebody has to compare its fingerprint before it is given to `establish_trust`. Raises
    `DocumentError` as `establish_trust` does.
    """
    envelope = open_envelope(document, TRUST)
    payload = _read_payload(envelope.payload)
    return import_public_key(bytes.fromhex(payload.roots[0].key))


def _read(
    document: bytes, *, anchor: PublicKey, old_roots: tuple[PublicKey, ...], is_lab: bool
) -> Trust:
    envelope = open_envelope(document, TRUST)
    payload = _read_payload(envelope.payload)
    roots = tuple(import_public_key(bytes.fromhex(root.key)) for root in payload.roots)
    known = {root.keyid: root for root in (*old_roots, *roots)}
    signed_by = {signature.keyid for signature in envelope.signatures}
    if not signed_by <= known.keys() or signed_by.isdisjoint(root.keyid for root in old_roots):
        raise DocumentError(
            "signing-key-unknown",
            "This trust document is not signed by the root that is trusted.",
            "Check where it comes from; compare the root's fingerprint with its operator.",
        )
    if signed_by.isdisjoint(root.keyid for root in roots) or not all(
        known[signature.keyid].is_signature(signature.value, envelope.signed_bytes)
        for signature in envelope.signatures
    ):
        raise DocumentError(
            "bad-signature",
            "This trust document is forged or damaged: a root's signature is missing or false.",
            "Do not use it; get it again from the license cloud.",
        )
    return Trust(
        anchor=anchor,
        issuer=payload.issuer,
        revision=payload.revision,
        threshold=payload.threshold,
        roots=roots,
        keys=tuple(_trusted_key(key) for key in payload.keys),
        is_lab=is_lab,
        document=document,
    )


def _read_payload(data: bytes) -> TrustPayload:
    payload = convert_payload(decode_payload(data), data, TrustPayload)
    check_critical(payload.critical)
    listed = [(root.keyid, root.key) for root in payload.roots]
    listed += [(key.keyid, key.key) for key in payload.keys]
    for keyid, key_hex in listed:
        if import_public_key(bytes.fromhex(key_hex)).keyid != keyid:
            raise bad_content("a key id does not belong to its key")
    for names in ([root.keyid for root in payload.roots], [key.keyid for key in payload.keys]):
        if len(set(names)) != len(names):
            raise bad_content("a key is listed twice")
    if any(
        key.status is SigningKeyStatus.RETIRED and key.retire_after is None for key in payload.keys
    ):
        raise bad_content("a retired key has no date of retirement")
    return payload


def _trusted_key(listed: ListedKey) -> TrustedKey:
    return TrustedKey(
        public_key=import_public_key(bytes.fromhex(listed.key)),
        document_types=listed.types,
        not_before=listed.not_before,
        retire_after=listed.retire_after,
        status=listed.status,
    )
