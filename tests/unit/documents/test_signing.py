"""Keys: kept private, imported with care."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_licenses.documents.signing import PublicKey, SigningKey, import_public_key
from tui_licenses.errors import DocumentError, FileError

PRIME = 2**255 - 19
# RFC 8032, section 7.1, test 2.
RFC_SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
RFC_PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
RFC_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
ORDER_EIGHT = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
OTHER_ORDER_EIGHT = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"


def encoded(y: int, sign: int = 0) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


SMALL = {
    "the identity": encoded(1),
    "the identity with a sign": encoded(1, 1),
    "order two": encoded(PRIME - 1),
    "order two with a sign": encoded(PRIME - 1, 1),
    "order four": encoded(0),
    "order four with a sign": encoded(0, 1),
    "order eight": bytes.fromhex(ORDER_EIGHT),
    "order eight with a sign": bytes.fromhex(ORDER_EIGHT[:-2] + "85"),
    "the other of order eight": bytes.fromhex(OTHER_ORDER_EIGHT),
    "the other of order eight with a sign": bytes.fromhex(OTHER_ORDER_EIGHT[:-2] + "fa"),
}
NOT_CANONICAL = {f"p+{y}": encoded(PRIME + y, sign) for y in range(19) for sign in (0, 1)}


def test_a_key_signs_as_the_standard_says() -> None:
    key = SigningKey(RFC_SEED)
    assert key.public_key.raw == RFC_PUBLIC
    assert key.sign(b"\x72") == RFC_SIGNATURE
    assert key.public_key.is_signature(RFC_SIGNATURE, b"\x72")
    assert not key.public_key.is_signature(RFC_SIGNATURE, b"\x73")


def test_a_keyid_is_the_start_of_the_fingerprint() -> None:
    key = PublicKey(RFC_PUBLIC)
    assert key.keyid == key.fingerprint[:16]
    assert len(key.fingerprint) == 64


def test_generated_keys_differ_and_can_be_imported() -> None:
    one, other = SigningKey.generate(), SigningKey.generate()
    assert one.seed != other.seed
    assert import_public_key(one.public_key.raw) == one.public_key


def test_a_seed_never_shows_in_a_representation() -> None:
    key = SigningKey(RFC_SEED)
    assert RFC_SEED.hex() not in repr(key)
    assert str(RFC_SEED) not in repr(key)


def test_a_saved_key_is_private_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    SigningKey(RFC_SEED).save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKey.load(path) == SigningKey(RFC_SEED)


def test_a_saved_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    SigningKey(RFC_SEED).save(path)
    with pytest.raises(FileError) as raised:
        SigningKey.generate().save(path)
    assert raised.value.code == "file-exists"
    assert SigningKey.load(path).seed == RFC_SEED


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    SigningKey(RFC_SEED).save(path)
    path.chmod(0o644)
    with pytest.raises(FileError) as raised:
        SigningKey.load(path)
    assert raised.value.code == "file-not-private"


@pytest.mark.parametrize("content", [b"", b"no key", b"00" * 31, b"00" * 33, b"\xff" * 64])
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "signing.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(DocumentError) as raised:
        SigningKey.load(path)
    assert raised.value.code == "bad-signing-key"


@pytest.mark.parametrize("raw", SMALL.values(), ids=SMALL.keys())
def test_a_public_key_of_small_order_is_refused(raw: bytes) -> None:
    with pytest.raises(DocumentError) as raised:
        import_public_key(raw)
    assert raised.value.code == "bad-public-key"


@pytest.mark.parametrize("raw", NOT_CANONICAL.values(), ids=NOT_CANONICAL.keys())
def test_a_public_key_in_another_encoding_is_refused(raw: bytes) -> None:
    with pytest.raises(DocumentError):
        import_public_key(raw)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_public_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(DocumentError):
        import_public_key(RFC_PUBLIC[:1] * length)


def test_bytes_that_are_no_point_are_refused() -> None:
    with pytest.raises(DocumentError):
        import_public_key(encoded(2))


@given(st.binary(min_size=32, max_size=32))
def test_every_real_public_key_can_be_imported(seed: bytes) -> None:
    key = SigningKey(seed).public_key
    assert import_public_key(key.raw) == key
