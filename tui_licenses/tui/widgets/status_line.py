"""The line above the footer: what just happened, in plain text."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from tui_licenses.text import clean


class StatusLine(Static):
    """Shows the last message until another one replaces it."""

    def __init__(self) -> None:
        super().__init__("", markup=False, id="status-line")

    def show(self, message: str) -> None:
        """Show a message; what it holds is never markup."""
        self.update(
            Text(clean(message), no_wrap=True, overflow="ellipsis"),
            layout=False,
        )
