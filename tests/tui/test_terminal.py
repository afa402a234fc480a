"""Clipboard, ASCII, style sheets, places, the log: what the dashboard stands on."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.color import Color

from tui_licenses import paths
from tui_licenses.config import Settings
from tui_licenses.domain.status import STATUS_SYMBOLS
from tui_licenses.errors import UseError
from tui_licenses.text import clean, width_cells
from tui_licenses.tui.clipboard import TEXT_BYTES_MAXIMUM, copy_sequence
from tui_licenses.tui.crash import record_failure
from tui_licenses.tui.place import Place, PlaceKind
from tui_licenses.tui.screens.problem import ProblemApp
from tui_licenses.tui.theme import THEMES, style_sheets, to_ascii

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_a_copy_is_an_osc_52_sequence() -> None:
    assert copy_sequence("kéy", {}) == f"\x1b]52;c;{base64.b64encode('kéy'.encode()).decode()}\a"


def test_inside_tmux_the_sequence_is_wrapped() -> None:
    wrapped = copy_sequence("a", {"TMUX": "/tmp/tmux"})
    assert wrapped == "\x1bPtmux;\x1b\x1b]52;c;YQ==\a\x1b\\"


def test_what_terminals_would_drop_is_not_sent() -> None:
    assert copy_sequence("x" * TEXT_BYTES_MAXIMUM, {}) is not None
    assert copy_sequence("x" * (TEXT_BYTES_MAXIMUM + 1), {}) is None
    assert copy_sequence("\ud800", {}) is not None


@given(st.text())
def test_ascii_is_ascii_and_as_wide_as_before(text: str) -> None:
    cleaned = clean(text)
    plain = to_ascii(cleaned)
    assert plain.isascii()
    assert len(plain) == sum(width_cells(character) for character in cleaned)


def test_signs_of_the_dashboard_have_a_plain_form() -> None:
    for sign, plain in STATUS_SYMBOLS.values():
        assert to_ascii(sign) == plain
    assert to_ascii("╭─█ Zürich 東京") == "+-  Zurich ????"


def test_every_sheet_is_found_and_the_shared_ones_come_first() -> None:
    names = [Path(sheet).name for sheet in style_sheets()]
    assert names[:2] == ["tokens.tcss", "widgets.tcss"]
    assert len(names) == len(set(names))
    assert "licenses.tcss" in names


@pytest.mark.parametrize("name", ["dark", "light"])
def test_words_stand_out_from_their_background(name: str) -> None:
    theme = next(theme for theme in THEMES if theme.name == name)
    background = Color.parse(theme.background or "")
    muted = theme.variables["muted"]
    for colour in (theme.foreground, theme.success, theme.warning, theme.error, muted):
        # 4.5 is what WCAG 2 asks for text.
        assert _contrast(Color.parse(colour or ""), background) >= 4.5


def _contrast(one: Color, other: Color) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Color) -> float:
    parts = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in color.normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_a_place_is_a_kind_and_an_id() -> None:
    assert Place.parse(" key/abc ") == Place(PlaceKind.KEY, "abc")


@pytest.mark.parametrize("text", ["", "key", "key/", "user/abc", "key/a/b", "/"])
def test_anything_else_is_no_place(text: str) -> None:
    with pytest.raises(UseError):
        Place.parse(text)


def _failure() -> Exception:
    try:
        try:
            raise KeyError("TOPSECRET")
        except KeyError as error:
            raise ValueError("TOPSECRET") from error
    except ValueError as error:
        return error


def test_a_failure_is_recorded_without_what_it_says() -> None:
    told = record_failure(_failure(), NOW)
    log = paths.log_file()
    assert str(log) in told.next_step
    assert log.stat().st_mode & 0o777 == 0o600
    text = log.read_text()
    assert "ValueError" in text
    assert "caused by KeyError" in text
    assert "TOPSECRET" not in text + str(told)


def test_the_log_does_not_grow_without_end() -> None:
    record_failure(_failure(), NOW)
    log = paths.log_file()
    log.write_text("x" * 1_000_001)
    record_failure(_failure(), NOW)
    assert log.stat().st_size < 10_000
    assert log.with_suffix(".log.1").exists()


def test_a_failure_that_cannot_be_recorded_is_still_told() -> None:
    paths.state_folder().parent.mkdir(parents=True)
    paths.state_folder().write_text("a file where the folder should be")
    assert "could not be recorded" in record_failure(_failure(), NOW).next_step


@pytest.mark.parametrize(
    ("key", "is_again"), [("r", True), ("q", False), ("ctrl+c", False), ("escape", False)]
)
async def test_after_a_bug_the_user_decides_how_to_go_on(key: str, is_again: bool) -> None:
    app = ProblemApp(record_failure(_failure(), NOW), Settings(ascii=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
    assert app.return_value is is_again
