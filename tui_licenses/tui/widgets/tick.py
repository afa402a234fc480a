"""A box to tick, readable without colour: `[x]`, or `(*)` where it is one of several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui_licenses.text import clean


class Tick(Widget, can_focus=True):
    """One box with its label; `is_one_of_several` boxes cannot be unticked by themselves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "tick", "Tick", show=False),
    ]

    is_ticked: reactive[bool] = reactive(False)

    @dataclass
    class Ticked(Message):
        """The user ticked or unticked the box."""

        tick: Tick
        is_ticked: bool

        @property
        def control(self) -> Tick:
            """Return the sender, so that `@on` can select by it."""
            return self.tick

    def __init__(
        self,
        label: str,
        *,
        is_ticked: bool = False,
        is_one_of_several: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self._label = clean(label)
        self._is_one_of_several = is_one_of_several
        self.set_reactive(Tick.is_ticked, is_ticked)

    def render(self) -> Text:
        """Return the box and its label on one line."""
        box = "(*)" if self.is_ticked else "( )"
        if not self._is_one_of_several:
            box = "[x]" if self.is_ticked else "[ ]"
        return Text(f"{box} {self._label}", no_wrap=True, overflow="ellipsis")

    def show_label(self, label: str) -> None:
        """Give the box another label."""
        self._label = clean(label)
        self.refresh()

    def action_tick(self) -> None:
        """Turn the box over and tell so."""
        if self._is_one_of_several and self.is_ticked:
            return
        self.is_ticked = not self.is_ticked
        self.post_message(self.Ticked(self, self.is_ticked))

    def on_click(self, event: events.Click) -> None:
        """Tick with the mouse."""
        event.stop()
        self.action_tick()
