"""A table that builds only the lines that are seen, with a cursor that stays on its row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender
from textual.strip import Strip

from tui_licenses.text import clean, pad, shorten, width_cells
from tui_licenses.tui.keys import MOVE_KEYS
from tui_licenses.tui.widgets.column_fit import GAP_CELLS, fit_columns
from tui_licenses.tui.widgets.table_column import Indexed, RowT, TableColumn, no_tone

__all__ = ["RowTable", "TableColumn"]

_HEADER_LINES = 1
# Before the first column: the mark, and a space between it and the name.
_GUTTER_CELLS = 2
_MARK = "✓"
_LINES_KEPT = 2_000


class _WholeCells(ScrollBarRender):
    """A thumb of whole cells: it changes when it moves by a line, not with each row."""

    VERTICAL_BARS: ClassVar[list[str]] = [ScrollBarRender.BLANK_GLYPH]


class RowTable(ScrollView, Generic[RowT], can_focus=True):
    """Rows of any kind, drawn line by line; nothing is made for a row before it is seen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "row-table--header",
        "row-table--cursor",
        "row-table--blurred-cursor",
        "row-table--good",
        "row-table--warning",
        "row-table--bad",
        "row-table--dim",
        "row-table--strong",
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(",".join(key.keys), key.action, key.help, show=False) for key in MOVE_KEYS),
        Binding("enter", "open", "Open", show=False),
    ]

    @dataclass
    class Opened(Message):
        """A row was opened, by Enter or by a double click."""

        table: RowTable[Any]
        row_id: str

        @property
        def control(self) -> RowTable[Any]:
            """Return the sender, so that `@on` can select by it."""
            return self.table

    @dataclass
    class Moved(Message):
        """The cursor stands on another row; None where there is no row."""

        table: RowTable[Any]
        row_id: str | None

        @property
        def control(self) -> RowTable[Any]:
            """Return the sender, so that `@on` can select by it."""
            return self.table

    @dataclass
    class TitleClicked(Message):
        """The title of a column was clicked."""

        table: RowTable[Any]
        column_id: str

        @property
        def control(self) -> RowTable[Any]:
            """Return the sender, so that `@on` can select by it."""
            return self.table

    def __init__(
        self,
        columns: Sequence[TableColumn[RowT]],
        row_id: Callable[[RowT], str],
        *,
        row_tone: Callable[[RowT], str | None] = no_tone,
        has_marks: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._row_id = row_id
        self._row_tone = row_tone
        self._gutter = _GUTTER_CELLS if has_marks else 0
        self._rows: Sequence[RowT] = ()
        self._marked_ids: frozenset[str] = frozenset()
        self._sort: tuple[str, bool] | None = None
        self._message: tuple[str, ...] = ()
        self._cursor = 0
        self._cursor_id: str | None = None
        self._fitted: tuple[tuple[TableColumn[RowT], int], ...] = ()
        self._fitted_width = -1
        self._lines: dict[tuple[int, int], Strip] = {}
        self._styles: dict[str | None, Style] = {}

    def on_mount(self) -> None:
        """Draw the scrollbar in few bytes."""
        self.vertical_scrollbar.renderer = _WholeCells  # type: ignore[misc] # so it is meant

    # What is shown

    @property
    def rows(self) -> Sequence[RowT]:
        """Return the rows that are shown."""
        return self._rows

    @property
    def cursor_row(self) -> RowT | None:
        """Return the row under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    @property
    def cursor_id(self) -> str | None:
        """Return the id of the row under the cursor."""
        return self._cursor_id

    @property
    def is_at_top(self) -> bool:
        """Say whether the cursor stands on the first row and keys move it."""
        return self._cursor == 0 and not self.scroll_y and self.has_focus

    def show_rows(
        self,
        rows: Sequence[RowT],
        *,
        marked_ids: frozenset[str] = frozenset(),
        sort: tuple[str, bool] | None = None,
        message: Sequence[str] = (),
    ) -> None:
        """Show other rows; the cursor stays on its row by id, else on its place.

        `sort` is the column the rows are sorted by and whether it descends; `message` are the
        lines to show where there are no rows.
        """
        before = self._cursor_id
        offset = self._cursor - round(self.scroll_y)
        self._rows = rows
        self._marked_ids = marked_ids
        self._sort = sort
        self._message = tuple(clean(line) for line in message)
        self._cursor = self._find_cursor()
        self._cursor_id = self._row_id(rows[self._cursor]) if rows else None
        self._lines.clear()
        # No width: rows are fitted, never scrolled sideways.
        self.virtual_size = Size(0, len(rows) + _HEADER_LINES)
        self._keep_cursor_at(offset)
        self.refresh()
        if self._cursor_id != before:
            self.post_message(self.Moved(self, self._cursor_id))

    def show_marks(self, marked_ids: frozenset[str]) -> None:
        """Show other marks on the same rows."""
        self._marked_ids = marked_ids
        self._lines.clear()
        self.refresh()

    def move_to(self, row_id: str) -> bool:
        """Put the cursor on the row with an id; says whether there is one."""
        index = self._index_of(row_id)
        if index is not None:
            self._put_cursor(index)
        return index is not None

    def _index_of(self, row_id: str) -> int | None:
        if isinstance(self._rows, Indexed):
            return self._rows.index_of(row_id)
        return next(
            (index for index, row in enumerate(self._rows) if self._row_id(row) == row_id), None
        )

    def _find_cursor(self) -> int:
        last = len(self._rows) - 1
        if last < 0:
            return 0
        place = min(self._cursor, last)
        if self._cursor_id is None or self._row_id(self._rows[place]) == self._cursor_id:
            return place
        index = self._index_of(self._cursor_id)
        return place if index is None else index

    def _keep_cursor_at(self, offset: int) -> None:
        """Scroll so that the cursor stands on the same line of the terminal as before."""
        page = self._page_lines
        if not page:
            return
        top = max(0, self._cursor - max(0, min(offset, page - 1)))
        self.scroll_to(y=top, animate=False, force=True, immediate=True)

    # Drawing

    @property
    def _page_lines(self) -> int:
        return max(0, self.scrollable_content_region.height - _HEADER_LINES)

    def _fit(self, width: int) -> None:
        """Fit the columns into a width: a new size is drawn before the message of it is read."""
        if width != self._fitted_width:
            self._fitted_width = width
            self._fitted = fit_columns(self._columns, width - self._gutter)
            self._lines.clear()

    def on_resize(self) -> None:
        """Keep the cursor in sight; the columns are fitted when a line is drawn."""
        self._scroll_into_sight()

    def notify_style_update(self) -> None:
        """Forget lines drawn in other colours."""
        self._lines.clear()
        self._styles.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """Return line `y` of what is in sight: the titles, then the rows."""
        width = self.scrollable_content_region.width
        self._fit(width)
        if y == 0:
            return self._line(self._titles(), width, self._style("header"))
        index = round(self.scroll_y) + y - _HEADER_LINES
        if index >= len(self._rows):
            text = ""
            if not self._rows and 1 < y <= len(self._message) + 1:
                text = " " * self._gutter + self._message[y - 2]
            return self._line(text, width, self._style(None))
        kept = self._lines.get((index, width))
        if kept is None:
            if len(self._lines) > _LINES_KEPT:
                self._lines.clear()
            kept = self._lines[index, width] = self._draw(index, width)
        return kept

    def _draw(self, index: int, width: int) -> Strip:
        row = self._rows[index]
        mark = _MARK if self._row_id(row) in self._marked_ids else ""
        parts: list[tuple[str, str | None]] = [(pad(mark, self._gutter), None)]
        tone = self._row_tone(row)
        texts = [clean(column.cell(row)) for column, _ in self._fitted]
        covered = 0
        for number, (column, cells) in enumerate(self._fitted):
            if covered > number:
                continue
            covered = number + 1
            while column.may_run_on and covered < len(texts) and not texts[covered]:
                cells += GAP_CELLS + self._fitted[covered][1]  # noqa: PLW2901 - it grew
                covered += 1
            gap = " " * GAP_CELLS if covered < len(texts) else ""
            text = pad(column.shorten(texts[number], cells), cells) + gap
            parts.append((text, column.tone(row) or tone))
        if index == self._cursor:
            name = "cursor" if self.has_focus else "blurred-cursor"
            return self._line("".join(text for text, _ in parts), width, self._style(name))
        return self._strip(parts, width)

    def _strip(self, parts: Sequence[tuple[str, str | None]], width: int) -> Strip:
        # Neighbours of one tone become one segment: each segment costs its own colour codes.
        segments: list[Segment] = []
        run, run_tone = "", parts[0][1]
        for text, tone in parts:
            if tone != run_tone:
                segments.append(Segment(run, self._style(run_tone)))
                run, run_tone = "", tone
            run += text
        used = sum(width_cells(text) for text, _ in parts)
        segments.append(Segment(run + " " * (width - used), self._style(run_tone)))
        # The width is told, not measured again: the terminal is the judge of it, and Rich counts
        # some scripts in another way.
        return Strip(segments, width)

    def _line(self, text: str, width: int, style: Style) -> Strip:
        return Strip([Segment(pad(text, width), style)], width)

    def _titles(self) -> str:
        line = " " * self._gutter
        for column, cells in self._fitted:
            title = shorten(column.title, cells)
            if self._sort is not None and self._sort[0] == column.id:
                # May stand in the gap after a title that fills its column.
                title += "▼" if self._sort[1] else "▲"
            line += pad(title, cells + GAP_CELLS)
        return line.rstrip()

    def _style(self, name: str | None) -> Style:
        """Return the style of a part, or of a row without a tone."""
        # Asked for with every segment; Textual puts it together anew each time.
        style = self._styles.get(name)
        if style is None:
            style = self.rich_style
            if name is not None:
                style = self.get_component_rich_style(f"row-table--{name}")
            self._styles[name] = style
        return style

    def on_focus(self) -> None:
        """Draw the cursor as the one that keys move."""
        self._redraw_row(self._cursor)

    def on_blur(self) -> None:
        """Draw the cursor as one that waits."""
        self._redraw_row(self._cursor)

    # Moving

    def _put_cursor(self, wanted: int) -> None:
        if not self._rows:
            return
        before = self._cursor
        self._cursor = max(0, min(len(self._rows) - 1, wanted))
        self._cursor_id = self._row_id(self._rows[self._cursor])
        self._scroll_into_sight()
        if self._cursor != before:
            self._redraw_row(before)
            self._redraw_row(self._cursor)
            self.post_message(self.Moved(self, self._cursor_id))

    def _scroll_into_sight(self) -> None:
        top, page = round(self.scroll_y), self._page_lines
        if not page:
            return
        if self._cursor < top:
            wanted = self._cursor
        elif self._cursor >= top + page:
            wanted = self._cursor - page + 1
        else:
            return
        self.scroll_to(y=wanted, animate=False, force=True, immediate=True)

    def _redraw_row(self, index: int) -> None:
        """Redraw the one line a row stands on, and no other."""
        self._lines = {key: line for key, line in self._lines.items() if key[0] != index}
        y = index - round(self.scroll_y) + _HEADER_LINES
        if _HEADER_LINES <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self._put_cursor(self._cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by what is in sight, less one row that stays as a guide."""
        self._put_cursor(self._cursor + pages * max(1, self._page_lines - 1))

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self._put_cursor(0)

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self._put_cursor(len(self._rows) - 1)

    def action_open(self) -> None:
        """Tell that the row under the cursor was opened."""
        if self._cursor_id is not None:
            self.post_message(self.Opened(self, self._cursor_id))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to a clicked row, open one clicked twice, tell of a clicked title."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            column_id = self._column_at(offset.x)
            if column_id is not None:
                self.post_message(self.TitleClicked(self, column_id))
            return
        index = round(self.scroll_y) + offset.y - _HEADER_LINES
        if index < len(self._rows):
            self._put_cursor(index)
            if event.chain == 2:
                self.action_open()

    def _column_at(self, x: int) -> str | None:
        edge = self._gutter
        for column, cells in self._fitted:
            edge += cells + GAP_CELLS
            if x < edge:
                return column.id
        return None
