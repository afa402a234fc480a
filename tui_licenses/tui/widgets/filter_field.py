"""The field for the filter of a table; what is typed filters at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class FilterField(Input):
    """A one-line field that Esc, Enter and the arrow down leave; its text stays in force."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,down", "leave", "Back to the rows", show=False),
    ]

    @dataclass
    class Left(Message):
        """The user goes back to the rows."""

        field: FilterField

    def __init__(self, text: str = "") -> None:
        super().__init__(text, placeholder="/ to filter", compact=True, id="filter")
        self.cursor_blink = False

    def action_leave(self) -> None:
        """Tell that the rows are wanted."""
        self.post_message(self.Left(self))
