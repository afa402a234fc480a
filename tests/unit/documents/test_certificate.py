"""Certificates: one page that says everything, and a code that proves it."""

from __future__ import annotations

import base64
import io
import os
import re
import subprocess
import sys
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from tests.vectors.materials import ISSUER, KEYS, NOW
from tui_licenses.documents import certificate_fonts
from tui_licenses.documents.certificate import (
    CertificateContent,
    certificate_code,
    certificate_digest,
    code_in_certificate,
    render_certificate,
    verify_certificate_code,
)
from tui_licenses.documents.envelope import CERTIFICATE_TYPE
from tui_licenses.documents.trust import SigningKeyStatus, TrustedKey, TrustStore
from tui_licenses.documents.trust_document import build_trust_document, establish_trust
from tui_licenses.domain.license_key import Feature, KeyKind
from tui_licenses.errors import DocumentError, FileError

CLOCK = datetime.fromtimestamp(NOW, UTC)
SIGNER = KEYS["signing-1"]
CONTENT = CertificateContent(
    certificate_number="C-5B0E3C5E-8F0A",
    account_name="Smith & Sons GmbH",
    instance_name="Vault",
    product_name="Server Core",
    kind=KeyKind.MASTER,
    key_last_four="WXYZ",
    features=(Feature("core", "Core services", None), Feature("cal", "Client access", 25)),
    order_reference="PO-7",
    issued_at=datetime(2025, 3, 1, 12, tzinfo=UTC),
    starts_at=datetime(2025, 3, 2, tzinfo=UTC),
    activated_at=datetime(2025, 3, 3, tzinfo=UTC),
    expires_at=datetime(2027, 3, 2, tzinfo=UTC),
)
SCRIPTS = {
    "Latin": "Größe Łódź İstanbul Tiếng Việt",
    "Greek": "Ελλάδα",
    "Cyrillic": "Привет Україна",
    "Han": "中文漢字",
    "Kana": "ひらがなカタカナ",
    "Hangul": "한국어",
    "Hebrew": "שלום עולם",
    "Arabic": "مرحبا بالعالم",
    "Thai": "ประเทศไทย",
    "Georgian": "საქართველო",
}


def trust(status: SigningKeyStatus = SigningKeyStatus.ACTIVE) -> TrustStore:
    key = TrustedKey(SIGNER.public_key, (CERTIFICATE_TYPE,), 0, None, status)
    document = build_trust_document(ISSUER, 1, 0, [key], [KEYS["root"]])
    return TrustStore((establish_trust(document, KEYS["root"].public_key, is_lab=True),))


def code_of(content: CertificateContent = CONTENT) -> str:
    return certificate_code(content, ISSUER, SIGNER)


def refusal_of(text: str) -> str:
    with pytest.raises(DocumentError) as raised:
        verify_certificate_code(text, trust(), now=CLOCK)
    return raised.value.code


def read(data: bytes) -> str:
    pages = PdfReader(io.BytesIO(data)).pages
    assert len(pages) == 1
    box = pages[0].mediabox
    assert (round(box.width), round(box.height)) == (595, 842)
    return pages[0].extract_text().replace("\u200b", "")


def text_of(content: CertificateContent) -> str:
    return read(render_certificate(content, code_of(content)))


def flat(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_the_page_says_everything_and_of_the_key_the_last_four_only() -> None:
    text = text_of(CONTENT)
    for part in (
        "License certificate",
        "C-5B0E3C5E-8F0A",
        "Smith & Sons GmbH",
        "Vault",
        "Server Core",
        "Master key",
        "•••• •••• •••• WXYZ",
        "PO-7",
        "2025-03-01 12:00 UTC",
        "2025-03-02 00:00 UTC",
        "2025-03-03 00:00 UTC",
        "2027-03-02 00:00 UTC",
        "Core services (core)",
        "Client access (cal)",
        "× 25",
    ):
        assert part in text
    assert code_of() in flat(text)


def test_what_is_absent_is_said_in_words() -> None:
    text = text_of(
        replace(
            CONTENT,
            kind=KeyKind.ADD_ON,
            instance_name=None,
            order_reference=None,
            starts_at=None,
            activated_at=None,
            expires_at=None,
            features=(),
        )
    )
    for part in ("Add-on key", "Not assigned", "Not activated", "Never (perpetual)"):
        assert part in text
    assert len(re.findall(r"\bNone\b", text)) == 2


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_every_script_can_be_read(text: str) -> None:
    assert text in text_of(replace(CONTENT, instance_name=text))


def test_devanagari_can_be_read() -> None:
    name = "नमस्ते दुनिया"
    text = text_of(replace(CONTENT, instance_name=name))
    assert set(name) <= set(text)
    assert "@" not in text


def test_many_scripts_share_one_line() -> None:
    name = "Vault 中文 한국어 שלום Привет"
    found = flat(text_of(replace(CONTENT, account_name=name)))
    for word in name.split():
        assert word in found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a😀b", "a‹U+1F600›b"),
        ("a\u202eb", "a‹U+202E›b"),
        ("a\x1b[31mb", "a‹U+001B›[31mb"),
        ("a\nb", "a‹U+000A›b"),
        ("a\ue000b", "a‹U+E000›b"),
        ("𓀀", "‹U+13000›"),
    ],
)
def test_a_character_without_a_shape_is_shown_as_its_code_point(text: str, shown: str) -> None:
    assert shown in text_of(replace(CONTENT, account_name=text))


def test_markup_is_text_and_nothing_can_be_clicked() -> None:
    name = "**bold** [x](https://example.com) <b>"
    data = render_certificate(replace(CONTENT, account_name=name), code_of())
    assert name in read(data)
    page = PdfReader(io.BytesIO(data)).pages[0]
    assert "/Annots" not in page
    assert b"/URI" not in data
    assert b"/JavaScript" not in data


def test_features_beyond_the_page_are_counted() -> None:
    features = tuple(Feature(f"f{number}", f"Feature {number}", 1) for number in range(100))
    text = text_of(replace(CONTENT, features=features))
    shown = len(re.findall(r"Feature \d+ \(f\d+\)", text))
    assert shown > 10
    assert f"and {100 - shown} more" in text


def test_the_last_line_holds_a_feature_where_nothing_follows() -> None:
    for count in range(10, 30):
        features = tuple(Feature(f"f{number}", f"Feature {number}", 1) for number in range(count))
        assert "and 1 more" not in text_of(replace(CONTENT, features=features))


def test_the_longest_names_stay_on_one_page() -> None:
    content = replace(
        CONTENT,
        account_name="😀" * 256,
        instance_name="Wwww " * 24,
        product_name="国" * 256,
        order_reference="x" * 256,
        features=tuple(Feature("c" * 64, "F" * 200, 2**53 - 1) for _ in range(256)),
    )
    text = text_of(content)
    assert text.count("…") >= 4
    assert code_of(content) in flat(text)


def test_the_same_input_gives_the_same_bytes_in_any_process() -> None:
    content = replace(CONTENT, instance_name="Vault 中文 שלום नमस्ते")
    program = (
        "import sys, hashlib, dataclasses\n"
        "from tests.unit.documents.test_certificate import *\n"
        f"content = replace(CONTENT, instance_name={content.instance_name!r})\n"
        "print(hashlib.sha256(render_certificate(content, code_of(content))).hexdigest())"
    )
    digests = set()
    for hash_seed, zone, language in (
        ("1", "UTC", "C"),
        ("2", "Pacific/Kiritimati", "C.UTF-8"),
        ("3", "America/St_Johns", "tr_TR.UTF-8"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": hash_seed, "TZ": zone, "LC_ALL": language},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        digests.add(done.stdout)
    assert len(digests) == 1
    assert render_certificate(content, "x") == render_certificate(content, "x")


def test_instants_are_shown_in_utc_whatever_zone_they_come_in() -> None:
    there = timezone(timedelta(hours=14))
    moved = replace(
        CONTENT,
        issued_at=CONTENT.issued_at.astimezone(there),
        expires_at=datetime(2027, 3, 2, 14, tzinfo=there),
    )
    assert render_certificate(moved, "x") == render_certificate(CONTENT, "x")


def test_every_font_is_inside_the_document() -> None:
    content = replace(CONTENT, instance_name=" ".join(SCRIPTS.values()))
    page = PdfReader(io.BytesIO(render_certificate(content, code_of(content)))).pages[0]
    fonts = page["/Resources"]["/Font"].values()  # type: ignore[index]
    assert len(fonts) > 1
    for font in fonts:
        (descendant,) = font.get_object()["/DescendantFonts"]
        assert "/FontFile2" in descendant.get_object()["/FontDescriptor"]


def test_the_code_is_found_without_reading_the_page() -> None:
    assert code_in_certificate(render_certificate(CONTENT, code_of())) == code_of()
    for data in (b"", b"%PDF-1.4", render_certificate(CONTENT, "no code")):
        with pytest.raises(DocumentError) as raised:
            code_in_certificate(data)
        assert raised.value.code == "not-a-certificate-code"


def test_missing_fonts_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(certificate_fonts, "FONT_FOLDER", tmp_path)
    certificate_fonts.fonts.cache_clear()
    with pytest.raises(FileError) as raised:
        render_certificate(CONTENT, code_of())
    certificate_fonts.fonts.cache_clear()
    assert raised.value.code == "file-not-found"


def test_a_code_vouches_for_the_fields() -> None:
    found = verify_certificate_code(code_of(), trust(), now=CLOCK)
    assert found.certificate_number == CONTENT.certificate_number
    assert found.account_name == CONTENT.account_name
    assert found.product_name == CONTENT.product_name
    assert found.kind is KeyKind.MASTER
    assert found.key_last_four == "WXYZ"
    assert found.issued == CONTENT.issued_at.timestamp()
    assert found.expires == datetime(2027, 3, 2, tzinfo=UTC).timestamp()
    assert found.digest == certificate_digest(CONTENT)
    assert found.keyid == SIGNER.public_key.keyid
    assert found.issuer == ISSUER
    assert found.is_lab


def test_a_code_copied_with_line_breaks_is_the_same_code() -> None:
    broken = "\n ".join(re.findall(".{1,64}", code_of())) + "\r\n"
    assert verify_certificate_code(broken, trust(), now=CLOCK).key_last_four == "WXYZ"


def test_long_and_hostile_names_are_cut_in_the_code_and_not_in_its_digest() -> None:
    long = replace(CONTENT, account_name="e\u0301\x1b" + "n" * 300)
    found = verify_certificate_code(code_of(long), trust(), now=CLOCK)
    assert len(found.account_name) == 48
    assert found.account_name.startswith("é‹U+001B›n")
    assert found.account_name.endswith("…")
    assert found.digest != certificate_digest(replace(long, account_name=long.account_name + "n"))


def test_every_field_is_part_of_the_digest() -> None:
    others = CertificateContent(
        *("2", "2", "2", "2", KeyKind.ADD_ON, "2222", (), "2"),
        *(datetime(2000, 1, day, tzinfo=UTC) for day in range(1, 5)),
    )
    digests = {certificate_digest(CONTENT)}
    for field in fields(CertificateContent):
        changed = replace(CONTENT, **{field.name: getattr(others, field.name)})
        digests.add(certificate_digest(changed))
    assert len(digests) == 1 + len(fields(CertificateContent))


@pytest.mark.parametrize(
    "text", ["", "TLC1", "TLC1.a.b.c", "hello", "TLC2" + code_of()[4:], code_of() + "A"]
)
def test_other_text_is_no_code(text: str) -> None:
    assert refusal_of(text) == "not-a-certificate-code"


def test_a_code_that_is_too_long_is_refused() -> None:
    assert refusal_of("A" * 5000) == "too-large"


@pytest.mark.parametrize("payload", ["A", "QR"])
def test_a_code_in_another_encoding_is_refused(payload: str) -> None:
    prefix, keyid, _, signature = code_of().split(".")
    assert refusal_of(".".join((prefix, keyid, payload, signature))) == "not-canonical"


def test_altered_fields_are_refused() -> None:
    prefix, keyid, payload, signature = code_of().split(".")
    data = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    forged = base64.urlsafe_b64encode(data.replace(b"WXYZ", b"AAAA")).decode().rstrip("=")
    assert refusal_of(".".join((prefix, keyid, forged, signature))) == "bad-signature"


def test_a_code_of_a_stranger_or_a_revoked_key_is_refused() -> None:
    stranger = certificate_code(CONTENT, ISSUER, KEYS["stranger"])
    assert refusal_of(stranger) == "signing-key-unknown"
    with pytest.raises(DocumentError) as raised:
        verify_certificate_code(code_of(), trust(SigningKeyStatus.REVOKED), now=CLOCK)
    assert raised.value.code == "signing-key-revoked"


def test_a_code_from_the_future_is_refused() -> None:
    with pytest.raises(DocumentError) as raised:
        verify_certificate_code(code_of(), trust(), now=datetime(2020, 1, 1, tzinfo=UTC))
    assert raised.value.code == "not-yet-valid"


def test_a_certificate_with_a_wrong_key_is_not_signed() -> None:
    with pytest.raises(DocumentError) as raised:
        code_of(replace(CONTENT, key_last_four="WXYZWXYZWXYZWXYZ"))
    assert raised.value.code == "bad-content"


def test_every_changed_character_of_a_code_is_refused() -> None:
    code = code_of()
    for position, character in enumerate(code):
        other = "A" if character != "A" else "B"
        assert refusal_of(code[:position] + other + code[position + 1 :])


@settings(max_examples=15, deadline=None)
@given(st.text(min_size=1, max_size=40), st.text(max_size=20))
def test_any_text_makes_a_page(account: str, instance: str) -> None:
    content = replace(CONTENT, account_name=account, instance_name=instance)
    assert "License certificate" in read(render_certificate(content, "x"))
