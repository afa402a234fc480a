"""The yardstick of the benchmarks: known pictures, known bytes."""

from __future__ import annotations

from benchmarks.ideal import ideal_bytes
from benchmarks.screen import Row, Screen

COLUMNS, ROWS = 20, 8


def _cells(*outputs: str) -> tuple[Row, ...]:
    screen = Screen(COLUMNS, ROWS)
    for output in outputs:
        screen.feed(output.encode())
    return screen.cells()


def _lines(first: int) -> str:
    """Return lines that have nothing in common."""
    return "\r\n".join(chr(ord("a") + first + number) * 12 for number in range(ROWS))


def test_equal_pictures_need_nothing() -> None:
    assert ideal_bytes(_cells("one\r\ntwo"), _cells("one\r\ntwo")) == 0


def test_one_cell_is_a_move_and_a_character() -> None:
    assert ideal_bytes(_cells(), _cells("\x1b[3;5Hx")) == len("\x1b[3;5Hx")


def test_a_short_gap_is_sent_again_and_a_long_one_jumped() -> None:
    before = _cells("abcdefghijklmnopqrst")
    assert ideal_bytes(before, _cells("XbcXefghijklmnopqrst")) == len("\x1b[1;1HXbcX")
    jumped = _cells("XbcdefghijklmnopqrsX")
    assert ideal_bytes(before, jumped) == len("\x1b[1;1HX\x1b[1;20HX")


def test_a_style_is_sent_where_it_changes_only() -> None:
    after = _cells("\x1b[1mbold\x1b[m")
    assert ideal_bytes(_cells(), after) == len("\x1b[1;1H\x1b[1;mbold")
    coloured = _cells("\x1b[38;5;200mab\x1b[m")
    assert ideal_bytes(_cells(), coloured) == len("\x1b[1;1H\x1b[38;5;200;mab")


def test_a_blank_end_of_a_line_is_erased() -> None:
    assert ideal_bytes(_cells("short and gone"), _cells("short")) == len("\x1b[1;6H\x1b[K")


def test_a_scroll_costs_the_new_line_and_little_more() -> None:
    scrolled = ideal_bytes(_cells(_lines(0)), _cells(_lines(1)))
    assert 12 < scrolled < 12 + len("\x1b[1;10r\x1b[1S\x1b[r\x1b[8;1H") + 5
    assert ideal_bytes(_cells(_lines(1)), _cells(_lines(0))) == scrolled


def test_a_wide_character_is_counted_once() -> None:
    assert ideal_bytes(_cells(), _cells("語")) == len("\x1b[1;1H") + len("語".encode())
