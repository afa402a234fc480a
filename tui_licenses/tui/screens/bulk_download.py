"""A download of many documents: how far it is, and in the end what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.timer import Timer
from textual.widgets import Static

from tui_licenses.service.bulk import BulkDownload
from tui_licenses.service.outcomes import BulkResult, DownloadOutcome
from tui_licenses.state.bulk_progress import BulkProgress
from tui_licenses.state.store import Store
from tui_licenses.text import clean
from tui_licenses.tui.commands import BULK_DOWNLOAD, bindings_of
from tui_licenses.tui.screens.base import DomainScreen
from tui_licenses.tui.widgets.command_footer import CommandFooter
from tui_licenses.tui.widgets.row_table import RowTable, TableColumn
from tui_licenses.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from tui_licenses.wiring import Services

# Twice a second: two lines, so that the bar costs a slow terminal next to nothing.
_REDRAWN_SECONDS = 0.5

FAILED, NOT_FETCHED, SAVED, ALREADY_THERE = "failed", "not fetched", "saved", "already there"
_TONES = {FAILED: "bad", NOT_FETCHED: "warning", SAVED: "good", ALREADY_THERE: "dim"}
_ORDER = tuple(_TONES)


@dataclass(frozen=True, slots=True)
class BulkRow:
    """One item of a download and what became of it."""

    name: str
    outcome: DownloadOutcome

    @property
    def result(self) -> str:
        """Return the result as a word."""
        if self.outcome.file is None:
            return FAILED if self.outcome.is_fetched else NOT_FETCHED
        return SAVED if self.outcome.file.is_new else ALREADY_THERE

    @property
    def told(self) -> str:
        """Return the file, or why there is none."""
        if self.outcome.file is not None:
            return self.outcome.file.path.name
        return "" if self.outcome.error is None else self.outcome.error.message


_COLUMNS: tuple[TableColumn[BulkRow], ...] = (
    TableColumn(
        "result", "Result", 13, 13, lambda row: row.result, tone=lambda row: _TONES[row.result]
    ),
    TableColumn("subject", "Of", 28, 12, lambda row: row.name),
    TableColumn("told", "File, or why there is none", 90, 20, lambda row: row.told),
)


class BulkDownloadScreen(DomainScreen):
    """Follows one bulk download; leaving it is stopping it, so nothing runs out of sight."""

    NAME = BULK_DOWNLOAD
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(BULK_DOWNLOAD)

    def __init__(
        self,
        services: Services,
        store: Store,
        title: str,
        bulk: BulkDownload,
        progress: BulkProgress,
    ) -> None:
        super().__init__(services, store)
        self._title = title
        self._bulk = bulk
        self._progress = progress
        self._is_running = True
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Static(Text(clean(self._title)), id="title")
        yield Static("", markup=False, id="progress")
        yield RowTable[BulkRow](_COLUMNS, lambda row: row.outcome.subject_id, id="results")
        yield Static("", markup=False, id="item")
        yield StatusLine()
        yield CommandFooter(BULK_DOWNLOAD)

    def on_mount(self) -> None:
        """Show the bar, and draw it again now and then."""
        self._table.show_rows(
            (),
            message=(
                "Esc stops the download; what is saved stays.",
                "What became of each file is listed here in the end.",
            ),
        )
        self._show_progress()
        self._timer = self.set_interval(_REDRAWN_SECONDS, self._show_progress)
        self.set_focus(self._table)

    @property
    def _table(self) -> RowTable[BulkRow]:
        return self.query_one("#results", RowTable)

    def _show_progress(self) -> None:
        shown = Text(f"{self._progress.bar}\n{self._progress.counts}", no_wrap=True)
        self.query_one("#progress", Static).update(shown, layout=False)

    def end(self) -> None:
        """Draw the bar for the last time; from now on the screen can be left."""
        self._is_running = False
        if self._timer is not None:
            self._timer.stop()
        self._show_progress()

    def show_result(self, names: Sequence[str], result: BulkResult) -> None:
        """Show what became of each item, failures first; `names` are theirs, in the same order."""
        rows = [
            BulkRow(name, outcome) for name, outcome in zip(names, result.outcomes, strict=True)
        ]
        rows.sort(key=lambda row: _ORDER.index(row.result))
        self._table.show_rows(rows)
        self._show_item()
        if result.checksums_error is not None:
            self.dashboard.tell(f"SHA256SUMS is missing: {result.checksums_error.message}")
        elif all(outcome.file is not None for outcome in result.outcomes):
            self.dashboard.tell(
                "All files are there; SHA256SUMS beside them lists their checksums."
            )
        else:
            self.dashboard.tell("What is missing stays marked: the same key fetches only that.")

    @on(RowTable.Moved, "#results")
    def _follow_cursor(self, event: RowTable.Moved) -> None:
        event.stop()
        self._show_item()

    def _show_item(self) -> None:
        row = self._table.cursor_row
        lines: tuple[str, ...] = ()
        if row is not None and row.outcome.file is not None:
            lines = (str(row.outcome.file.path), f"SHA-256: {row.outcome.file.sha256}")
        elif row is not None and row.outcome.error is not None:
            lines = (row.outcome.error.message, row.outcome.error.next_step)
        shown = Text("\n".join(map(clean, lines)), overflow="fold")
        self.query_one("#item", Static).update(shown)

    def action_copy_row(self) -> None:
        """Copy the path of the file under the cursor, or why there is none."""
        row = self._table.cursor_row
        if row is not None:
            file = row.outcome.file
            self.dashboard.copy(clean(row.told if file is None else str(file.path)))

    def action_back(self) -> object:
        """Stop the download; once it has ended, go back to the list."""
        if not self._is_running:
            return self.dismiss()
        self._bulk.stop()
        return None

    def leave(self, status: int) -> None:
        """Stop the download first; once it has ended, leave the dashboard."""
        if self._is_running:
            self._bulk.stop()
        else:
            super().leave(status)
