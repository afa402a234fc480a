"""The field for the filter of a table; what is typed filters at once."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui_licenses.tui.widgets.row_table import RowTable


class FilterField(Input):
    """A one-line field that Esc, Enter and the arrow down leave; its text stays in force."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # First of all, in the order of the keys: whoever types ahead means the rows.
        Binding("escape,enter,down", "leave", "Back to the rows", show=False, priority=True),
    ]

    def __init__(self, text: str = "") -> None:
        super().__init__(text, placeholder="/ to filter", compact=True, id="filter")
        self.cursor_blink = False

    def action_leave(self) -> None:
        """Go back to the rows, before the next key is looked at."""
        self.screen.set_focus(self.screen.query_one(RowTable))
