"""License files: built the same every time, and refused when anything about them changed."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vectors.materials import (
    FINGERPRINT,
    INSTANCE,
    ISSUED,
    ISSUER,
    KEYS,
    NOW,
    payload,
    sign,
    trust_document,
)
from tui_licenses.documents.envelope import ENVELOPE_SIZE_MAXIMUM, pre_authentication_encoding
from tui_licenses.documents.license_file import (
    build_license_file,
    inspect_license_file,
    read_license_file,
    verify_license_file,
)
from tui_licenses.documents.license_payload import (
    LicensedFeature,
    LicensedKey,
    LicensePayload,
    license_payload,
)
from tui_licenses.documents.trust import TrustStore
from tui_licenses.documents.trust_document import establish_trust
from tui_licenses.domain.license_key import KeyKind
from tui_licenses.errors import DocumentError, FileError

CLOCK = datetime.fromtimestamp(NOW, UTC)
TRUST = TrustStore((establish_trust(trust_document(), KEYS["root"].public_key, is_lab=False),))
SMALL_FILE = sign(payload())


def key(text: str, kind: KeyKind = KeyKind.ADD_ON, *codes: str) -> LicensedKey:
    return LicensedKey(
        key=text,
        kind=kind,
        product="SERVER",
        features=tuple(LicensedFeature(code=code, quantity=None) for code in codes),
        valid_from=ISSUED,
        valid_to=None,
        terminates=None,
    )


def instance_payload(*keys: LicensedKey) -> LicensePayload:
    return license_payload(ISSUER, 7, ISSUED, INSTANCE, FINGERPRINT, keys)


def refusal_of(data: bytes) -> str:
    with pytest.raises(DocumentError) as raised:
        verify_license_file(data, TRUST, now=CLOCK)
    return raised.value.code


MASTER = key("M" * 16, KeyKind.MASTER, "B", "A")


def test_keys_and_features_are_put_in_order() -> None:
    made = instance_payload(key("B" * 16), MASTER, key("A" * 16))
    assert [licensed.key[0] for licensed in made.keys] == ["M", "A", "B"]
    assert [feature.code for feature in made.keys[0].features] == ["A", "B"]
    assert made.not_before == ISSUED


def test_the_order_of_the_input_changes_no_byte() -> None:
    one = build_license_file(instance_payload(MASTER, key("A" * 16)), [KEYS["signing-1"]])
    other = build_license_file(instance_payload(key("A" * 16), MASTER), [KEYS["signing-1"]])
    assert one == other
    assert one == build_license_file(instance_payload(MASTER, key("A" * 16)), [KEYS["signing-1"]])


def test_a_built_file_verifies_and_tells_what_was_put_in() -> None:
    made = instance_payload(MASTER, key("A" * 16))
    data = build_license_file(made, [KEYS["signing-1"], KEYS["signing-2"]])
    verified = verify_license_file(
        data, TRUST, now=CLOCK, fingerprint=FINGERPRINT, highest_serial=7
    )
    assert verified.payload == made
    assert verified.keyids == (
        KEYS["signing-1"].public_key.keyid,
        KEYS["signing-2"].public_key.keyid,
    )
    assert verified.trust_fingerprint == KEYS["root"].public_key.fingerprint
    assert not verified.is_lab
    assert b"\n" not in data


def test_a_payload_that_breaks_a_rule_is_not_signed() -> None:
    with pytest.raises(DocumentError) as raised:
        build_license_file(instance_payload(key("A" * 16)), [KEYS["signing-1"]])
    assert raised.value.code == "bad-content"


@pytest.mark.parametrize("names", [[], ["signing-1", "signing-1"], [*KEYS][:5]])
def test_no_too_many_or_equal_signers_are_refused(names: list[str]) -> None:
    with pytest.raises(DocumentError) as raised:
        build_license_file(instance_payload(MASTER), [KEYS[name] for name in names])
    assert raised.value.code == "bad-signature"


def test_a_file_that_would_be_too_large_is_not_built() -> None:
    features = [f"{number:03d}" + "F" * 253 for number in range(256)]
    keys = [key(letter * 16, KeyKind.ADD_ON, *features) for letter in "ABC"]
    with pytest.raises(DocumentError) as raised:
        build_license_file(instance_payload(MASTER, *keys), [KEYS["signing-1"]])
    assert raised.value.code == "too-large"


def test_inspection_needs_no_trust() -> None:
    inspected = inspect_license_file(sign(payload(3), ["stranger"]))
    assert len(inspected.payload.keys) == 3
    assert inspected.keyids == (KEYS["stranger"].public_key.keyid,)
    assert inspected.size > 0
    assert len(inspected.sha256) == 64


def test_inspection_refuses_what_is_no_license_file() -> None:
    with pytest.raises(DocumentError) as raised:
        inspect_license_file(b"{}")
    assert raised.value.code == "not-a-license"


def test_nothing_is_trusted_without_a_root() -> None:
    with pytest.raises(DocumentError) as raised:
        verify_license_file(SMALL_FILE, TrustStore(), now=CLOCK)
    assert raised.value.code == "signing-key-unknown"


def test_signatures_of_two_clouds_do_not_add_up() -> None:
    lab = establish_trust(trust_document("lab-root"), KEYS["lab-root"].public_key, is_lab=True)
    both = TrustStore((*TRUST.trusts, lab))
    verified = verify_license_file(SMALL_FILE, both, now=CLOCK)
    assert verified.trust_fingerprint == KEYS["root"].public_key.fingerprint


def test_the_first_failure_wins() -> None:
    data = sign(payload(serial=1, notBefore=NOW + 9999), ["revoked"])
    with pytest.raises(DocumentError) as raised:
        verify_license_file(data, TRUST, now=CLOCK, fingerprint="0" * 64, highest_serial=9)
    assert raised.value.code == "signing-key-revoked"


def test_a_clock_that_makes_no_sense_is_a_refusal_and_no_crash() -> None:
    with pytest.raises(DocumentError) as raised:
        verify_license_file(SMALL_FILE, TRUST, now=None)  # type: ignore[arg-type]
    assert raised.value.code == "bad-content"
    assert "bug" in raised.value.next_step


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "vault-license.bin"
    path.write_bytes(SMALL_FILE)
    assert read_license_file(path) == SMALL_FILE


def test_an_empty_and_a_too_large_file_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "vault-license.bin"
    for content, code in ((b"", "empty"), (b"{" * (ENVELOPE_SIZE_MAXIMUM + 1), "too-large")):
        path.write_bytes(content)
        with pytest.raises(DocumentError) as raised:
            read_license_file(path)
        assert raised.value.code == code


def test_a_pipe_a_folder_and_nothing_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, code in (("pipe", "unreadable"), (".", "unreadable"), ("none", "not-found")):
        with pytest.raises(FileError) as raised:
            read_license_file(tmp_path / name)
        assert raised.value.code == f"file-{code}"


def test_the_pre_authentication_encoding_is_that_of_the_dsse_protocol() -> None:
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pre_authentication_encoding("http://example.com/HelloWorld", b"hello world") == expected


def test_every_flipped_bit_is_refused() -> None:
    flips = 0
    for position in range(len(SMALL_FILE)):
        for bit in range(8):
            data = bytearray(SMALL_FILE)
            data[position] ^= 1 << bit
            assert refusal_of(bytes(data))
            flips += 1
    assert flips == 8 * len(SMALL_FILE)


def test_every_truncation_is_refused() -> None:
    assert {refusal_of(SMALL_FILE[:length]) for length in range(len(SMALL_FILE))} == {
        "empty",
        "not-a-license",
    }


@pytest.mark.parametrize("tail", [b"\0", b"\n", b" ", b"{}", SMALL_FILE])
def test_everything_appended_is_refused(tail: bytes) -> None:
    assert refusal_of(SMALL_FILE + tail) in {"not-a-license", "not-canonical"}


@given(st.binary(max_size=400))
def test_random_bytes_are_refused_and_never_crash_the_verifier(data: bytes) -> None:
    assert refusal_of(data) != "bad-content"


@settings(max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(sorted(payload())),
        st.recursive(
            st.none() | st.integers(-2, 2**60) | st.booleans() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        min_size=1,
    )
)
def test_signed_nonsense_is_refused_with_an_error_of_ours(changes: dict[str, object]) -> None:
    members = payload() | changes
    data = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if members == payload():
        return
    try:
        signed = sign(data.encode("utf-8"))
    except UnicodeEncodeError:
        return
    refusal = None
    try:
        verify_license_file(signed, TRUST, now=CLOCK)
    except DocumentError as error:
        refusal = error
    assert refusal is None or "bug" not in refusal.next_step


@given(
    st.lists(st.integers(0, 10**12 - 1), min_size=1, max_size=8, unique=True),
    st.integers(0, 2**53 - 1),
)
def test_whatever_is_built_verifies(numbers: list[int], serial: int) -> None:
    master, *add_ons = (f"KEYS{number:012d}" for number in numbers)
    keys = (key(master, KeyKind.MASTER), *(key(text) for text in add_ons))
    made = license_payload(ISSUER, serial, ISSUED, INSTANCE, FINGERPRINT, keys)
    data = build_license_file(made, [KEYS["signing-1"]])
    assert verify_license_file(data, TRUST, now=CLOCK).payload == made
