"""What is shown while the terminal is too small for anything else."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static


class TooSmallScreen(Screen[None]):
    """Tells the size that is needed; the app takes it away once there is room."""

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__()
        self._columns = columns
        self._rows = rows

    def compose(self) -> ComposeResult:
        yield Static("", markup=False, id="needs")

    def on_resize(self, event: events.Resize) -> None:
        """Tell the size that is there beside the one that is needed."""
        self.query_one("#needs", Static).update(
            Text(
                f"terminal too small: needs {self._columns}x{self._rows}, "
                f"has {event.size.width}x{event.size.height}"
            )
        )
