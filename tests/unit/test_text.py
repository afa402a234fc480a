"""Text from outside is made harmless, measured in cells and cut to fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcwidth

from tui_licenses.text import (
    _NARROW_SIGNS,
    clean,
    has_control_characters,
    is_hidden,
    pad,
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
        ("a\u202eb", "a‹U+202E›b"),
        ("\ue000\ud800", "‹U+E000›‹U+D800›"),
        ("a\u2028b", "a‹U+2028›b"),
        ("क\u200dष", "क\u200dष"),
        ("名前", "名前"),
    ],
)
def test_hidden_characters_are_shown_as_code_points(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text())
def test_cleaned_text_holds_nothing_hidden_and_stays_as_it_is(text: str) -> None:
    cleaned = clean(text)
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
    ],
)
def test_text_is_cut_by_cells_not_by_characters(text: str, width: int, cut: str) -> None:
    assert shorten(text, width) == cut


@given(st.text(), st.integers(0, 20))
def test_padded_text_fills_its_cells_exactly(text: str, width: int) -> None:
    padded = pad(clean(text), width)
    assert width_cells(padded) <= width
    if clean(text).isascii():
        assert len(padded) == width


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
