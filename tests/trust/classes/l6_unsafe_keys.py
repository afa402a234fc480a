"""L6: public keys with which anybody can sign, or that are none, are refused at every entrance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import msgspec

from tests.support.signed_documents import add_root
from tests.trust.harness import Broken, Run, TrustClass
from tests.vectors.materials import KEYS, sign, trust_document
from tui_licenses import paths
from tui_licenses.documents.canonical import encode_canonical
from tui_licenses.documents.envelope import (
    TRUST,
    TRUST_TYPE,
    Envelope,
    Signature,
    open_envelope,
    pre_authentication_encoding,
)
from tui_licenses.documents.signing import SIGNATURE_BYTES, PublicKey, import_public_key
from tui_licenses.errors import DocumentError, FileError, TuiLicensesError
from tui_licenses.service import trust_store

_PRIME = 2**255 - 19
_SIGN = 1 << 255
_ORDER_8 = tuple(
    int.from_bytes(bytes.fromhex(text), "little")
    for text in (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)
# Small order, with either sign and in the second way of writing them where there is one.
_SMALL = (
    *(number + sign for number in (0, 1, _PRIME - 1, _PRIME, _PRIME + 1) for sign in (0, _SIGN)),
    *(number + sign for number in _ORDER_8 for sign in (0, _SIGN)),
)
# Written in a second way, and no point at all.
_OTHERS = (_PRIME + 3, _PRIME + 18, _SIGN + _PRIME + 5, 2, 7)
_LENGTHS = (b"", b"\x05" * 31, b"\x05" * 33)
_KEYS = (*(number.to_bytes(32, "little") for number in (*_SMALL, *_OTHERS)), *_LENGTHS)


# A key like any other: what refuses it too proves nothing.
_GOOD = KEYS["stranger"]
_MESSAGES_MAXIMUM = 200


def _imported(key: bytes) -> None:
    import_public_key(key)


def _listed(key: bytes) -> None:
    """Let a trusted root list a key, as a cloud that was taken over would."""
    members = json.loads(open_envelope(trust_document(revision=2), TRUST).payload)
    keyid = hashlib.sha256(key).hexdigest()[:16]
    members["keys"][0] |= {"key": key.hex(), "keyid": keyid}
    add_root(sign(members, ["root"], TRUST))


def _planted(key: bytes) -> None:
    """Put a stored root with this key into the trust store, with everything else in order."""
    add_root(trust_document(revision=2))
    (file,) = paths.trust_folder().iterdir()
    stored = msgspec.json.decode(file.read_bytes())
    stored |= {"root": key.hex(), "documents": [_signed_by(key).decode()], "checksum": ""}
    stored["checksum"] = hashlib.sha256(msgspec.json.encode(stored)).hexdigest()
    planted = file.rename(file.with_name(f"{hashlib.sha256(key).hexdigest()}.json"))
    planted.write_bytes(msgspec.json.encode(stored))
    try:
        trust_store.stored_trusts()
    except FileError as error:
        # It says that the file is damaged; by what, the error before it says.
        if error.code == "file-damaged" and isinstance(error.__cause__, DocumentError):
            raise error.__cause__ from error
        raise


def _signed_by(key: bytes) -> bytes:
    """Return a trust document of a good root that `key`, the root before it, has signed too."""
    members = json.loads(open_envelope(trust_document(revision=2), TRUST).payload)
    for issued in range(_MESSAGES_MAXIMUM):
        payload = encode_canonical(members | {"issued": issued})
        message = pre_authentication_encoding(TRUST_TYPE, payload)
        value = _signature(key, message)
        if value is not None:
            before = Signature(hashlib.sha256(key).hexdigest()[:16], value)
            root = Signature(KEYS["root"].public_key.keyid, KEYS["root"].sign(message))
            return Envelope(payload, TRUST_TYPE, (root, before)).encode()
    raise LookupError(f"no message is signed by {key.hex()}")


def _signature(key: bytes, message: bytes) -> bytes | None:
    """Return the signature of the good key, or one that nobody made and that holds all the same.

    With a key of small order that is a point of small order and the number zero, for every second
    message or so. With the other keys nobody can sign: what tells is why they are refused.
    """
    if key == _GOOD.public_key.raw:
        return _GOOD.sign(message)
    small = [number.to_bytes(32, "little") for number in _SMALL]
    if key not in small:
        return bytes(SIGNATURE_BYTES)
    made = (point + bytes(32) for point in small)
    return next((each for each in made if PublicKey(key).is_signature(each, message)), None)


_Entrance = Callable[[bytes], None]


def _refusal_of(entrance: _Entrance, key: bytes) -> str | None:
    """Return the code a key is refused with; None where it is accepted. Nothing is trusted then."""
    try:
        entrance(key)
    except TuiLicensesError as error:
        return error.code
    finally:
        for file in paths.trust_folder().glob("*.json"):
            file.unlink()
    return None


def _try(run: Run, entrance: _Entrance, code_of_a_length: str = "bad-public-key") -> None:
    name = entrance.__name__.strip("_")
    with run.case(name):
        code = _refusal_of(entrance, _GOOD.public_key.raw)
        run.expect(code is None, Broken.OTHER, f"{name}: a good key is refused, {code}")
    for key in _KEYS:
        what = f"{name}: {key.hex()}"
        expected = code_of_a_length if key in _LENGTHS else "bad-public-key"
        with run.case(what):
            code = _refusal_of(entrance, key)
            run.expect(code is not None, Broken.FORGED, what)
            run.expect(code in {None, expected}, Broken.OTHER, f"{what}: {code}, not {expected}")
        run.disturb()


def _run(run: Run) -> None:
    _try(run, _imported)
    # Where a key stands as text, its length is looked at before the key is.
    _try(run, _listed, "bad-content")
    _try(run, _planted)


def _control(run: Run) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    # What nobody signed: the point of the key itself and the number zero.
    for key in _KEYS:
        run.disturb()
        with run.case(key.hex(), ValueError, InvalidSignature):
            identity = (1).to_bytes(32, "little")
            Ed25519PublicKey.from_public_bytes(key).verify(identity + bytes(32), b"any message")
            run.report(Broken.FORGED, f"{key.hex()} verifies what nobody signed")


CLASS = TrustClass("L6", "public keys that anybody can sign with", 20, _run, _control)
