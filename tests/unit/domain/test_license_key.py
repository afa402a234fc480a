"""Keys are typed in many ways and mean one thing; they are shown grouped or masked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.values import make_key
from tui_licenses.domain.license_key import KeyKind, group_key, mask_key, normalise_key
from tui_licenses.errors import UseError

KEYS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=16, max_size=16)


@pytest.mark.parametrize(
    "typed",
    [
        "ABCD-EFGH-1234-5678",
        "abcdefgh12345678",
        " abcd efgh 1234 5678 ",
        "abcd\u2013efgh\u20131234\u20135678",
        "abcd.efgh_1234\t5678",
    ],
)
def test_a_key_is_accepted_however_it_is_typed(typed: str) -> None:
    assert normalise_key(typed) == "ABCDEFGH12345678"


@given(KEYS)
def test_normalising_is_idempotent_and_undoes_grouping(key: str) -> None:
    assert normalise_key(key) == key
    assert normalise_key(normalise_key(group_key(key).lower())) == key


@pytest.mark.parametrize("typed", ["", "ABCD", "ABCDEFGH123456789", "ABCDEFGH1234567ß"])
def test_a_wrong_length_is_counted_not_repeated(typed: str) -> None:
    with pytest.raises(UseError) as caught:
        normalise_key(typed)
    assert caught.value.code == "key-format"
    assert not typed or typed not in str(caught.value)


@pytest.mark.parametrize("typed", ["ABCDEFGH1234567!", "ABCDEFGH1234567Ä", "ABCDEFGH1234567٣"])
def test_other_characters_are_refused(typed: str) -> None:
    with pytest.raises(UseError, match="letters A to Z"):
        normalise_key(typed)


@given(st.text(max_size=40))
def test_any_text_is_a_key_or_a_key_format_error(text: str) -> None:
    try:
        assert len(normalise_key(text)) == 16
    except UseError as error:
        assert error.code == "key-format"  # noqa: PT017


def test_a_masked_key_shows_its_last_four_only() -> None:
    assert group_key("ABCDEFGH12345678") == "ABCD-EFGH-1234-5678"
    assert mask_key("ABCDEFGH12345678") == "••••-••••-••••-5678"


def test_a_master_is_told_from_an_add_on() -> None:
    assert make_key().is_master
    assert not make_key(kind=KeyKind.ADD_ON).is_master
