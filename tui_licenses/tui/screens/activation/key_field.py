"""The field for license keys: one typed, or many pasted at once."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.widgets import Input


class KeyField(Input):
    """Enter queues what is typed; a paste of several lines queues them all."""

    @dataclass
    class Given(Message):
        """Text that is meant as one or several keys."""

        text: str

    def __init__(self) -> None:
        super().__init__(
            placeholder="ABCD-EFGH-IJKL-MNOP, one or several", compact=True, id="key-field"
        )
        self.cursor_blink = False

    async def on_paste(self, event: events.Paste) -> None:
        """Take a paste of several lines as keys; the field itself would keep the first only."""
        if len(event.text.strip().splitlines()) > 1:
            event.stop()
            event.prevent_default()
            self.post_message(self.Given(f"{self.value}\n{event.text}"))

    async def action_submit(self) -> None:
        """Queue what is typed."""
        self.post_message(self.Given(self.value))
