"""The steps of an activation in their order, and what shows where the user is."""

from __future__ import annotations

from enum import IntEnum

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Static


class Step(IntEnum):
    """Where the user is; the numbers are shown."""

    KEYS = 1
    INSTANCE = 2
    REVIEW = 3
    RESULT = 4


_TITLES = {
    Step.KEYS: "Keys",
    Step.INSTANCE: "Instance",
    Step.REVIEW: "Review",
    Step.RESULT: "Result",
}


class StepTitles(Static):
    """All steps on one line; brackets mark the one that is shown."""

    def __init__(self) -> None:
        super().__init__("", id="steps", markup=False)

    def show(self, here: Step) -> None:
        """Mark a step as the one that is shown."""
        line = Text("Activate license keys  ", no_wrap=True, overflow="ellipsis")
        for step, title in _TITLES.items():
            number = f"[{step}]" if step is here else f" {step} "
            line.append(f"{number} {title}", style="bold reverse" if step is here else "")
            line.append("  ")
        self.update(line)


class StepButtons(Horizontal):
    """The two buttons below every step; they do what the screen's keys do."""

    def __init__(self) -> None:
        super().__init__(id="step-buttons")

    def compose(self) -> ComposeResult:
        yield Button("Back", id="step-back", action="screen.step_back", compact=True)
        yield Button("Next", id="next-step", action="screen.next_step", compact=True)

    def show(self, label: str, *, has_back: bool, is_next_possible: bool) -> None:
        """Name what comes next, and say whether it can."""
        following = self.query_one("#next-step", Button)
        following.label = Content(label)
        following.disabled = not is_next_possible
        self.query_one("#step-back").display = has_back

    def focus_next(self) -> None:
        """Put the focus on the button that goes on, or back where that cannot be done."""
        following = self.query_one("#next-step")
        self.screen.set_focus(self.query_one("#step-back") if following.disabled else following)
