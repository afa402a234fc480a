"""Notes what the list looks like at its top, and keeps it as the first picture of a start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui_licenses.tui.first_picture import FirstPicture, Opening, keep_picture
from tui_licenses.tui.screens.licenses import LicensesScreen

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui_licenses.tui.screen_diff import ScreenDiff
    from tui_licenses.tui.terminal_cells import Line


class PictureKeeper:
    """Keeps the last picture of the list as a start shows it: at its top, whole and quiet."""

    def __init__(self, opening: Opening, screen_diff: ScreenDiff) -> None:
        self._opening = opening
        self._screen_diff = screen_diff
        self._noted: list[Line] | None = None

    def note(self, screen: Screen[Any]) -> None:
        """Note the picture, if the list is what a start would show."""
        if isinstance(screen, LicensesScreen) and screen.is_at_start:
            self._noted = self._screen_diff.lines() or self._noted

    def keep(self) -> None:
        """Keep what was noted last, unless it is kept already."""
        file, lines = self._opening.file, self._noted
        if file is None or lines is None:
            return
        from tui_licenses.tui.picture_cells import encode_lines

        cells = encode_lines(lines)
        known = self._opening.picture
        if known is None or known.cells != cells:
            output = self._screen_diff.output_of(lines)
            keep_picture(file, FirstPicture(self._opening.key, output, cells))
