"""Text that comes from outside, made safe to show, measured and shortened by terminal cells.

Cloud answers, XML and file names may hold escape sequences, bidirectional overrides or markup.
`clean` is the one door they pass: what leaves it is plain text of printable characters.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

ELLIPSIS = "…"

# Cc: control characters; Cf: format characters, among them the bidirectional overrides that
# can make one name look like another; Cs, Co, Cn: nothing a terminal could show;
# Zl, Zp: line breaks in disguise.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

_FIRST_COMBINING = "\u0300"
# What the program itself draws.
_NARROW_SIGNS = frozenset("…●○✗‖↷!◷▲▼✓·×‹›“”‘’→←–—•┃━─│")

# Zero-width joiner and non-joiner carry meaning in Devanagari, Arabic and emoji.
_KEPT_FORMAT_CHARACTERS = frozenset({"\u200c", "\u200d"})


def is_hidden(character: str) -> bool:
    """Say whether a character must not reach a terminal as it is."""
    if character in _KEPT_FORMAT_CHARACTERS:
        return False
    return unicodedata.category(character) in _HIDDEN_CATEGORIES


def has_control_characters(text: str) -> bool:
    """Say whether a name holds a character that `clean` would have to replace."""
    return any(is_hidden(character) for character in text)


def clean(text: str) -> str:
    """Return outside text as one line of printable characters.

    Tabs and line breaks become a space; every other hidden character becomes its code point
    in angle quotes (`‹U+001B›`), so that nothing is lost and nothing is obeyed.
    """
    if text.isascii() and text.isprintable():
        return text
    return _cleaned(text)


# The same names and signs come again with every picture.
@lru_cache(maxsize=4096)
def _cleaned(text: str) -> str:
    cleaned: list[str] = []
    for character in text:
        if character in "\t\n\r":
            cleaned.append(" ")
        elif is_hidden(character):
            cleaned.append(f"‹U+{ord(character):04X}›")
        else:
            cleaned.append(character)
    return "".join(cleaned)


def width_cells(text: str) -> int:
    """Return how many terminal cells a cleaned text occupies."""
    return len(text) if text.isascii() else _width_of_other(text)


@lru_cache(maxsize=4096)
def _width_of_other(text: str) -> int:
    if is_narrow(text):
        return len(text)
    from wcwidth import wcswidth

    return max(0, wcswidth(text))


def shorten(text: str, width: int) -> str:
    """Return `text` cut to at most `width` cells, with an ellipsis where something was cut."""
    if width_cells(text) <= width:
        return text
    if width <= 0:
        return ""
    if is_narrow(text):
        return text[: width - 1] + ELLIPSIS
    from wcwidth import wcwidth

    used = 0
    end = 0
    for index, character in enumerate(text):
        cells = max(0, wcwidth(character))
        if used + cells > width - 1:
            break
        used += cells
        end = index + 1
    return text[:end] + ELLIPSIS


def is_narrow(text: str) -> bool:
    """Say whether every character is surely one cell; wcwidth, which knows all, is slow to load."""
    return text.isascii() or all(
        character < _FIRST_COMBINING or character in _NARROW_SIGNS for character in text
    )


def pad(text: str, width: int) -> str:
    """Return `text` shortened and filled with spaces to exactly `width` cells."""
    cut = shorten(text, width)
    return cut + " " * (width - width_cells(cut))


def slug(name: str, fallback: str = "unnamed") -> str:
    """Return the lower-case ASCII letters, digits and hyphens of a name, at most 40 characters.

    Used for file names only: never empty, never a path, never a reserved name.
    """
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    parts: list[str] = []
    word = ""
    for character in decomposed:
        if character.isascii() and character.isalnum():
            word += character
        elif word and not unicodedata.combining(character):
            parts.append(word)
            word = ""
    if word:
        parts.append(word)
    return "-".join(parts)[:40].strip("-") or fallback
