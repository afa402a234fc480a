"""Names and values in two columns, for the screens that show one thing."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.widgets import Static

from tui_licenses.text import clean, pad, width_cells

_GAP = "  "


class FactTable(Static):
    """Shows (name, value) pairs, one a line; a value may be a `Text` of its own colours."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__("", markup=False, id=id)

    def show(self, facts: Iterable[tuple[str, str | Text]]) -> None:
        """Show other facts; plain values are cleaned here."""
        shown = tuple(facts)
        width = max((width_cells(name) for name, _ in shown), default=0)
        lines = Text()
        for number, (name, value) in enumerate(shown):
            if number:
                lines.append("\n")
            lines.append(pad(name, width) + _GAP, style="bold")
            lines.append(clean(value) if isinstance(value, str) else value)
        self.update(lines)
