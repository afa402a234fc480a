"""The vectors that every verifier has to refuse, three or more for each error."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from tests.vectors.invalid_others import invalid_certificate_vectors, invalid_trust_vectors
from tests.vectors.materials import (
    DAY,
    FINGERPRINT,
    INSTANCE,
    NOW,
    RETIRED,
    Vector,
    licensed_key,
    payload,
    sign,
    trust_document,
)
from tests.vectors.valid import manifest
from tui_licenses.documents.canonical import encode_canonical
from tui_licenses.documents.envelope import ENVELOPE_SIZE_MAXIMUM, MANIFEST, TRUST, DocumentKind


def invalid_vectors() -> Iterator[Vector]:
    """Yield them, in the order of the checks."""
    yield from _sizes()
    yield from _shapes()
    yield from _not_canonical()
    yield from _types()
    yield from _untrusted()
    yield from _retired_and_revoked()
    yield from _signatures()
    yield from _contents()
    yield from _times()
    yield from _instances_and_serials()
    yield from invalid_trust_vectors()
    yield from invalid_certificate_vectors()


def _sizes() -> Iterator[Vector]:
    for kind in ("license", "manifest", "trust"):
        yield Vector(f"empty-{kind}", "empty", b"", kind=kind)
        data = b"{" * (ENVELOPE_SIZE_MAXIMUM + 1)
        yield Vector(f"too-large-{kind}", "too-large", data, kind=kind)


def _shapes() -> Iterator[Vector]:
    good = sign(payload())
    members = json.loads(good)
    for kind in ("license", "manifest", "trust"):
        code = {"trust": "not-a-trust-document"}.get(kind, f"not-a-{kind}")
        for name, data in (
            ("binary", bytes(range(256))),
            ("page", b"<!DOCTYPE html><title>Sign in</title>"),
            ("list", b"[]"),
            ("truncated", good[:-1]),
        ):
            yield Vector(f"{code}-{name}", code, data, kind=kind)
    for name, data in (
        ("extra-member", encode_canonical(members | {"more": "1"})),
        ("no-signature", encode_canonical(members | {"signatures": []})),
        ("five-signatures", encode_canonical(members | {"signatures": members["signatures"] * 5})),
        ("duplicate-name", good.replace(b'{"payload":', b'{"payload":"",  "payload":', 1)),
        ("short-signature", good.replace(b'=="}]}', b'"}]}')),
        ("url-safe-base64", encode_canonical(members | {"payload": "-_-_"})),
        ("upper-case-keyid", good.replace(_keyid(good), _keyid(good).upper())),
        ("byte-order-mark", b"\xef\xbb\xbf" + good),
        ("deep", b'{"payload":' + b"[" * 2000 + b"]" * 2000 + b"}"),
        ("float", b'{"payload":1.0}'),
    ):
        yield Vector(f"not-a-license-{name}", "not-a-license", data)


def _keyid(data: bytes) -> bytes:
    keyid: str = json.loads(data)["signatures"][0]["keyid"]
    return keyid.encode()


def _not_canonical() -> Iterator[Vector]:
    good = sign(payload())
    members = json.loads(good)
    for name, data in (
        ("newline", good + b"\n"),
        ("spaces", json.dumps(members, sort_keys=True).encode()),
        ("order", json.dumps(dict(reversed(members.items())), separators=(",", ":")).encode()),
        ("escape", good.replace(b"application", b"\\u0061pplication")),
        ("base64-slack", _with_slack(good)),
        ("payload-spaces", sign(json.dumps(payload(), sort_keys=True).encode())),
        ("payload-newline", sign(encode_canonical(payload()) + b"\n")),
    ):
        yield Vector(f"not-canonical-{name}", "not-canonical", data)


def _with_slack(good: bytes) -> bytes:
    """Return the same signature with other unused bits in its last base64 character."""
    at = good.index(b'=="}]}') - 1
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return good[:at] + bytes([alphabet[alphabet.index(good[at]) + 1]]) + good[at + 1 :]


def _types() -> Iterator[Vector]:
    for name, payload_type in (
        ("v2", "application/vnd.tui-licenses.license.v2+json"),
        ("encrypted", "application/vnd.tui-licenses.license.v1+hpke"),
        ("foreign", "application/vnd.in-toto+json"),
        ("certificate", "application/vnd.tui-licenses.certificate.v1+json"),
    ):
        kind = DocumentKind(payload_type, "other", "other")
        yield Vector(
            f"unsupported-version-{name}", "unsupported-version", sign(payload(), kind=kind)
        )
    yield Vector("unsupported-version-manifest", "unsupported-version", manifest())
    yield Vector("unsupported-version-trust", "unsupported-version", trust_document())


def _untrusted() -> Iterator[Vector]:
    for name, signers in (
        ("stranger", ["stranger"]),
        ("stranger-second", ["signing-1", "stranger"]),
        ("root", ["root"]),
        ("wrong-type", ["manifest-only"]),
        ("before-its-time", ["later"]),
    ):
        yield Vector(f"signing-key-unknown-{name}", "signing-key-unknown", sign(payload(), signers))
    yield Vector(
        "signing-key-unknown-trust",
        "signing-key-unknown",
        trust_document("lab-root"),
        kind="trust",
    )


def _retired_and_revoked() -> Iterator[Vector]:
    for name, issued, signers in (
        ("a-second-late", RETIRED + 1, ["retired"]),
        ("today", NOW, ["retired"]),
        ("beside-a-good-one", NOW, ["signing-1", "retired"]),
    ):
        document = sign(payload(issued=issued, notBefore=0), signers)
        yield Vector(f"signing-key-retired-{name}", "signing-key-retired", document)
    for name, issued, signers in (
        ("today", NOW, ["revoked"]),
        ("long-ago", 1, ["revoked"]),
        ("beside-a-good-one", NOW, ["signing-1", "revoked"]),
    ):
        document = sign(payload(issued=issued, notBefore=0), signers)
        yield Vector(f"signing-key-revoked-{name}", "signing-key-revoked", document)


def _signatures() -> Iterator[Vector]:
    good, other = json.loads(sign(payload())), json.loads(sign(payload(serial=8)))
    zero = base64.b64encode(bytes(64)).decode()
    signature = good["signatures"][0]
    swapped = sign(payload(), kind=DocumentKind(MANIFEST.payload_type, "other", "other"))
    for name, members in (
        ("other-payload", good | {"payload": other["payload"]}),
        ("zero", good | {"signatures": [signature | {"sig": zero}]}),
        ("other-type", json.loads(swapped) | {"payloadType": good["payloadType"]}),
        ("twice", good | {"signatures": [signature, signature]}),
        ("second-false", good | {"signatures": [signature, _false_second()]}),
        ("malleable", good | {"signatures": [signature | {"sig": _plus_order(signature["sig"])}]}),
    ):
        yield Vector(f"bad-signature-{name}", "bad-signature", encode_canonical(members))
    yield Vector(
        "bad-signature-below-the-threshold",
        "bad-signature",
        sign(payload()),
        trust=(trust_document(threshold=2),),
    )
    forged = json.loads(trust_document()) | {
        "signatures": [json.loads(trust_document())["signatures"][0] | {"sig": zero}]
    }
    yield Vector("bad-signature-trust", "bad-signature", encode_canonical(forged), kind="trust")


def _false_second() -> dict[str, str]:
    second: dict[str, str] = json.loads(sign(payload(serial=9), ["signing-2"]))["signatures"][0]
    return second


def _plus_order(text: str) -> str:
    """Return a signature whose second half has the order of the group added to it."""
    raw = base64.b64decode(text)
    order = 2**252 + 27742317777372353535851937790883648493
    number = int.from_bytes(raw[32:], "little") + order
    return base64.b64encode(raw[:32] + number.to_bytes(32, "little")).decode()


def _contents() -> Iterator[Vector]:
    master, add_on = licensed_key(0), licensed_key(1)
    wide = licensed_key(0, [(f"{number:03d}", None) for number in range(257)])
    changes: dict[str, dict[str, Any]] = {
        "critical": {"critical": ["geofence"]},
        "unknown-member": {"extra": 1},
        "version": {"version": 2},
        "format": {"format": "tui-licenses.manifest"},
        "no-keys": {"keys": []},
        "two-masters": {"keys": [master, licensed_key(1) | {"kind": "master"}]},
        "add-on-first": {"keys": [add_on, master]},
        "unsorted": {"keys": [master, licensed_key(2), add_on]},
        "key-twice": {"keys": [master, add_on, add_on]},
        "features-unsorted": {"keys": [licensed_key(0, [("B", None), ("A", None)])]},
        "feature-twice": {"keys": [licensed_key(0, [("A", None), ("A", 1)])]},
        "too-many-features": {"keys": [wide]},
        "too-many-keys": {"keys": [licensed_key(number) for number in range(1001)]},
        "key-text": {"keys": [master | {"key": "abcd"}]},
        "negative": {"serial": -1},
        "too-large-number": {"serial": 2**53},
        "boolean": {"serial": True},
        "number-as-text": {"serial": "7"},
        "instance-text": {"instance": INSTANCE},
        "fingerprint": {"instance": {"id": INSTANCE, "fingerprint": FINGERPRINT.upper()}},
        "deep": {"critical": [[[[[[]]]]]]},
        "control-character": {"issuer": "a\u001bb"},
        "not-nfc": {"issuer": "e\u0301"},
        "long-text": {"issuer": "I" * 257},
        "empty-text": {"issuer": ""},
    }
    for name, change in changes.items():
        yield Vector(f"bad-content-{name}", "bad-content", sign(payload(**change)))
    encoded = encode_canonical(payload())
    for name, data in (
        ("float", encoded.replace(b'"serial":7', b'"serial":7.0')),
        ("nan", encoded.replace(b'"serial":7', b'"serial":NaN')),
        ("duplicate-name", encoded.replace(b'"serial":7', b'"serial":6,"serial":7')),
        ("missing-member", encoded.replace(b',"serial":7', b"")),
        ("utf-16", encoded.decode().encode("utf-16")),
        ("not-json", b"7 keys"),
        ("list", b"[]"),
        ("surrogate", encoded.replace(b'"serial":7', b'"serial":"\\ud800"')),
    ):
        yield Vector(f"bad-content-{name}", "bad-content", sign(data))
    yield Vector("bad-content-manifest", "bad-content", sign(b"{}", kind=MANIFEST), kind="manifest")
    yield Vector(
        "bad-content-trust", "bad-content", sign(b"{}", ["root"], kind=TRUST), kind="trust"
    )


def _times() -> Iterator[Vector]:
    for name, change in (
        ("a-second-early", {"notBefore": NOW + 301}),
        ("next-year", {"notBefore": NOW + 365 * DAY}),
        ("issued-tomorrow", {"issued": NOW + DAY}),
    ):
        yield Vector(f"not-yet-valid-{name}", "not-yet-valid", sign(payload(**change)))
    for name, expires in (("a-second-late", NOW - 301), ("yesterday", NOW - DAY), ("long-ago", 0)):
        yield Vector(f"file-expired-{name}", "file-expired", sign(payload(fileExpires=expires)))


def _instances_and_serials() -> Iterator[Vector]:
    other = "0" * 64
    for name, fingerprint in (
        ("other", other),
        ("last-digit", FINGERPRINT[:-1] + ("0" if FINGERPRINT[-1] != "0" else "1")),
        ("upper-case", FINGERPRINT.upper()),
    ):
        yield Vector(
            f"wrong-instance-{name}", "wrong-instance", sign(payload()), fingerprint=fingerprint
        )
    for name, serial, highest in (("by-one", 7, 8), ("to-zero", 0, 1), ("far", 7, 2**53 - 1)):
        yield Vector(
            f"rollback-{name}",
            "rollback",
            sign(payload(serial=serial)),
            fingerprint=FINGERPRINT,
            highest_serial=highest,
        )
