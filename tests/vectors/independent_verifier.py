"""A second verifier of the vectors: the openssl program and the standard library, nothing of ours.

Usage: independent_verifier.py VECTOR.json…; prints one line `name outcome` for each.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Value = Any

TYPE = "application/vnd.tui-licenses.%s.v1+json"
LIMIT = 2**53 - 1
SPKI = bytes.fromhex("302a300506032b6570032100")


class Refused(Exception):  # noqa: N818 - it is an outcome here
    pass


def need(condition: object, code: str) -> None:
    if not condition:
        raise Refused(code)


def unique(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    need(len({name for name, _ in pairs}) == len(pairs), "json")
    return dict(pairs)


def no_number(_: str) -> None:
    raise Refused("json")


def strings_in(value: Value, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        need(depth <= 4, "json")
        if isinstance(value, dict):
            yield from value
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings_in(item, depth + 1)
    elif isinstance(value, int) and not isinstance(value, bool):
        need(0 <= value <= LIMIT, "json")


def parse(data: bytes, code: str, longest: int) -> Value:
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=unique,
            parse_float=no_number,
            parse_constant=no_number,
        )
        for text in strings_in(value):
            need(len(text) <= longest and unicodedata.normalize("NFC", text) == text, "json")
            need(not any(unicodedata.category(c) in ("Cc", "Cs") for c in text), "json")
    except (ValueError, RecursionError, Refused):
        raise Refused(code) from None
    return value


def canonical(value: Value) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def unbase64(text: Value, code: str) -> bytes:
    need(isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", text), code)
    need(len(text) % 4 == 0, code)
    return base64.b64decode(text)


def envelope(data: bytes, kind: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    code = {"trust": "not-a-trust-document"}.get(kind, "not-a-" + kind)
    need(data, "empty")
    need(len(data) <= 256 * 1024, "too-large")
    value = parse(data, code, 256 * 1024)
    need(isinstance(value, dict), code)
    need(set(value) == {"payload", "payloadType", "signatures"}, code)
    need(isinstance(value["payloadType"], str), code)
    need(isinstance(value["signatures"], list) and 1 <= len(value["signatures"]) <= 4, code)
    signatures = []
    again = []
    for entry in value["signatures"]:
        need(isinstance(entry, dict) and set(entry) == {"keyid", "sig"}, code)
        need(re.fullmatch("[0-9a-f]{16}", str(entry["keyid"])), code)
        raw = unbase64(entry["sig"], code)
        need(len(raw) == 64, code)
        signatures.append((entry["keyid"], raw))
        again.append({"keyid": entry["keyid"], "sig": base64.b64encode(raw).decode()})
    payload = unbase64(value["payload"], code)
    encoded = base64.b64encode(payload).decode()
    whole = {"payload": encoded, "payloadType": value["payloadType"], "signatures": again}
    need(canonical(whole) == data, "not-canonical")
    need(value["payloadType"] == TYPE % kind, "unsupported-version")
    return payload, signatures


def openssl_accepts(key: bytes, signature: bytes, message: bytes) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("key.der", "signature", "message")]
        for path, data in zip(paths, (SPKI + key, signature, message), strict=True):
            path.write_bytes(data)
        command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER"]
        command += ["-inkey", str(paths[0]), "-sigfile", str(paths[1]), "-in", str(paths[2])]
        return subprocess.run(command, capture_output=True).returncode == 0


def message_of(kind: str, payload: bytes) -> bytes:
    name = (TYPE % kind).encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def trusted_by(document: bytes, root: bytes) -> Value:
    payload, signatures = envelope(document, "trust")
    content = parse(payload, "bad-content", 256)
    need(canonical(content) == payload, "not-canonical")
    need(isinstance(content, dict) and content.get("format") == "tui-licenses.trust", "bad-content")
    keyid = hashlib.sha256(root).hexdigest()[:16]
    need([name for name, _ in signatures] == [keyid], "signing-key-unknown")
    message = message_of("trust", payload)
    need(openssl_accepts(root, signatures[0][1], message), "bad-signature")
    return content


def check_keys(
    kind: str, signatures: list[tuple[str, bytes]], trust: Value, issued: int | None
) -> Value:
    known = {key["keyid"]: key for key in trust["keys"]}
    for keyid, _ in signatures:
        need(keyid in known, "signing-key-unknown")
        key = known[keyid]
        need(key["status"] != "revoked", "signing-key-revoked")
        need(TYPE % kind in key["types"], "signing-key-unknown")
        if issued is not None:
            need(issued >= key["notBefore"], "signing-key-unknown")
            late = key["retireAfter"] is not None and issued > key["retireAfter"]
            need(not late, "signing-key-retired")
    return known


def check_number(value: Value, optional: bool = False) -> None:
    need(type(value) is int or (optional and value is None), "bad-content")


def check_members(value: Value, names: str) -> None:
    need(isinstance(value, dict) and set(value) == set(names.split()), "bad-content")


def check_license(content: Value) -> None:
    check_members(
        content,
        "format version issuer serial issued notBefore fileExpires instance keys critical",
    )
    need(content["format"] == "tui-licenses.license", "bad-content")
    need(type(content["version"]) is int and content["version"] == 1, "bad-content")
    need(content["critical"] == [] and content["issuer"], "bad-content")
    need(isinstance(content["issuer"], str), "bad-content")
    for name in ("serial", "issued", "notBefore"):
        check_number(content[name])
    check_number(content["fileExpires"], optional=True)
    check_members(content["instance"], "id fingerprint")
    need(content["instance"]["id"], "bad-content")
    need(re.fullmatch("[0-9a-f]{64}", content["instance"]["fingerprint"]), "bad-content")
    keys = content["keys"]
    need(isinstance(keys, list) and 1 <= len(keys) <= 1000, "bad-content")
    for key in keys:
        check_key(key)
    need([key["kind"] for key in keys] == ["master"] + ["addOn"] * (len(keys) - 1), "bad-content")
    names = [key["key"] for key in keys[1:]]
    need(names == sorted(set(names)) and keys[0]["key"] not in names, "bad-content")


def check_key(key: Value) -> None:
    check_members(key, "key kind product features validFrom validTo terminates")
    need(re.fullmatch("[A-Z0-9]{16}", str(key["key"])) and key["product"], "bad-content")
    check_number(key["validFrom"])
    check_number(key["validTo"], optional=True)
    check_number(key["terminates"], optional=True)
    need(len(key["features"]) <= 256, "bad-content")
    for feature in key["features"]:
        check_members(feature, "code quantity")
        check_number(feature["quantity"], optional=True)
    codes = [feature["code"] for feature in key["features"]]
    need(codes == sorted(set(codes)), "bad-content")


def check_manifest(content: Value) -> None:
    check_members(content, "format version issuer issued instance serial files critical")
    for entry in content["files"]:
        check_members(entry, "kind name size sha256")


def verify(vector: Value) -> None:
    source = vector["document"]
    if "base64" in source:
        data = base64.b64decode(source["base64"])
    else:
        data = source["repeat"].encode() * source["times"]
    root = bytes.fromhex(vector["rootKey"])
    kind = vector["kind"]
    if kind == "trust":
        trusted_by(data, root)
        return
    trust = trusted_by(vector["trust"].encode(), root)
    payload, signatures = envelope(data, kind)
    try:
        content, failure = parse(payload, "bad-content", 256), None
    except Refused as refused:
        content, failure = None, refused
    issued = content.get("issued") if isinstance(content, dict) else None
    known = check_keys(kind, signatures, trust, issued)
    need(len({keyid for keyid, _ in signatures}) == len(signatures), "bad-signature")
    need(len(signatures) >= trust["threshold"], "bad-signature")
    for keyid, signature in signatures:
        key = bytes.fromhex(known[keyid]["key"])
        need(openssl_accepts(key, signature, message_of(kind, payload)), "bad-signature")
    if failure:
        raise failure
    need(canonical(content) == payload, "not-canonical")
    (check_license if kind == "license" else check_manifest)(content)
    if kind == "license":
        check_rest(content, vector)


def check_rest(content: Value, vector: Value) -> None:
    now, expires = vector["now"], content["fileExpires"]
    need(max(content["notBefore"], content["issued"]) <= now + 300, "not-yet-valid")
    need(expires is None or expires >= now - 300, "file-expired")
    wanted = vector["fingerprint"]
    need(wanted in (None, content["instance"]["fingerprint"]), "wrong-instance")
    need(
        vector["highestSerial"] is None or content["serial"] >= vector["highestSerial"], "rollback"
    )


for path in sys.argv[1:]:
    vector = json.loads(Path(path).read_text(encoding="utf-8"))
    try:
        verify(vector)
        print(vector["name"], "valid")
    except Refused as refused:
        print(vector["name"], refused)
