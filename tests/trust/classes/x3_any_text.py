"""X3: any XML and any JSON is read or refused, and nothing else happens."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import hypothesis
from hypothesis import strategies as st

from tests.support.signed_documents import offline_service, overwrite
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.verifying import Desk, verifier_that_never_stumbles
from tests.vectors.materials import KEYS, payload, sign
from tui_licenses.documents.certificate import verify_certificate_code
from tui_licenses.documents.envelope import MANIFEST, TRUST
from tui_licenses.documents.manifest import verify_manifest
from tui_licenses.documents.profile import hardware_rows, parse_profile
from tui_licenses.documents.trust import TrustStore
from tui_licenses.documents.trust_document import establish_trust, listed_root
from tui_licenses.errors import TuiLicensesError
from tui_licenses.service import trust_store

_WHOLE = 20_000


def _encoded(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


_XML_PARTS = (
    *("<list>", "</list>", "<node", "</node>", "/>", ">", "<", "&", ";", "&#", "&#x9b;", "&amp;"),
    *('id="a"', "class='system'", 'xmlns:x="u"', "x:", "<setting", "<configuration>", "=", '"'),
    *("</configuration>", "<!--", "-->", "<![CDATA[", "]]>", "<?xml", "?>", "<!DOCTYPE", "[", "]"),
    *('value="1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f"', 'id="machine-id"', " ", "\n", "é", "\u202e", "1"),
)
_TEXTS = st.text(max_size=12)
_XML = st.one_of(
    st.lists(st.one_of(st.sampled_from(_XML_PARTS), _TEXTS), max_size=24).map(
        lambda parts: "".join(parts).encode("utf-8", "surrogatepass")
    ),
    st.lists(st.sampled_from(_XML_PARTS), max_size=24).map(
        lambda parts: f"<list>{''.join(parts)}</list>".encode()
    ),
    st.binary(max_size=60),
)
_NAMES = st.one_of(
    st.sampled_from([*payload(), "payload", "payloadType", "signatures", "keyid", "sig", "key"]),
    _TEXTS,
)
_NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([0, 1, 2**53 - 1, 2**53]))
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS, st.sampled_from([*payload().values()])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(_NAMES, inner, max_size=5)
    ),
    max_leaves=12,
)
_CONTENTS = st.one_of(
    _VALUES,
    # Close to what is right: a payload with some members of any value.
    st.dictionaries(st.sampled_from([*payload()]), _VALUES, max_size=3).map(
        lambda changes: payload(2) | changes
    ),
)
_JSON = st.one_of(
    _CONTENTS.map(_encoded),
    st.tuples(_CONTENTS, st.integers(0, 400), st.binary(max_size=3)).map(
        lambda drawn: _encoded(drawn[0])[: drawn[1]] + drawn[2] + _encoded(drawn[0])[drawn[1] :]
    ),
    st.binary(max_size=60),
)


def _draw(run: Run, strategy: st.SearchStrategy[bytes], read: Callable[[bytes], None]) -> None:
    @hypothesis.seed(run.random.getrandbits(64))
    @hypothesis.settings(
        max_examples=run.count(_WHOLE // 2, 500),
        database=None,
        deadline=None,
        # What is found is reported with its bytes: nothing is tried again or made smaller.
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def read_each(data: bytes) -> None:
        with run.case(repr(data), TuiLicensesError):
            read(data)
        run.disturb()

    read_each()


def _json_reader(run: Run) -> Callable[[bytes], None]:
    """Return what reads bytes as every kind of document, plain and truly signed."""
    desk, service, file = Desk(run.folder), offline_service(), run.folder / "offered.json"
    (trust,) = trust_store.stored_trusts()
    store, root = TrustStore((trust,)), KEYS["root"].public_key

    def read_offer(data: bytes) -> object:
        overwrite(file, data)
        return trust_store.read_offer(file)

    def inspect(data: bytes) -> object:
        overwrite(file, data)
        return service.inspect(file)

    readers: tuple[Callable[[bytes], object], ...] = (
        desk.refusal_of,
        lambda data: desk.refusal_of(sign(data)),
        lambda data: inspect(sign(data)),
        lambda data: verify_manifest(sign(data, kind=MANIFEST), store),
        lambda data: establish_trust(sign(data, ["root"], TRUST), root, is_lab=False),
        listed_root,
        read_offer,
        lambda data: verify_certificate_code(_code_of(data), store, now=desk.now),
    )

    def read(data: bytes) -> None:
        for number, reader in enumerate(readers):
            with run.case(f"reader {number}: {data!r}", TuiLicensesError):
                reader(data)

    return read


def _code_of(data: bytes) -> str:
    content = base64.urlsafe_b64encode(data).decode().rstrip("=")
    return f"TLC1.{KEYS['signing-1'].public_key.keyid}.{content}.{'A' * 86}"


def _read_xml(data: bytes) -> None:
    parse_profile(data)
    hardware_rows(data)


def _run(run: Run) -> None:
    with verifier_that_never_stumbles(run):
        _draw(run, _XML, _read_xml)
        _draw(run, _JSON, _json_reader(run))
    run.expect(run.disturbed >= run.count(_WHOLE, 900), Broken.OTHER, "too few were drawn")


def _control(run: Run) -> None:
    def read(data: bytes) -> None:
        # What the naive reader takes for granted.
        json.loads(data)["instance"]["fingerprint"].lower()

    _draw(run, _JSON, read)


CLASS = TrustClass(
    "X3",
    "any XML and any JSON",
    _WHOLE,
    _run,
    _control,
    # It takes for granted what need not be there, and ends where it is not.
    control_breaks=(Broken.UNHANDLED,),
)
