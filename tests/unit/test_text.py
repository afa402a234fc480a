"""Text from outside is made harmless, measured in cells and cut to fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import iter_graphemes, wcwidth

from tui_licenses.text import (
    _NARROW_SIGNS,
    CHARACTERS_MAXIMUM,
    MARKS_MAXIMUM,
    clean,
    has_control_characters,
    is_hidden,
    pad,
    searchable,
    shorten,
    slug,
    width_cells,
)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain", "plain"),
        ("two\nlines\tand\rmore", "two lines and more"),
        ("\x1b[31mred", "‹U+001B›[31mred"),
        ("a\x9bb\x7f", "a‹U+009B›b‹U+007F›"),
        ("a\u202eb\u2066c", "a‹U+202E›b‹U+2066›c"),
        ("\ue000\ud800\ufdd0", "‹U+E000›‹U+D800›‹U+FDD0›"),
        ("a\u2028b\u2029c", "a‹U+2028›b‹U+2029›c"),
        ("a\U000e0062\u0600b\xad", "a‹U+E0062›‹U+0600›b‹U+00AD›"),
        ("a\u3164b\u2800c\u034fd", "a‹U+3164›b‹U+2800›c‹U+034F›d"),
        ("葛\U000e0100", "葛‹U+E0100›"),
        ("\u0301a", "‹U+0301›a"),
        ("\x1b\u0301", "‹U+001B›‹U+0301›"),
        ("e" + "\u0301" * 8, "e" + "\u0301" * MARKS_MAXIMUM + "‹U+0301›‹U+0301›"),
        ("a\u200db\u200c", "a‹U+200D›b‹U+200C›"),
        ("ب\u200d", "ب‹U+200D›"),
        ("a\ufe0f 1\ufe0f", "a‹U+FE0F› 1‹U+FE0F›"),
        ("👩\u200d", "👩‹U+200D›"),
    ],
)
def test_hidden_characters_are_shown_as_code_points(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    "name",
    [
        "名前",
        "क\u200dष क्ष दिल्ली",
        "ന്\u200d",
        "র\u200d্য",
        "می\u200cخواهم",
        "اَلسَّلَامُ عَلَيْكُمْ",
        "שָׁ֖לוֹם",
        "เชียงใหม่ น้ำตก",
        "Nguye\u0302\u0303n Thi\u0323",
        "မြန်မာ ကျောင်းသားမြွှေ့",
        "ಅಲ್ಗೇೕಂ",
        "ཧྐྵྨླྺྻ",
        "👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈 🧑🏽\u200d💻 ❤️ ⚕️ 1️⃣ 🇨🇭 ✔\ufe0e \U0001fae8",
    ],
)
def test_names_in_any_script_stay_whole(name: str) -> None:
    assert clean(name) == name


def test_a_text_longer_than_any_path_ends_with_an_ellipsis() -> None:
    assert clean("a" * CHARACTERS_MAXIMUM) == "a" * CHARACTERS_MAXIMUM
    for text in ("a" * (CHARACTERS_MAXIMUM + 1), "\x1b" * CHARACTERS_MAXIMUM, "é" * 10_000):
        assert len(clean(text)) == CHARACTERS_MAXIMUM
        assert clean(text).endswith("…")
        assert clean(clean(text)) == clean(text)


# What the rules speak of, far more often than chance would bring it.
_SPECIAL = "\x1b\t\n\u200c\u200d\ufe0e\ufe0f\u20e3\u0301\u094d\u202e1#aबب👩❤🏽›‹"


@given(st.text() | st.text(_SPECIAL, max_size=30))
def test_cleaned_text_holds_nothing_hidden_and_stays_as_it_is(text: str) -> None:
    cleaned = clean(text)
    assert not any(map(is_hidden, cleaned))
    assert not has_control_characters(cleaned)
    assert clean(cleaned) == cleaned


def test_a_name_with_hidden_characters_is_noticed() -> None:
    assert has_control_characters("a\u200b")
    assert not has_control_characters("Zürich 1")


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("名前", 4, "名前"),
        ("名前だ", 4, "名…"),
        ("abcd", 1, "…"),
        ("abcd", 0, ""),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("❤\ufe0f❤\ufe0f❤\ufe0f", 4, "❤\ufe0f…"),
        ("👩\u200d👧👩\u200d👧", 3, "👩\u200d👧…"),
    ],
)
def test_text_is_cut_by_cells_not_by_characters(text: str, width: int, cut: str) -> None:
    assert shorten(text, width) == cut


@pytest.mark.parametrize("name", ["தமிழ்நாடு", "ಅಲ್ಗೇರಿ", "မြန်မာ", "क्षत्रिय", "👩\u200d👧 ❤️"])
def test_a_text_is_as_wide_as_its_glyphs_together(name: str) -> None:
    assert width_cells(name) == sum(map(width_cells, iter_graphemes(name)))
    assert width_cells(pad(name, 12)) == 12


@given(st.text(), st.integers(0, 20))
def test_padded_text_fills_its_cells_exactly(text: str, width: int) -> None:
    padded = pad(clean(text), width)
    assert width_cells(padded) <= width
    if clean(text).isascii():
        assert len(padded) == width


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("zurich", "Zürich"),
        ("zürich", "Zürich"),
        ("zurich", "Zu\u0308rich"),
        ("sao paulo luz", "São Paulo Luz"),
        ("ha noi", "Hà Nội"),
        ("istanbul", "İstanbul"),
        ("東京", "東京 タワー"),
    ],
)
def test_a_name_is_found_with_and_without_its_accents(typed: str, name: str) -> None:
    assert typed in searchable(name)


def test_a_text_without_accents_is_searched_once() -> None:
    assert searchable("Berlin 東京") == "berlin 東京"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Berlin Rack 4", "berlin-rack-4"),
        ("Zürich/Süd", "zurich-sud"),
        ("../../etc/passwd", "etc-passwd"),
        ("名前", "unnamed"),
        ("", "unnamed"),
        ("con.", "con"),
        ("a" * 60, "a" * 40),
        ("a" * 39 + " b", "a" * 39),
    ],
)
def test_a_slug_is_a_harmless_file_name(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(st.text())
def test_every_name_has_a_slug_of_letters_digits_and_hyphens(name: str) -> None:
    made = slug(name)
    assert 0 < len(made) <= 40
    assert made.replace("-", "").isascii()
    assert made.replace("-", "").isalnum()
    assert not made.startswith("-")


def test_characters_that_are_taken_for_narrow_are_so_to_wcwidth_too() -> None:
    narrow = [chr(point) for point in range(0x300)] + list(_NARROW_SIGNS)
    shown = [character for character in narrow if not is_hidden(character)]
    assert {character for character in shown if wcwidth(character) != 1} == set()
    assert all(width_cells(character) == 1 for character in shown)
