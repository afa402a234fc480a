"""The widgets by themselves: the table without rows, widths of columns, facts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input, OptionList

from tui_licenses.text import width_cells
from tui_licenses.tui.widgets.column_fit import GAP_CELLS, fit_columns
from tui_licenses.tui.widgets.fact_table import FactTable
from tui_licenses.tui.widgets.row_table import RowTable, TableColumn
from tui_licenses.tui.widgets.type_ahead import TypeAhead


@dataclass(frozen=True)
class Width:
    """A column that is nothing but its widths."""

    width: int
    minimum: int
    drop_order: int = 0


class Host(App[None]):
    """An app around one widget."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self._widget = widget

    def compose(self) -> ComposeResult:
        yield self._widget


@asynccontextmanager
async def _hosted(widget: Widget) -> AsyncIterator[Pilot[Any]]:
    async with Host(widget).run_test(size=(40, 10)) as pilot:
        yield pilot


def _table() -> RowTable[str]:
    columns: tuple[TableColumn[str], ...] = (
        TableColumn("name", "Name", 20, 5, str),
        TableColumn("size", "Size", 4, 4, lambda row: str(len(row)), drop_order=1),
    )
    return RowTable(columns, str)


@pytest.mark.parametrize("key", ["up", "down", "pageup", "pagedown", "home", "end", "enter"])
async def test_a_table_without_rows_takes_every_key_calmly(key: str) -> None:
    table = _table()
    async with _hosted(table) as pilot:
        table.show_rows((), message=("Nothing here.",))
        await pilot.press(key)
        await pilot.click(table, offset=(2, 5))
        assert (table.cursor_row, table.cursor_id) == (None, None)
        assert not table.move_to("anything")


async def test_keys_and_clicks_move_the_cursor_and_it_stays_in_sight() -> None:
    table = _table()
    rows = [f"row {number}" for number in range(50)]
    async with _hosted(table) as pilot:
        table.focus()
        table.show_rows(rows)
        for key, expected in (
            ("end", 49),
            ("up", 48),
            ("pageup", 40),
            ("home", 0),
            ("j", 1),
            ("pagedown", 9),
            ("k", 8),
        ):
            await pilot.press(key)
            assert table.cursor_id == rows[expected]
            top = table.scroll_offset.y
            assert top <= expected < top + 9
        await pilot.click(table, offset=(2, 1))
        assert table.cursor_id == rows[round(table.scroll_y)]
        assert table.move_to("row 30")
        assert table.cursor_row == "row 30"


async def test_the_cursor_takes_the_place_of_a_row_that_went() -> None:
    table = _table()
    async with _hosted(table):
        table.show_rows(("a", "b", "c"))
        table.move_to("c")
        table.show_rows(("a", "c"))
        assert table.cursor_id == "c"
        table.show_rows(("a", "b"))
        assert table.cursor_id == "b"
        table.show_rows(())
        assert table.cursor_id is None


async def test_lines_are_made_for_rows_in_sight_only() -> None:
    seen: list[int] = []

    def cell(row: int) -> str:
        seen.append(row)
        return str(row)

    table = RowTable((TableColumn("n", "N", 9, 4, cell),), str)
    async with _hosted(table) as pilot:
        table.show_rows(range(100_000))
        await pilot.pause()
        assert max(seen) < 10


async def test_a_line_is_as_wide_as_the_table_whatever_the_script() -> None:
    names = ("東京 新橋駅 " * 9, "मुंबई छत्रपति टर्मिनस", "e\u0301" * 50, "👩‍👩‍👧 family", "x")
    table = _table()
    async with _hosted(table):
        table.show_rows(names)
        width = table.scrollable_content_region.width
        for y in range(1, len(names) + 1):
            text = "".join(segment.text for segment in table.render_line(y))
            assert width_cells(text) == width


async def test_many_lines_seen_do_not_pile_up() -> None:
    table = _table()
    async with _hosted(table):
        table.show_rows([str(number) for number in range(5_000)])
        for top in range(0, 4_900, 8):
            table.scroll_to(y=top, animate=False, force=True, immediate=True)
            for y in range(10):
                table.render_line(y)
        assert len(table._lines) <= 2_001


async def test_facts_stand_in_two_columns_and_are_never_markup() -> None:
    facts = FactTable()
    async with _hosted(facts) as pilot:
        facts.show((("Name", "host[/prod]\x1b"), ("A longer name", Text("plain"))))
        await pilot.pause()
        text = facts.render_line(0).text.rstrip()
        assert text == "Name           host[/prod]‹U+001B›"
        assert facts.render_line(1).text.rstrip() == "A longer name  plain"
        facts.show(())


def test_columns_get_what_they_want_where_there_is_room() -> None:
    fitted = fit_columns((Width(10, 5), Width(4, 4)), 40)
    assert [width for _, width in fitted] == [35, 4]
    exact = fit_columns((Width(10, 5), Width(20, 5), Width(4, 4)), 26)
    assert sum(width for _, width in exact) == 24


def test_the_least_wanted_column_goes_first() -> None:
    columns = (Width(10, 10), Width(10, 10, 1), Width(10, 10, 2))
    assert [column for column, _ in fit_columns(columns, 25)] == [columns[0], columns[1]]
    assert [column for column, _ in fit_columns(columns, 5)] == [columns[0]]
    assert fit_columns((), 80) == ()


@given(
    st.lists(
        st.builds(
            lambda minimum, more, drop: Width(minimum + more, minimum, drop),
            st.integers(1, 20),
            st.integers(0, 30),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 250),
)
def test_columns_never_get_less_than_their_minimum_nor_more_than_there_is(
    columns: list[Width], width: int
) -> None:
    fitted = fit_columns(columns, width)
    assert all(cells >= column.minimum for column, cells in fitted)
    used = sum(cells for _, cells in fitted) + GAP_CELLS * (len(fitted) - 1)
    if any(column.drop_order for column, _ in fitted):
        assert used <= width


async def test_what_is_typed_after_a_choice_takes_the_choice_back() -> None:
    type_ahead = TypeAhead(lambda typed: [("x", "Xi")] if "x" in typed else [], placeholder="")
    async with _hosted(type_ahead) as pilot:
        await pilot.press("x")
        type_ahead.query_one(OptionList).action_select()
        type_ahead.query_one(Input).value = "y"
        type_ahead.search_again()
        await pilot.pause()
        assert type_ahead.text == "y"
