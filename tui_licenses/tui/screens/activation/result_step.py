"""The last step: what became of each key, the license file, and what is left to do by hand."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui_licenses.domain.activation import Activation
from tui_licenses.domain.license_key import KeyState, LicenseKey
from tui_licenses.service.outcomes import SavedFile
from tui_licenses.text import clean
from tui_licenses.tui.facts import features_text, kind_text
from tui_licenses.tui.guide import steps_after_download
from tui_licenses.tui.widgets.row_table import RowTable, TableColumn

_TITLE_LINES = 1
_ROWS_MAXIMUM = 8


class ResultStep(VerticalScroll, can_focus=False):
    """Shows a finished activation."""

    def __init__(self, write_key: Callable[[str], str]) -> None:
        super().__init__(id="result-step")
        self._write_key = write_key

    def compose(self) -> ComposeResult:
        yield Static("", id="result-heading", markup=False)
        yield RowTable[LicenseKey](self._columns(), lambda key: key.id, id="outcomes")
        yield Static("", id="result-file", markup=False)
        yield Static("", id="result-steps", markup=False)

    def _columns(self) -> tuple[TableColumn[LicenseKey], ...]:
        return (
            TableColumn("key", "License key", 19, 19, lambda key: self._write_key(key.key)),
            TableColumn("kind", "Kind", 7, 6, lambda key: kind_text(key.kind)),
            TableColumn("product", "Product", 24, 10, lambda key: key.product_name),
            TableColumn("features", "Features", 30, 8, lambda key: features_text(key.features), 1),
            TableColumn("outcome", "Outcome", 12, 9, _outcome_text, tone=_tone),
        )

    def show(self, activation: Activation) -> None:
        """Show what was activated and which license file the instance now has."""
        count = len(activation.keys)
        heading = f"{count} key{'' if count == 1 else 's'} activated on {activation.instance.name}"
        self.query_one("#result-heading", Static).update(Text(clean(heading), style="bold"))
        table: RowTable[LicenseKey] = self.query_one("#outcomes", RowTable)
        table.styles.height = min(count, _ROWS_MAXIMUM) + _TITLE_LINES
        table.show_rows(activation.keys)
        file = activation.license_file
        if file is None:
            text = "There is no license file yet: the instance has no active master key."
        else:
            text = (
                f"License file no. {file.serial}, {file.size:,} bytes. Press d to save it, then "
                "load it on the server."
            )
        self.query_one("#result-file", Static).update(Text(text))

    def show_saved(self, file: SavedFile) -> None:
        """Show where the license file was saved and the manual steps that remain."""
        self.query_one("#result-steps", Static).update(Text("\n".join(steps_after_download(file))))

    @on(RowTable.Opened)
    @on(RowTable.Moved)
    def _stay(self, event: RowTable.Opened | RowTable.Moved) -> None:
        event.stop()


def _outcome_text(key: LicenseKey) -> str:
    return "activated" if key.state is KeyState.ACTIVE else str(key.state)


def _tone(key: LicenseKey) -> str | None:
    return "good" if key.state is KeyState.ACTIVE else "bad"
