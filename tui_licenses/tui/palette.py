"""The command palette: every command of the screen, found by typing a part of its name."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_licenses.text import pad, shorten
from tui_licenses.tui.commands import Command, commands_of
from tui_licenses.tui.screens.dismissible import Dialog

_KEY_CELLS = 7
_TITLE_CELLS = 16
_HELP_CELLS = 46


class _Matches(OptionList, can_focus=False):
    """The commands found; the field keeps the focus, the arrow keys move in here."""


class Palette(Dialog[str | None]):
    """Finds a command of a screen; dismissed with its id."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close"),
        Binding("down", "move(1)", "Next", show=False),
        Binding("up", "move(-1)", "Previous", show=False),
    ]

    def __init__(self, screen_name: str) -> None:
        super().__init__()
        self._commands = tuple(
            command for command in commands_of(screen_name) if command.id != "palette"
        )

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            field = Input(placeholder="type a part of a command", compact=True, id="wanted")
            field.cursor_blink = False
            yield field
            yield _Matches(markup=False, compact=True, id="matches")

    def on_mount(self) -> None:
        """Show every command."""
        self._show("")
        self.query_one("#wanted").focus()

    def action_move(self, rows: int) -> None:
        """Move among the commands found."""
        matches = self.query_one(_Matches)
        if matches.option_count:
            wanted = (matches.highlighted or 0) + rows
            matches.highlighted = max(0, min(matches.option_count - 1, wanted))

    @on(Input.Changed, "#wanted")
    def _search(self, event: Input.Changed) -> None:
        event.stop()
        self._show(event.value)

    @on(Input.Submitted, "#wanted")
    def _choose_highlighted(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one(_Matches).action_select()

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option_id)

    def _show(self, wanted: str) -> None:
        words = wanted.casefold().split()
        found = [
            command
            for command in self._commands
            if all(word in f"{command.title} {command.help}".casefold() for word in words)
        ]
        # Names before descriptions: who types `sort` means the command of that name.
        found.sort(key=lambda command: not command.title.casefold().startswith(wanted.casefold()))
        matches = self.query_one(_Matches)
        matches.set_options(Option(_prompt(command), id=command.id) for command in found)
        if found:
            matches.highlighted = 0


def _prompt(command: Command) -> Text:
    return Text.assemble(
        (pad(command.shown_key, _KEY_CELLS), "bold"),
        pad(command.title, _TITLE_CELLS),
        (shorten(command.help, _HELP_CELLS), "dim"),
    )
