"""Server profiles: hostile XML is refused, identity is found, no value is lost."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.documents.profiles import (
    CARD,
    LIST,
    MACHINE_ID,
    NODE,
    PRODUCT_UUID,
    with_settings,
)
from tui_licenses.documents.identity import (
    normalise_hardware_address,
    normalise_machine_id,
    normalise_product_uuid,
)
from tui_licenses.documents.profile import (
    PROFILE_SIZE_MAXIMUM,
    check_activatable,
    hardware_rows,
    parse_profile,
)
from tui_licenses.documents.xml_reader import TEXT_BYTES_MAXIMUM
from tui_licenses.domain.hardware import HardwareRow
from tui_licenses.errors import DocumentError

SAMPLES = sorted(
    Path(folder).glob("*.xml") if (folder := os.environ.get("TUI_LICENSES_SAMPLE_PROFILES")) else []
)
BOMB = (
    b'<!DOCTYPE l [<!ENTITY a "lol">'
    + b"".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'.encode()
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + b"]><list>&i;</list>"
)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def code_of(data: bytes) -> str:
    with pytest.raises(DocumentError) as raised:
        parse_profile(data)
    with pytest.raises(DocumentError):
        hardware_rows(data)
    return raised.value.code


@pytest.mark.parametrize("text", [NODE, LIST])
def test_both_shapes_of_lshw_tell_the_same(text: str) -> None:
    profile = parse_profile(text.encode())
    assert profile.hostname == "vault"
    assert profile.product_uuid == PRODUCT_UUID.lower()
    assert profile.machine_id is None
    assert profile.hardware_addresses == (CARD,)
    assert profile.fingerprint == sha256(f"product-uuid:{PRODUCT_UUID.lower()}")
    assert check_activatable(profile) == profile.fingerprint


def test_the_machine_id_comes_before_uuid_and_addresses() -> None:
    settings = {"machine_id": MACHINE_ID, "uuid": PRODUCT_UUID, "hardware_addresses": CARD}
    assert parse_profile(with_settings(**settings)).fingerprint == sha256(
        f"machine-id:{MACHINE_ID}"
    )
    del settings["machine_id"]
    assert parse_profile(with_settings(**settings)).fingerprint == sha256(
        f"product-uuid:{PRODUCT_UUID.lower()}"
    )
    del settings["uuid"]
    assert parse_profile(with_settings(**settings)).fingerprint == sha256(
        f"hardware-addresses:{CARD}"
    )


def test_addresses_count_in_any_order_and_once() -> None:
    one = parse_profile(with_settings(hardware_addresses=f"00:00:0c:01:02:03 {CARD}"))
    other = parse_profile(
        with_settings(hardware_addresses=f"{CARD.upper()} 00-00-0C-01-02-03 {CARD}")
    )
    assert one.fingerprint == other.fingerprint
    assert len(other.hardware_addresses) == 2


@pytest.mark.parametrize(
    "text", [PRODUCT_UUID, PRODUCT_UUID.lower(), f"{{{PRODUCT_UUID}}}", f" {PRODUCT_UUID}\n"]
)
def test_a_uuid_counts_however_it_is_written(text: str) -> None:
    assert normalise_product_uuid(text) == PRODUCT_UUID.lower()


@pytest.mark.parametrize(
    "text",
    [
        "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "03000200-0400-0500-0006-000700080009",
        "Not Settable",
        "",
        PRODUCT_UUID + "0",
    ],
)
def test_a_uuid_that_many_servers_have_identifies_nothing(text: str) -> None:
    assert normalise_product_uuid(text) is None


@pytest.mark.parametrize("text", ["", "uninitialized", "0" * 32, "f" * 32, MACHINE_ID[:-1]])
def test_a_machine_id_that_was_never_made_identifies_nothing(text: str) -> None:
    assert normalise_machine_id(text) is None
    assert normalise_machine_id(f"{MACHINE_ID.upper()}\n") == MACHINE_ID


@pytest.mark.parametrize(
    "text",
    [
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "02:42:ac:11:00:02",
        "52:54:00:12:34:56",
        "01:00:5e:00:00:01",
        "",
        "C02JR02WF57J",
    ],
)
def test_an_address_that_software_made_up_identifies_nothing(text: str) -> None:
    assert normalise_hardware_address(text) is None


def test_a_profile_without_identity_can_be_viewed_and_not_activated() -> None:
    profile = parse_profile(b'<node id="vm" class="system"/>')
    assert profile.fingerprint is None
    with pytest.raises(DocumentError) as raised:
        check_activatable(profile)
    assert raised.value.code == "profile-without-identity"


@pytest.mark.parametrize(
    "data", [b"<html><body>Sign in</body></html>", b'<node xmlns="urn:other"/>', b"<lists/>"]
)
def test_other_xml_can_be_viewed_and_not_activated(data: bytes) -> None:
    profile = parse_profile(data)
    assert hardware_rows(data)
    with pytest.raises(DocumentError) as raised:
        check_activatable(profile)
    assert raised.value.code == "profile-invalid"


def test_an_empty_list_has_no_identity() -> None:
    profile = parse_profile(b"<list/>")
    assert (profile.hostname, profile.fingerprint) == (None, None)


def test_a_list_without_a_system_is_read_from_its_first_node() -> None:
    profile = parse_profile(b'<list><node id="one"/><node id="two"/></list>')
    assert profile.hostname == "one"


def test_a_byte_order_mark_and_a_declaration_of_utf8_are_accepted() -> None:
    data = b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?><list/>'
    assert parse_profile(data).root_name == "list"


HOSTILE = {
    "nothing": b"",
    "space": b" \n",
    "no XML": b"C02JR02WF57J",
    "truncated": NODE.encode()[:-10],
    "trailing": NODE.encode() + b"<list/>",
    "a bomb": BOMB,
    "a document type": b"<!DOCTYPE list><list/>",
    "an outside file": b'<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><list>&x;</list>',
    "an outside parameter": b'<!DOCTYPE l [<!ENTITY % x SYSTEM "http://127.0.0.1/">%x;]><list/>',
    "an undefined entity": b"<list>&unknown;</list>",
    "UTF-16": LIST.encode("utf-16"),
    "Latin-1": '<?xml version="1.0" encoding="iso-8859-1"?><list>é</list>'.encode("latin-1"),
    "a false declaration": b'<?xml version="1.0" encoding="utf-16"?><list/>',
    "bad UTF-8": b"<list>\xff\xfe</list>",
    "overlong UTF-8": b"<list>\xc0\xbc</list>",
    "two byte order marks": b"\xef\xbb\xbf" * 2 + b"<list/>",
    "a NUL": b"<list>\0</list>",
    "an escape character": b"<list>&#27;</list>",
    "an attribute twice": b'<list a="1" a="2"/>',
    "deep": b"<a>" * 33 + b"</a>" * 33,
    "very deep": b"<a>" * 100_000,
    "many elements": b"<list>" + b"<a/>" * 20_001 + b"</list>",
    "many attributes": b"<list " + b" ".join(b'a%d="1"' % n for n in range(65)) + b"/>",
    "many namespaces": b"<list " + b" ".join(b'xmlns:a%d="u"' % n for n in range(17)) + b"/>",
    "a long text": b"<list>" + b"x" * (TEXT_BYTES_MAXIMUM + 1) + b"</list>",
    "a long tail": b"<list><a/>" + b"x" * (TEXT_BYTES_MAXIMUM + 1) + b"</list>",
    "a long attribute": b'<list a="' + "é".encode() * (TEXT_BYTES_MAXIMUM // 2 + 1) + b'"/>',
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_xml_is_refused(data: bytes) -> None:
    assert code_of(data) == "profile-invalid"


def test_a_profile_over_one_mebibyte_is_refused_before_it_is_parsed() -> None:
    assert code_of(b"<" * (PROFILE_SIZE_MAXIMUM + 1)) == "profile-too-large"


def test_everything_within_the_limits_is_accepted() -> None:
    assert hardware_rows(b"<a>" * 32 + b"</a>" * 32)
    assert len(hardware_rows(b"<list>" + b"<a/>" * 19_999 + b"</list>")) == 19_999
    text = b"<a>" + b"x" * TEXT_BYTES_MAXIMUM + b"</a>"
    whole = b"<list>" + text * 15 + b"</list>"
    assert hardware_rows(whole.replace(b"</list>", b" " * 50_000 + b"</list>"))


def test_rows_are_raw_values_with_the_path_of_their_part() -> None:
    rows = hardware_rows(LIST.encode())
    for row in (
        HardwareRow("system", "id", "vault"),
        HardwareRow("system", "description", "Rack Mount Chassis"),
        HardwareRow("system", "width", "64"),
        HardwareRow("system", "width / units", "bits"),
        HardwareRow("system", "configuration / uuid", PRODUCT_UUID),
        HardwareRow("system", "capabilities / smbios-2.4", "SMBIOS version 2.4"),
        HardwareRow("system", "capabilities / wp", ""),
        HardwareRow("system / core / memory:0", "size", "8589934592"),
        HardwareRow("system / core / memory:0", "hints / icon", "memory"),
        HardwareRow("system / core / memory:0", "resources / irq", "16"),
        HardwareRow("system / core / network:1", "configuration / driver", "tun"),
    ):
        assert row in rows
    assert hardware_rows(NODE.encode()) == rows


def test_repeated_values_are_kept_apart() -> None:
    rows = hardware_rows(b"<node><logicalname>a</logicalname><logicalname>b</logicalname></node>")
    assert [row.value for row in rows] == ["a", "b"]


def test_mixed_and_labelled_content_is_kept() -> None:
    data = (
        b'<list a="1">text<node id="n">own<x/>tail</node>after'
        b'<setting id="s" value="v" unit="u">more<y/>inner</setting></list>'
    )
    rows = {(row.section, row.attribute, row.value) for row in hardware_rows(data)}
    assert rows == {
        ("list", "a", "1"),
        ("list", "list", "text"),
        ("n", "id", "n"),
        ("n", "node", "own"),
        ("n", "x", ""),
        ("n", "text", "tail"),
        ("list", "text", "after"),
        ("setting", "id", "s"),
        ("setting", "value", "v"),
        ("setting", "unit", "u"),
        ("setting", "setting", "more"),
        ("setting", "y", ""),
        ("setting", "text", "inner"),
    }


def test_a_name_above_a_part_is_kept() -> None:
    rows = hardware_rows(b'<node id="n"><setting id="s"><node id="m"/></setting></node>')
    assert ("setting / id", "s") in {(row.attribute, row.value) for row in rows}


def test_a_long_name_is_not_repeated_in_every_row_below_it() -> None:
    name = "n" * 50_000
    data = f'<node id="{name}"><setting id="{name}" value="v"/></node>'.encode()
    rows = hardware_rows(data)
    assert [row.value for row in rows if row.value == name] == [name, name]
    assert max(len(row.section) + len(row.attribute) for row in rows) < 300


def _leaf_values(element: ElementTree.Element) -> list[str]:
    values = list(element.attrib.values())
    for child in element:
        values += _leaf_values(child)
    values += [text for text in (element.text, element.tail) if text and text.strip()]
    return values


NAMES = st.sampled_from(["node", "list", "setting", "capability", "size", "a", "hint"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=8)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["id", "name", "type", "value", "units", "class"]), TEXTS, max_size=4
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> ElementTree.Element:
    element = ElementTree.Element(draw(NAMES), draw(ATTRIBUTES))
    element.text = draw(TEXTS)
    for _ in range(draw(st.integers(0, 2)) if depth else 0):
        child = draw(elements(depth - 1))
        child.tail = draw(TEXTS)
        element.append(child)
    return element


@given(elements())
def test_no_leaf_value_is_lost(element: ElementTree.Element) -> None:
    data = ElementTree.tostring(element, encoding="utf-8")
    if len(element) == 0 and not element.attrib and not element.text:
        return
    rows = hardware_rows(data)
    parts = [row.value for row in rows]
    names = [name for row in rows for name in (row.attribute, row.section)]
    for value in _leaf_values(element):
        assert value in parts or any(value in name for name in names), data


@given(st.binary(max_size=300))
def test_random_bytes_give_a_profile_or_an_error_of_ours(data: bytes) -> None:
    for document in (data, b"<list>" + data + b"</list>"):
        try:
            parse_profile(document)
        except DocumentError as error:
            assert error.code == "profile-invalid"  # noqa: PT017


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_profile_of_a_real_machine_is_read_whole(path: Path) -> None:
    data = path.read_bytes()
    assert check_activatable(parse_profile(data))
    rows = hardware_rows(data)
    parts = {row.value for row in rows}
    names = {name for row in rows for name in row.attribute.split(" / ")}
    assert set(_leaf_values(ElementTree.fromstring(data))) <= parts | names
