"""Trust documents: who may sign what, and how roots and keys are replaced."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec
import pytest

from tests.vectors.materials import ISSUER, KEYS, TRUSTED_KEYS, payload, sign, trust_document
from tui_licenses.documents.canonical import encode_canonical
from tui_licenses.documents.envelope import LICENSE, LICENSE_TYPE, TRUST, open_envelope
from tui_licenses.documents.trust import (
    SigningKeyStatus,
    Trust,
    TrustedKey,
    TrustStore,
    check_signatures,
)
from tui_licenses.documents.trust_document import (
    advance_trust,
    build_trust_document,
    establish_trust,
    listed_root,
    replay_trust,
)
from tui_licenses.errors import DocumentError

ROOT, NEW_ROOT, STRANGER = KEYS["root"], KEYS["lab-root"], KEYS["stranger"]
ACTIVE = TrustedKey(KEYS["signing-1"].public_key, (LICENSE_TYPE,), 0, None, SigningKeyStatus.ACTIVE)


def document(revision: int, keys: Sequence[TrustedKey] = (ACTIVE,), issuer: str = ISSUER) -> bytes:
    return build_trust_document(issuer, revision, 0, keys, [ROOT])


def first_trust() -> Trust:
    return establish_trust(document(1), ROOT.public_key, is_lab=False)


def code_of(trust: Trust, following: bytes) -> str:
    with pytest.raises(DocumentError) as raised:
        advance_trust(trust, following)
    return raised.value.code


def members_of(data: bytes) -> dict[str, object]:
    members: dict[str, object] = json.loads(open_envelope(data, TRUST).payload)
    return members


def test_trust_tells_everything_the_document_lists() -> None:
    trust = establish_trust(trust_document(), ROOT.public_key, is_lab=True)
    assert trust.keys == TRUSTED_KEYS
    assert trust.roots == (ROOT.public_key,)
    assert trust.fingerprint == ROOT.public_key.fingerprint
    assert (trust.revision, trust.issuer, trust.threshold) == (1, ISSUER, 1)
    assert trust.is_lab


def test_the_root_can_be_shown_before_it_is_trusted() -> None:
    assert listed_root(trust_document()) == ROOT.public_key


def test_only_the_root_that_was_named_is_trusted() -> None:
    with pytest.raises(DocumentError) as raised:
        establish_trust(document(1), STRANGER.public_key, is_lab=False)
    assert raised.value.code == "signing-key-unknown"


def test_trust_goes_forward_one_step_at_a_time() -> None:
    trust = advance_trust(first_trust(), document(2, ()))
    assert trust.revision == 2
    assert trust.keys == ()
    assert code_of(trust, document(1)) == "rollback"
    assert code_of(trust, document(2, (ACTIVE,))) == "rollback"
    assert code_of(trust, document(4)) == "trust-step-missing"


def test_the_same_document_again_changes_nothing() -> None:
    trust = first_trust()
    assert advance_trust(trust, document(1)) is trust


def test_another_issuer_cannot_take_over() -> None:
    assert code_of(first_trust(), document(2, issuer="other.example")) == "bad-content"


def test_a_new_root_is_signed_by_the_old_and_the_new() -> None:
    rotated = build_trust_document(ISSUER, 2, 0, [ACTIVE], [NEW_ROOT], retiring_roots=[ROOT])
    trust = advance_trust(first_trust(), rotated)
    assert trust.roots == (NEW_ROOT.public_key,)
    assert trust.fingerprint == ROOT.public_key.fingerprint
    later = build_trust_document(ISSUER, 3, 0, [], [NEW_ROOT])
    assert advance_trust(trust, later).revision == 3
    assert code_of(trust, document(3)) == "signing-key-unknown"


def test_a_new_root_alone_is_not_enough() -> None:
    alone = build_trust_document(ISSUER, 2, 0, [ACTIVE], [NEW_ROOT])
    assert code_of(first_trust(), alone) == "signing-key-unknown"


def test_a_new_root_that_did_not_sign_is_refused() -> None:
    members = members_of(document(2))
    members["roots"] = [{"keyid": NEW_ROOT.public_key.keyid, "key": NEW_ROOT.public_key.raw.hex()}]
    assert code_of(first_trust(), sign(members, ["root"], TRUST)) == "bad-signature"


def test_a_stranger_beside_the_root_is_refused() -> None:
    members = members_of(document(2))
    signed = sign(members, ["root", "stranger"], TRUST)
    assert code_of(first_trust(), signed) == "signing-key-unknown"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("critical", ["new"]),
        ("threshold", 0),
        ("threshold", 5),
        ("roots", []),
        ("version", 2),
        ("keys", [{"keyid": "0" * 16}]),
    ],
)
def test_a_document_that_breaks_a_rule_is_refused(place: str, value: object) -> None:
    signed = sign(members_of(document(2)) | {place: value}, ["root"], TRUST)
    assert code_of(first_trust(), signed) == "bad-content"


def test_a_key_id_must_belong_to_its_key() -> None:
    data = open_envelope(document(2), TRUST).payload
    wrong = data.replace(ACTIVE.keyid.encode(), b"0123456789abcdef")
    assert code_of(first_trust(), sign(wrong, ["root"], TRUST)) == "bad-content"


def test_an_unsafe_key_is_never_trusted() -> None:
    members = members_of(document(2, ()))
    identity = (1).to_bytes(32, "little").hex()
    members["keys"] = [
        {
            "keyid": "0" * 16,
            "key": identity,
            "types": [],
            "notBefore": 0,
            "retireAfter": None,
            "status": "active",
        }
    ]
    assert code_of(first_trust(), sign(members, ["root"], TRUST)) == "bad-public-key"


def test_a_key_listed_twice_is_not_signed() -> None:
    with pytest.raises(DocumentError) as raised:
        document(1, (ACTIVE, ACTIVE))
    assert raised.value.code == "bad-content"


def test_a_retired_key_needs_a_date() -> None:
    undated = TrustedKey(ACTIVE.public_key, (), 0, None, SigningKeyStatus.RETIRED)
    with pytest.raises(DocumentError) as raised:
        document(1, (undated,))
    assert raised.value.code == "bad-content"


def test_a_lab_that_lists_the_key_of_a_real_cloud_does_not_speak_for_it() -> None:
    revoked = TrustedKey(ACTIVE.public_key, (LICENSE_TYPE,), 0, None, SigningKeyStatus.REVOKED)
    lab = establish_trust(
        build_trust_document("lab", 1, 0, [revoked], [NEW_ROOT]), NEW_ROOT.public_key, is_lab=True
    )
    envelope = open_envelope(sign(payload()), LICENSE)
    real = first_trust()
    for trusts in ((lab, real), (real, lab)):
        assert check_signatures(envelope, LICENSE, TrustStore(trusts), 0).trust is real
    with pytest.raises(DocumentError) as raised:
        check_signatures(envelope, LICENSE, TrustStore((lab,)), 0)
    assert raised.value.code == "signing-key-revoked"


def test_a_chain_is_replayed_from_its_root_and_is_not_empty() -> None:
    chain = [document(revision) for revision in (1, 2, 3)]
    assert replay_trust(chain, ROOT.public_key, is_lab=False).revision == 3
    for broken, code in (([], "not-a-trust-document"), (chain[::2], "trust-step-missing")):
        with pytest.raises(DocumentError) as raised:
            replay_trust(broken, ROOT.public_key, is_lab=False)
        assert raised.value.code == code


def test_a_payload_has_one_canonical_form_only() -> None:
    members = members_of(document(2))
    spaced = json.dumps(members, sort_keys=True).encode()
    assert encode_canonical(members) != spaced
    assert code_of(first_trust(), sign(spaced, ["root"], TRUST)) == "not-canonical"
    assert msgspec.json.decode(spaced) == members
