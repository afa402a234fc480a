"""The smallest Textual app: one word on the screen; what every Textual program pays at least."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import Static


class MinimalApp(App[None]):
    """Shows READY; q leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit")]

    def compose(self) -> ComposeResult:
        yield Static("READY")


if __name__ == "__main__":
    MinimalApp().run()
