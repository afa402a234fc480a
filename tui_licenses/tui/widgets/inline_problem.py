"""An error beside what caused it: what happened, and what to do now."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text
from textual.widgets import Static

from tui_licenses.errors import TuiLicensesError
from tui_licenses.text import clean


class InlineProblem(Static):
    """Takes no room while there is nothing wrong."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, markup=False)
        self.display = False

    def show(self, error: TuiLicensesError | None, next_step: str | None = None) -> None:
        """Show an error, or nothing; `next_step` replaces one that speaks of commands."""
        self.display = error is not None
        if error is None:
            return
        lines = Table.grid(padding=(0, 1, 0, 0))
        lines.add_column(no_wrap=True)
        lines.add_column(overflow="fold")
        lines.add_row(Text("!", style="bold"), Text(clean(error.message), style="bold"))
        for detail in error.details:
            if detail.message not in error.message:
                lines.add_row(Text(), Text(clean(detail.message)))
        step = error.next_step if next_step is None else next_step
        if step:
            lines.add_row(Text(), Text(clean(step)))
        self.update(lines)
