#!/usr/bin/env python3
"""Verify a signed document of tui-licenses: the openssl program and the standard library, no more.

Prints `valid`, or the code of the first check that fails (docs/license-file.md).
"""

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
import unicodedata
from pathlib import Path
from typing import Any

Value = Any

TYPE = "application/vnd.tui-licenses.%s.v1+json"
SHAPE = {
    "license": "not-a-license",
    "manifest": "not-a-manifest",
    "trust": "not-a-trust-document",
    "certificate": "not-a-certificate-code",
}
PRIME = 2**255 - 19
# The y of the points of order 1, 2, 4 and 8: with such a key anybody can sign.
WEAK = {0, 1, PRIME - 1} | {
    int.from_bytes(bytes.fromhex(text), "little")
    for text in (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
}


def need(condition: object, code: str = "bad-content") -> None:
    """End with an error unless a condition holds."""
    if not condition:
        raise SystemExit(code)


def canonical(value: Value) -> bytes:
    """Return the one form of a value: names sorted by code point, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def is_strict(value: Value, longest: int, depth: int = 0) -> bool:
    """Say whether a value keeps the limits of text, depth and numbers."""
    if isinstance(value, str):
        controls = any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value)
        is_normal = unicodedata.is_normalized("NFC", value)
        return len(value) <= longest and is_normal and not controls
    if isinstance(value, dict):
        if not all(is_strict(name, 256) for name in value):
            return False
        value = list(value.values())
    if isinstance(value, list):
        return depth <= 4 and all(is_strict(item, longest, depth + 1) for item in value)
    return not isinstance(value, float) and (value is None or 0 <= value < 2**53)


def unique(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    """Return the members of an object, having refused a name that occurs twice."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)


def natural(digits: str) -> int:
    """Return a number that is not negative, not even as -0."""
    if digits.startswith("-"):
        raise ValueError
    return int(digits)


def parse(data: bytes, code: str, longest: int = 256) -> Value:
    """Return the value of strict JSON."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_int=natural)
    except (ValueError, RecursionError):
        raise SystemExit(code) from None
    need(is_strict(value, longest), code)
    return value


def unpack(data: bytes, kind: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Return payload and signatures of an envelope, of which nothing is proven (checks 1 to 4)."""
    code = SHAPE[kind]
    need(data, "empty")
    need(len(data) <= 256 * 1024, "too-large")
    value = parse(data, code, 256 * 1024)
    need(isinstance(value, dict) and value.keys() == {"payload", "payloadType", "signatures"}, code)
    entries = value["signatures"]
    need(isinstance(entries, list) and 1 <= len(entries) <= 4, code)
    for entry in entries:
        need(isinstance(entry, dict) and entry.keys() == {"keyid", "sig"}, code)
        need(re.fullmatch("[0-9a-f]{16}", str(entry["keyid"])), code)
    texts = [value["payload"], *(entry["sig"] for entry in entries)]
    try:
        raw = [base64.b64decode(text.encode("ascii"), validate=True) for text in texts]
    except (AttributeError, ValueError):
        raise SystemExit(code) from None
    need(isinstance(value["payloadType"], str) and all(len(each) == 64 for each in raw[1:]), code)
    same = [base64.b64encode(each).decode() for each in raw] == texts
    need(same and canonical(value) == data, "not-canonical")
    need(value["payloadType"] == TYPE % kind, "unsupported-version")
    return raw[0], [(entry["keyid"], each) for entry, each in zip(entries, raw[1:], strict=True)]


def unpack_code(data: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Return payload and signature of a certificate code."""
    compact = "".join(data.decode("utf-8", errors="replace")[:8192].split())
    need(len(compact) <= 4096, "too-large")
    parts = re.fullmatch(r"TLC1\.([0-9a-f]{16})\.([\w-]+)\.([\w-]{86})", compact, re.ASCII)
    need(parts, SHAPE["certificate"])
    raw = []
    for text in parts.groups()[1:] if parts else ():
        need(len(text) % 4 != 1, "not-canonical")
        raw.append(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        need(base64.urlsafe_b64encode(raw[-1]).decode().rstrip("=") == text, "not-canonical")
    return raw[0], [(parts[1] if parts else "", raw[1])]


def is_signed(key: bytes, signature: bytes, kind: str, payload: bytes) -> bool:
    """Ask openssl whether a key signed the DSSE pre-authentication encoding of a payload."""
    name = (TYPE % kind).encode()
    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/{each}" for each in ("key", "signature", "message")]
        message = b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)
        header = bytes.fromhex("302a300506032b6570032100")
        for path, data in zip(files, (header + key, signature, message), strict=True):
            Path(path).write_bytes(data)
        command = "openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey {} -sigfile {} -in {}"
        done = subprocess.run(command.format(*files).split(), capture_output=True, check=False)
    return done.returncode == 0


def keyid_of(key: str) -> str:
    """Return the key id of a public key in hex, having refused keys that anybody can sign with."""
    need(re.fullmatch("[0-9a-f]{64}", key))
    y = int.from_bytes(bytes.fromhex(key), "little") % 2**255
    need(y < PRIME and y not in WEAK, "bad-public-key")
    return hashlib.sha256(bytes.fromhex(key)).hexdigest()[:16]


def shape(value: Value, kind: str, names: str) -> None:
    """Check the members that all payloads have, and that there are no others than `names`."""
    common = {"format", "version", "issuer", "issued", "critical"}
    need(isinstance(value, dict) and value.keys() == common | set(names.split()))
    need(value["format"] == f"tui-licenses.{kind}" and value["critical"] == [])
    need(type(value["version"]) is int and value["version"] == 1 and is_number(value["issued"]))
    need(is_text(value["issuer"]))


def is_text(value: Value, pattern: str = "(?s).+") -> bool:
    """Say whether a value is a text of a form."""
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def is_number(value: Value, *others: None) -> bool:
    """Say whether a value is a number, or null where that is allowed."""
    return type(value) is int or value in others


def follow(chain: list[bytes], root: str) -> Value:
    """Return the last document of a chain of trust documents that starts at a root key."""
    roots, trust, before = {keyid_of(root): root}, None, b""
    for document in chain:
        if document == before:
            continue
        payload, signatures = unpack(document, "trust")
        following = parse(payload, "bad-content")
        need(canonical(following) == payload, "not-canonical")
        shape(following, "trust", "revision threshold roots keys")
        new = {keyid_of(each["key"]): each["key"] for each in following["roots"]}
        need([*new] == [each["keyid"] for each in following["roots"]])
        for each in following["keys"]:
            need(keyid_of(each["key"]) == each["keyid"])
        by = {keyid for keyid, _ in signatures}
        need(by <= roots.keys() | new.keys() and by & roots.keys(), "signing-key-unknown")
        need(by & new.keys(), "bad-signature")
        for keyid, signature in signatures:
            key = bytes.fromhex((roots | new)[keyid])
            need(is_signed(key, signature, "trust", payload), "bad-signature")
        if trust:
            need(following["issuer"] == trust["issuer"])
            need(following["revision"] > trust["revision"], "rollback")
            need(following["revision"] == trust["revision"] + 1, "trust-step-missing")
        roots, trust, before = new, following, document
    return trust


def check_keys(
    kind: str, signatures: list[tuple[str, bytes]], trust: Value, payload: bytes
) -> Value:
    """Return the content of a payload that trusted keys have signed (checks 5 to 7)."""
    try:
        content, malformed = parse(payload, "bad-content"), ""
    except SystemExit as error:
        content, malformed = {}, str(error)
    issued = content.get("issued") if isinstance(content, dict) else None
    known = {key["keyid"]: key for key in trust["keys"]}
    for keyid, _ in signatures:
        need(keyid in known, "signing-key-unknown")
        key = known[keyid]
        need(key["status"] != "revoked", "signing-key-revoked")
        need(TYPE % kind in key["types"], "signing-key-unknown")
        if type(issued) is int:
            need(issued >= key["notBefore"], "signing-key-unknown")
            late = key["retireAfter"] is not None and issued > key["retireAfter"]
            need(not late, "signing-key-retired")
    need(len(dict(signatures)) == len(signatures) >= trust["threshold"], "bad-signature")
    for keyid, signature in signatures:
        key = bytes.fromhex(known[keyid]["key"])
        need(is_signed(key, signature, kind, payload), "bad-signature")
    need(not malformed, malformed)
    need(canonical(content) == payload, "not-canonical")
    return content


def check_license(content: Value) -> None:
    """Check the schema of a license file."""
    shape(content, "license", "serial notBefore fileExpires instance keys")
    need(is_number(content["serial"]) and is_number(content["notBefore"]))
    need(is_number(content["fileExpires"], None))
    instance, keys = content["instance"], content["keys"]
    need(isinstance(instance, dict) and instance.keys() == {"id", "fingerprint"})
    need(is_text(instance["id"]) and is_text(instance["fingerprint"], "[0-9a-f]{64}"))
    need(isinstance(keys, list) and 1 <= len(keys) <= 1000)
    names = {"key", "kind", "product", "features", "validFrom", "validTo", "terminates"}
    for key in keys:
        need(isinstance(key, dict) and key.keys() == names)
        need(is_text(key["key"], "[A-Z0-9]{16}") and is_text(key["product"]))
        need(is_number(key["validFrom"]) and is_number(key["validTo"], None))
        need(is_number(key["terminates"], None))
        need(isinstance(key["features"], list) and len(key["features"]) <= 256)
        for feature in key["features"]:
            need(isinstance(feature, dict) and feature.keys() == {"code", "quantity"})
            need(is_text(feature["code"]) and is_number(feature["quantity"], None))
        codes = [feature["code"] for feature in key["features"]]
        need(codes == sorted(set(codes)))
    need([key["kind"] for key in keys] == ["master"] + ["addOn"] * (len(keys) - 1))
    add_ons = [key["key"] for key in keys[1:]]
    need(add_ons == sorted(set(add_ons)) and keys[0]["key"] not in add_ons)


def check_manifest(content: Value) -> None:
    """Check the schema of a manifest."""
    shape(content, "manifest", "instance serial files")
    need(is_text(content["instance"]) and is_number(content["serial"]))
    need(isinstance(content["files"], list) and len(content["files"]) <= 1001)
    for file in content["files"]:
        need(isinstance(file, dict) and file.keys() == {"kind", "name", "size", "sha256"})
        need(is_text(file["kind"], "license|certificate|profile") and is_number(file["size"]))
        need(is_text(file["name"], "[A-Za-z0-9][A-Za-z0-9._-]{0,199}"))
        need(is_text(file["sha256"], "[0-9a-f]{64}"))
    names = [file["name"] for file in content["files"]]
    need(names == sorted(set(names)))


def check_certificate(content: Value) -> None:
    """Check the schema of a certificate code."""
    shape(content, "certificate", "number account product kind lastFour expires digest")
    need(all(is_text(content[name]) for name in ("number", "account", "product")))
    need(is_text(content["kind"], "master|addOn") and is_text(content["lastFour"], "[A-Z0-9]{4}"))
    need(is_number(content["expires"], None) and is_text(content["digest"], "[0-9a-f]{64}"))


def trust_documents(path: Path) -> list[bytes]:
    """Return the documents in a file: one, or all that a cloud has answered at once."""
    data = path.read_bytes()
    try:
        answer = json.loads(data)
    except ValueError:
        return [data]
    if isinstance(answer, dict) and "document" in answer:
        return [str(text).encode() for text in (*answer.get("earlier", ()), answer["document"])]
    return [data]


def verify(options: argparse.Namespace) -> None:
    """Do all checks, in their order."""
    kind, data = options.kind, options.file.read_bytes()
    chain = [document for path in options.trust for document in trust_documents(path)]
    if kind == "trust":
        follow([*chain, data], options.root)
        return
    trust = follow(chain, options.root)
    payload, signatures = unpack_code(data) if kind == "certificate" else unpack(data, kind)
    content = check_keys(kind, signatures, trust, payload)
    {
        "license": check_license,
        "manifest": check_manifest,
        "certificate": check_certificate,
    }[kind](content)
    if kind == "manifest":
        return
    start = max(content.get("notBefore", 0), content["issued"])
    need(start <= options.now + 300, "not-yet-valid")
    if kind == "license":
        expires = content["fileExpires"]
        need(expires is None or expires >= options.now - 300, "file-expired")
        fingerprint = content["instance"]["fingerprint"]
        need(options.fingerprint in (None, fingerprint), "wrong-instance")
        need(content["serial"] >= options.highest_serial, "rollback")


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, print the outcome, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--root", required=True, help="the root's public key, 64 hex digits, not its SHA-256"
    )
    parser.add_argument(
        "--trust", type=Path, action="append", default=[], help="trust documents, oldest first"
    )
    parser.add_argument("--kind", choices=SHAPE, default="license")
    parser.add_argument("--fingerprint", help="of the server that a license file has to be for")
    parser.add_argument("--highest-serial", type=int, default=0, help="seen for that server")
    parser.add_argument("--now", type=int, default=int(time.time()), help="seconds since 1970")
    options = parser.parse_args(arguments)
    options.root = options.root.lower()
    if not re.fullmatch("[0-9a-f]{64}", options.root):
        parser.error("--root is a public key, 64 hex digits")
    if not options.trust and options.kind != "trust":
        parser.error("--trust is needed: nothing but a trust document lists the signing keys")
    try:
        verify(options)
    except OSError as error:
        parser.error(f"{error.filename} cannot be read: {error.strerror}")
    except SystemExit as refusal:
        if not isinstance(refusal.code, str):
            raise
        print(refusal.code)
        return 8
    print("valid")
    return 0


if __name__ == "__main__":
    sys.exit(main())
