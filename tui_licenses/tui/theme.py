"""Colours and style sheets: two themes of our own, the terminal's colours, plain ASCII."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from importlib.resources import files
from pathlib import Path, PurePath

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import BUILTIN_THEMES, Theme

from tui_licenses.domain.status import STATUS_SYMBOLS
from tui_licenses.text import width_cells

# Loaded first: what the sheets of the screens build upon.
_FIRST_SHEETS = ("tokens.tcss", "widgets.tcss")

_DARK = Theme(
    name="dark",
    dark=True,
    primary="#6cb6ff",
    secondary="#9aa7b5",
    accent="#6cb6ff",
    foreground="#d6dde6",
    background="#0f141a",
    surface="#0f141a",
    panel="#1c242e",
    success="#7fd18b",
    warning="#f0c060",
    error="#ff8a80",
    variables={"muted": "#9aa7b5", "title": "#ffffff", "bar": "#1c242e"},
)
_LIGHT = Theme(
    name="light",
    dark=False,
    primary="#0b5cad",
    secondary="#4f5b66",
    accent="#0b5cad",
    foreground="#1a2026",
    background="#ffffff",
    surface="#ffffff",
    panel="#e6ebf0",
    success="#14692a",
    warning="#7a4b00",
    error="#b3140c",
    variables={"muted": "#4f5b66", "title": "#000000", "bar": "#e6ebf0"},
)
_TERMINAL = BUILTIN_THEMES["ansi-dark"]
_ANSI = replace(
    _TERMINAL,
    name="ansi",
    variables={
        **_TERMINAL.variables,
        "muted": "ansi_default",
        "title": "ansi_default",
        "bar": "ansi_default",
    },
)
THEMES = (_DARK, _LIGHT, _ANSI)


def style_sheets() -> list[str | PurePath]:
    """Return every style sheet: of the installed package, or of a checkout beside it."""
    packaged = files("tui_licenses") / "styles"
    folder = Path(str(packaged))
    if not folder.is_dir():
        folder = Path(__file__).parents[2] / "styles"
    found = sorted(folder.glob("*.tcss"), key=lambda sheet: sheet.name)
    first = [sheet for name in _FIRST_SHEETS for sheet in found if sheet.name == name]
    return [*first, *(sheet for sheet in found if sheet not in first)]


# What the dashboard itself draws, for terminals that have no more than ASCII.
_ASCII_SIGNS = {
    **dict(STATUS_SYMBOLS.values()),
    "✓": "*",
    "…": "~",
    "•": "*",
    "·": "-",
    "—": "-",
    "–": "-",
    "‹": "<",
    "›": ">",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "→": ">",
    "←": "<",
    "▼": "v",
    "│": "|",
    "┃": "|",
    "─": "-",
    "━": "-",
}
_BOX_DRAWING = range(0x2500, 0x2580)
_BLOCKS = range(0x2580, 0x25A0)


def is_drawn_sign(character: str) -> bool:
    """Say whether a character is one of those the dashboard draws with, each one cell wide."""
    return character in _ASCII_SIGNS or (
        len(character) == 1 and (ord(character) in _BOX_DRAWING or ord(character) in _BLOCKS)
    )


def to_ascii(text: str) -> str:
    """Return a text of as many cells in ASCII: letters lose their marks, the rest becomes `?`."""
    if text.isascii():
        return text
    return "".join(_ascii_of(character) for character in text)


def _ascii_of(character: str) -> str:
    if character.isascii():
        return character
    known = _ASCII_SIGNS.get(character)
    if known is not None:
        return known
    if ord(character) in _BOX_DRAWING:
        return "+"
    if ord(character) in _BLOCKS:
        return " "
    cells = width_cells(character)
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain[:cells].ljust(cells, "?")


class AsciiFilter(LineFilter):
    """Lets nothing but ASCII reach the terminal, whichever widget drew it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """Return the segments in ASCII, each as wide as before."""
        return [
            Segment(to_ascii(text), style, control)
            if not control
            else Segment(text, style, control)
            for text, style, control in segments
        ]
