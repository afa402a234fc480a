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
from tui_licenses.documents.envelope import TRUST, open_envelope
from tui_licenses.documents.signing import import_public_key
from tui_licenses.errors import TuiLicensesError
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
    add_root()
    (file,) = paths.trust_folder().iterdir()
    stored = msgspec.json.decode(file.read_bytes())
    stored |= {"root": key.hex(), "checksum": ""}
    stored["checksum"] = hashlib.sha256(msgspec.json.encode(stored)).hexdigest()
    planted = file.with_name(f"{hashlib.sha256(key).hexdigest()}.json")
    try:
        file.rename(planted)
        planted.write_bytes(msgspec.json.encode(stored))
        trust_store.stored_trusts()
    finally:
        planted.unlink()


def _try(run: Run, entrances: tuple[Callable[[bytes], None], ...]) -> None:
    for key in _KEYS:
        for entrance in entrances:
            what = f"{entrance.__name__.strip('_')}: {key.hex()}"
            with run.case(what, TuiLicensesError):
                entrance(key)
                run.report(Broken.FORGED, what)
            run.disturb()


def _run(run: Run) -> None:
    _try(run, (_imported, _listed, _planted))
    import_public_key(KEYS["root"].public_key.raw)


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
