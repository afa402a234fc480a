"""Textual's own DataTable with the rows of a CSV file, as its manual shows it."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable


class DataTableApp(App[None]):
    """Shows the file named by the first argument; q leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit")]

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        """Read the file into the table."""
        table: DataTable[str] = self.query_one(DataTable)
        with Path(sys.argv[1]).open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            table.add_columns(*next(rows))
            table.add_rows(rows)


if __name__ == "__main__":
    DataTableApp().run()
