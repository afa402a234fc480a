"""The last line: the few keys of a screen that are used most."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.widgets import Static

from tui_licenses.tui.commands import Command, footer_commands

_GAP = "  "


class CommandFooter(Static):
    """Shows the footer commands of a screen; a click on one runs it."""

    def __init__(self, screen_name: str) -> None:
        super().__init__("", markup=False, id="command-footer")
        self._commands = footer_commands(screen_name)

    def on_mount(self) -> None:
        """Draw the keys; they never change while the screen stands."""
        line = Text(no_wrap=True, overflow="ellipsis")
        for number, command in enumerate(self._commands):
            line.append(_GAP if number else "")
            line.append(command.shown_key, style="bold")
            line.append(f" {command.title}")
        self.update(line)

    async def on_click(self, event: events.Click) -> None:
        """Run the command that was clicked."""
        offset = event.get_content_offset(self)
        command = None if offset is None else self._command_at(offset.x)
        if command is not None:
            await self.screen.run_action(f"command('{command.id}')")

    def _command_at(self, x: int) -> Command | None:
        start = 0
        for command in self._commands:
            end = start + len(command.shown_key) + 1 + len(command.title)
            if start <= x < end:
                return command
            start = end + len(_GAP)
        return None
