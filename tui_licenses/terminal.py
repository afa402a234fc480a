"""What the dashboard asks of a terminal."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import NamedTuple

COLUMNS_MINIMUM = 60
ROWS_MINIMUM = 15

# Terminals with scroll regions that understand everything `tui/terminal_changes` sends.
_WITH_SCROLL_REGIONS = (
    r"(xterm|linux|screen|tmux|rxvt|foot|kitty|alacritty|wezterm|ghostty|contour|konsole|gnome"
    r"|vte|putty|mintty|mlterm|st|iterm2?|nsterm|Eterm|eterm|rio|vt[1-5]\d\d)([-.+].*)?"
)


class TerminalSize(NamedTuple):
    """How many cells a terminal has; 0 where it does not know, as a serial line says."""

    columns: int
    rows: int

    @property
    def is_enough(self) -> bool:
        """Say whether the dashboard fits."""
        return (self.columns or COLUMNS_MINIMUM) >= COLUMNS_MINIMUM and (
            self.rows or ROWS_MINIMUM
        ) >= ROWS_MINIMUM


def terminal_size() -> TerminalSize | None:
    """Return the size of the terminal, None where there is none on input and output."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    return TerminalSize(*os.get_terminal_size(sys.stdout.fileno()))


def has_scroll_regions(environment: Mapping[str, str]) -> bool:
    """Say whether the terminal is of a family that has scroll regions."""
    return re.fullmatch(_WITH_SCROLL_REGIONS, environment.get("TERM", "")) is not None
