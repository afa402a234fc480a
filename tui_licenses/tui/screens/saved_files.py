"""The files saved since the start: where they are, and the checksums to compare elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from tui_licenses.service.outcomes import DocumentKind, SavedFile
from tui_licenses.state.app_state import AppState
from tui_licenses.state.store import Store
from tui_licenses.text import clean
from tui_licenses.tui.commands import SAVED_FILES, bindings_of
from tui_licenses.tui.guide import steps_after_download
from tui_licenses.tui.screens.plain import PlainScreen
from tui_licenses.tui.widgets.command_footer import CommandFooter
from tui_licenses.tui.widgets.row_table import RowTable, TableColumn
from tui_licenses.tui.widgets.status_line import StatusLine

_COLUMNS: tuple[TableColumn[SavedFile], ...] = (
    TableColumn("when", "Saved", 8, 8, lambda file: f"{file.saved_at.astimezone():%H:%M:%S}", 2),
    TableColumn("kind", "Kind", 11, 11, lambda file: file.kind.value),
    TableColumn("subject", "Of", 24, 10, lambda file: file.subject),
    TableColumn("file", "File", 40, 20, lambda file: file.path.name),
    TableColumn("size", "Bytes", 9, 7, lambda file: f"{file.size_bytes:,}", 1),
    TableColumn("sha256", "SHA-256", 64, 12, lambda file: file.sha256, 3),
)


class SavedFilesScreen(PlainScreen):
    """Lists saved files, the newest first; the one under the cursor is shown whole below."""

    NAME = SAVED_FILES
    BINDINGS = bindings_of(SAVED_FILES)

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._unsubscribe: Callable[[], None] | None = None

    def compose(self) -> ComposeResult:
        yield Static("Saved files", id="title", markup=False)
        yield RowTable[SavedFile](_COLUMNS, lambda file: str(file.path), id="files")
        yield Static("", id="file", markup=False)
        yield StatusLine()
        yield CommandFooter(SAVED_FILES)

    def on_mount(self) -> None:
        self._unsubscribe = self._store.subscribe(self._follow)
        self._show(self._store.state)
        self.set_focus(self.query_one("#files"))

    def on_unmount(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()

    def _follow(self, before: AppState, after: AppState) -> None:
        if before.saved_files is not after.saved_files:
            self._show(after)

    def _show(self, state: AppState) -> None:
        self._table.show_rows(
            state.saved_files,
            message=(
                "Nothing was saved since the start.",
                "In the list: d saves a license file, c a certificate, p a server profile.",
            ),
        )
        self._show_file()

    def _show_file(self) -> None:
        file = self._table.cursor_row
        lines: tuple[str, ...] = ()
        if file is not None and file.kind is DocumentKind.LICENSE:
            lines = steps_after_download(file)
        elif file is not None:
            lines = (f"Saved: {clean(str(file.path))}", f"SHA-256: {file.sha256}")
        self.query_one("#file", Static).update(Text("\n".join(lines), overflow="fold"))

    @property
    def _table(self) -> RowTable[SavedFile]:
        return self.query_one("#files", RowTable)

    @on(RowTable.Moved, "#files")
    def _follow_cursor(self, event: RowTable.Moved) -> None:
        event.stop()
        self._show_file()

    @on(RowTable.Opened, "#files")
    def _copy_opened(self, event: RowTable.Opened) -> None:
        event.stop()
        self.action_copy_row()

    def action_copy_row(self) -> None:
        """Copy the whole path of the file under the cursor."""
        file = self._table.cursor_row
        if file is not None:
            self.dashboard.copy(clean(str(file.path)))

    def action_copy_checksum(self) -> None:
        """Copy the checksum of the file under the cursor."""
        file = self._table.cursor_row
        if file is not None:
            self.dashboard.copy(file.sha256)
