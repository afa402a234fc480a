"""What every screen has in common: its `dismiss` closes it, and nothing else."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen, ScreenResultType


class DismissibleScreen(Screen[ScreenResultType]):
    """A screen that is closed once; Textual's own `dismiss` closes whatever stands on top."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close the screen, unless it is closed or covered: then the key was typed twice."""
        if not self.is_active:
            return AwaitComplete()
        return super().dismiss(result)


class Dialog(ModalScreen[ScreenResultType], DismissibleScreen[ScreenResultType]):
    """A question above the screen that asks it."""
