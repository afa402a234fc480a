"""Names and values in two columns, for the screens that show one thing."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text
from textual.widgets import Static

from tui_licenses.text import clean

_GAP_CELLS = 2


class FactTable(Static):
    """Shows (name, value) pairs, one a line; a value may be a `Text` of its own colours."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__("", markup=False, id=id)

    def show(self, facts: Iterable[tuple[str, str | Text]]) -> None:
        """Show other facts; plain values are cleaned here, long ones wrap below themselves."""
        table = Table.grid(padding=(0, _GAP_CELLS, 0, 0))
        table.add_column(no_wrap=True, style="bold")
        table.add_column(overflow="fold")
        for name, value in facts:
            shown = Text(clean(value)) if isinstance(value, str) else value
            table.add_row(Text(name), shown)
        self.update(table)
