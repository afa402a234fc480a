"""The server profile of an instance as a table: section, attribute, value."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Input, Static

from tui_licenses.domain.hardware import HardwareRow
from tui_licenses.errors import TuiLicensesError
from tui_licenses.files import write_private
from tui_licenses.state.app_state import AppState
from tui_licenses.state.store import Store
from tui_licenses.text import clean, spreadsheet_cell
from tui_licenses.tui.commands import HARDWARE, Situation, bindings_of
from tui_licenses.tui.license_rows import Subject, find_instance
from tui_licenses.tui.screens.base import DomainScreen
from tui_licenses.tui.screens.download import DownloadScreen
from tui_licenses.tui.widgets.account_header import AccountHeader
from tui_licenses.tui.widgets.command_footer import CommandFooter
from tui_licenses.tui.widgets.inline_problem import InlineProblem
from tui_licenses.tui.widgets.row_table import RowTable, TableColumn
from tui_licenses.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from tui_licenses.wiring import Services

_REPLACE_STEP = "Save into another folder, or tick the box that replaces it."

NumberedRow = tuple[int, HardwareRow]

_COLUMNS: tuple[TableColumn[NumberedRow], ...] = (
    TableColumn("section", "Section", 30, 16, lambda row: row[1].section),
    TableColumn("attribute", "Attribute", 20, 12, lambda row: row[1].attribute),
    TableColumn("value", "Value", 44, 20, lambda row: row[1].value),
)


class HardwareScreen(DomainScreen):
    """Loads the server profile and shows it; what is filtered away is neither copied nor saved."""

    NAME = HARDWARE
    BINDINGS = bindings_of(HARDWARE)

    def __init__(self, services: Services, store: Store, instance_id: str) -> None:
        super().__init__(services, store)
        self.instance_id = instance_id
        self._subject = find_instance(store.state, instance_id)
        self._rows: tuple[NumberedRow, ...] = ()
        self._is_loading = True

    def compose(self) -> ComposeResult:
        yield AccountHeader(self.services, self.store)
        yield Static("", id="title", markup=False)
        yield InlineProblem(id="problem")
        field = Input(placeholder="filter: all words must occur", compact=True, id="filter")
        field.cursor_blink = False
        yield field
        yield RowTable[NumberedRow](_COLUMNS, lambda row: str(row[0]), id="hardware")
        yield Static("", id="value", markup=False)
        yield StatusLine()
        yield CommandFooter(HARDWARE)

    def on_mount(self) -> None:
        self.query_one("#filter").display = False
        self.set_focus(self._table)
        self._load()

    # State → view

    def show(self, before: AppState, after: AppState) -> None:
        """Show the name of the instance as the state has it."""
        if before.inventory is not after.inventory:
            known = find_instance(after, self.instance_id)
            if known.instance is not None:
                self._subject = known
        instance = self._subject.instance
        name = "" if instance is None else f": {clean(instance.name)}"
        self.query_one("#title", Static).update(Text(f"Hardware Information{name}"))
        self._show_rows()

    def situation(self) -> Situation:
        """Return what commands act on: this instance."""
        return self._subject.situation(self.store.state)

    @property
    def _table(self) -> RowTable[NumberedRow]:
        return self.query_one("#hardware", RowTable)

    def _show_rows(self) -> None:
        words = self.query_one("#filter", Input).value.casefold().split()
        shown = tuple(row for row in self._rows if _matches(row[1], words))
        message = "Reading the server profile…" if self._is_loading else "No row matches."
        self._table.show_rows(shown, message=(message,))
        self._show_value()

    def _show_value(self) -> None:
        row = self._table.cursor_row
        text = "" if row is None else row_text(row[1])
        self.query_one("#value", Static).update(Text(text, overflow="fold"))

    @work(group="hardware", exclusive=True)
    async def _load(self) -> None:
        try:
            if self._subject.instance is None:
                instance = await self.services.inventory.show_instance(self.instance_id)
                self._subject = Subject(instance)
            rows = await self.services.instances.hardware(self.instance_id)
        except TuiLicensesError as error:
            self.query_one(InlineProblem).show(error)
        else:
            self._rows = tuple(enumerate(rows))
        self._is_loading = False
        self.show(self.store.state, self.store.state)

    # User → service

    def action_filter(self) -> None:
        """Let a filter be typed."""
        field = self.query_one("#filter", Input)
        field.display = True
        self.set_focus(field)

    def action_back(self) -> None:
        """Clear the filter, else leave."""
        field = self.query_one("#filter", Input)
        if not field.display:
            super().action_back()
            return
        field.value = ""
        field.display = False
        self.set_focus(self._table)

    @on(Input.Changed, "#filter")
    def _filter_rows(self, event: Input.Changed) -> None:
        event.stop()
        self._show_rows()

    @on(Input.Submitted, "#filter")
    def _go_to_rows(self, event: Input.Submitted) -> None:
        event.stop()
        self.set_focus(self._table)

    @on(RowTable.Moved, "#hardware")
    def _follow_cursor(self, event: RowTable.Moved) -> None:
        event.stop()
        self._show_value()

    @on(RowTable.Opened, "#hardware")
    def _copy_opened(self, event: RowTable.Opened) -> None:
        event.stop()
        self.action_copy_row()

    def action_copy_row(self) -> None:
        """Copy the row under the cursor as one line."""
        row = self._table.cursor_row
        if row is not None:
            self.dashboard.copy(row_text(row[1]))

    @work(group="export", exclusive=True)
    async def action_export(self) -> None:
        """Save the rows that are shown as CSV, after asking where to."""
        instance = self._subject.instance
        rows = tuple(row for _, row in self._table.rows)
        if instance is None or not rows:
            self.dashboard.tell("There is no row to save.")
            return
        downloads = self.services.downloads
        name = downloads.profile_name(instance).removesuffix(".xml") + ".csv"
        note = f"{len(rows)} row{'' if len(rows) == 1 else 's'} of the hardware table"
        choice = await self.app.push_screen_wait(
            DownloadScreen(None, [name], downloads.default_folder(), note)
        )
        if choice is None:
            return
        path = choice.folder / name
        try:
            await asyncio.to_thread(
                write_private, path, csv_bytes(rows), replace=choice.force, keep_old=True
            )
        except TuiLicensesError as error:
            step = _REPLACE_STEP if error.code == "file-exists" else None
            self.query_one(InlineProblem).show(error, step)
            return
        self.query_one(InlineProblem).show(None)
        self.dashboard.tell(f"Saved: {path}")


def row_text(row: HardwareRow) -> str:
    """Return one row as one line."""
    return clean(f"{row.section} / {row.attribute}: {row.value}")


def csv_bytes(rows: Sequence[HardwareRow]) -> bytes:
    """Return rows as CSV with titles, safe to open in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("section", "attribute", "value"))
    for row in rows:
        writer.writerow(map(spreadsheet_cell, (row.section, row.attribute, row.value)))
    return text.getvalue().encode("utf-8")


def _matches(row: HardwareRow, words: list[str]) -> bool:
    text = f"{row.section} {row.attribute} {row.value}".casefold()
    return all(word in text for word in words)
