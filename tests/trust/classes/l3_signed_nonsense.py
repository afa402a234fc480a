"""L3: payloads that a trusted key has signed and that are wrong are refused for the right reason.

The signature is no excuse: a cloud with a bug must not make its readers stumble.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.verifying import Desk, verifier_that_never_stumbles
from tests.vectors.materials import NOW, licensed_key, payload, sign
from tui_licenses.documents.canonical import encode_canonical

_WHOLE = 500
_Path = tuple[str | int, ...]

# Values that are wrong wherever they stand, then some with the kind of member they suit.
_WRONG_ANYWHERE: tuple[object, ...] = (
    *(-1, 1.5, 2**53, 2**63, True, False, "", "x" * 257, "a\nb", "e\u0301", "\ud800", "\x7f"),
    *([None], {}, [[]], {"id": "x"}, [{}], [1, 2], ["unknown"], {"key": 1}, "\u0085"),
)
_WRONG: tuple[tuple[object, str], ...] = (
    *((wrong, "") for wrong in _WRONG_ANYWHERE),
    (None, "optional"),
    (0, "number"),
    ("text", "text"),
    ([], "list"),
)
_MEMBERS: dict[_Path, str] = {
    ("format",): "",
    ("version",): "",
    ("issuer",): "text",
    ("serial",): "number",
    ("issued",): "number",
    ("notBefore",): "number",
    ("fileExpires",): "optional number",
    ("instance",): "",
    ("instance", "id"): "text",
    ("instance", "fingerprint"): "",
    ("keys",): "",
    ("keys", 0): "",
    ("keys", 0, "key"): "",
    ("keys", 0, "kind"): "",
    ("keys", 0, "product"): "text",
    ("keys", 0, "features"): "list",
    ("keys", 0, "features", 0): "",
    ("keys", 0, "features", 0, "code"): "text",
    ("keys", 0, "features", 0, "quantity"): "optional number",
    ("keys", 1, "validFrom"): "number",
    ("keys", 1, "validTo"): "optional number",
    ("keys", 1, "terminates"): "optional number",
    ("critical",): "list",
}


def _changed(path: _Path, change: Callable[[Any, str | int], None]) -> dict[str, Any]:
    members = copy.deepcopy(payload(3))
    place: Any = members
    for step in path[:-1]:
        place = place[step]
    change(place, path[-1])
    return members


def _set(value: object) -> Callable[[Any, str | int], None]:
    def change(place: Any, name: str | int) -> None:  # noqa: ANN401 - a part of a JSON value
        place[name] = value

    return change


def _remove(place: Any, name: str | int) -> None:  # noqa: ANN401 - a part of a JSON value
    del place[name]


def _wrong_members() -> Iterator[tuple[str, str, bytes]]:
    for path, kind in _MEMBERS.items():
        for value, right in _WRONG:
            if right and right in kind:
                continue
            text = json.dumps(_changed(path, _set(value)), sort_keys=True, separators=(",", ":"))
            data = text.encode() if "\ud800" in str(value) else _raw(json.loads(text))
            yield f"{path} is {value!r:.40}", "bad-content", data
        if path[-1] != 0:
            yield f"{path} is missing", "bad-content", _raw(_changed(path, _remove))
    for path in (("more",), ("instance", "more"), ("keys", 0, "more")):
        yield f"{path} is added", "bad-content", _raw(_changed(path, _set(1)))


def _raw(members: object) -> bytes:
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _wrong_forms() -> Iterator[tuple[str, str, bytes]]:
    good = encode_canonical(payload())
    for name, code, data in (
        ("spaces", "not-canonical", good.replace(b",", b", ")),
        ("a newline", "not-canonical", good + b"\n"),
        ("a byte order mark", "bad-content", b"\xef\xbb\xbf" + good),
        ("an escape", "not-canonical", good.replace(b'"serial"', b'"\\u0073erial"')),
        ("another order", "not-canonical", _raw(payload())[:-1] + b',"a":1}'),
        ("a name twice", "bad-content", good.replace(b'"serial":7', b'"serial":7,"serial":7')),
        ("nothing", "bad-content", b""),
        ("deep lists", "bad-content", b"[" * 9999 + b"]" * 9999),
        ("many digits", "bad-content", good.replace(b":7,", b":" + b"7" * 5000 + b",")),
        ("minus zero", "bad-content", good.replace(b":7,", b":-0,")),
        ("not a number", "bad-content", good.replace(b":7,", b":NaN,")),
        ("an exponent", "bad-content", good.replace(b":7,", b":1e9999,")),
    ):
        yield name, code, data
    for code, change in (
        ("not-yet-valid", {"notBefore": NOW + 301}),
        ("not-yet-valid", {"issued": NOW + 301}),
        ("file-expired", {"fileExpires": NOW - 301}),
        ("wrong-instance", {"instance": {"id": "x", "fingerprint": "0" * 64}}),
        ("bad-content", {"keys": [licensed_key(0)] * 2}),
        ("bad-content", {"keys": [licensed_key(number) for number in (0, 2, 1)]}),
        ("bad-content", {"keys": [licensed_key(number) for number in range(1001)]}),
        ("bad-content", {"critical": ["a"], "notBefore": NOW + 301}),
    ):
        yield f"{change!r:.60}", code, encode_canonical(payload(**change))


def _try(run: Run, refusal_of: Callable[[bytes], str | None]) -> None:
    for what, code, data in run.choose([*_wrong_members(), *_wrong_forms()], fast=_WHOLE):
        with run.case(what):
            found = refusal_of(sign(data))
            broken = Broken.FORGED if found is None else Broken.OTHER
            run.expect(found == code, broken, f"{what}: {found}, not {code}")
        run.disturb()


def _run(run: Run) -> None:
    with verifier_that_never_stumbles(run):
        _try(run, Desk(run.folder).refusal_of)


def _control(run: Run) -> None:
    def naive(data: bytes) -> str | None:
        import base64

        content = json.loads(base64.b64decode(json.loads(data)["payload"]))
        is_here = content["instance"]["fingerprint"] == payload()["instance"]["fingerprint"]
        return None if is_here and content["keys"] else "bad-content"

    _try(run, naive)


CLASS = TrustClass("L3", "license files: wrong and truly signed", _WHOLE, _run, _control)
