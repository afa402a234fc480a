"""Text that comes from outside, made safe to show, measured and shortened by terminal cells.

Cloud answers, XML and file names may hold escape sequences, bidirectional overrides or markup.
`clean` is the one door they pass: what leaves it is plain text of printable characters.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

ELLIPSIS = "…"
# The longest path there can be; whatever is longer is no name.
CHARACTERS_MAXIMUM = 4_096
# What names of 150 languages need is four (Burmese, Kannada), Hebrew with all its points five,
# stacks of Tibetan six. More are a pile that runs over its neighbours, or stops a terminal.
MARKS_MAXIMUM = 6

# Cc: control characters; Cf: format characters, among them the bidirectional overrides that
# can make one name look like another, and tags; Cs, Co, Cn: nothing a terminal could show;
# Zl, Zp: line breaks in disguise.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that are drawn as nothing: fillers of Hangul and Khmer, an empty Braille
# pattern, the joiner of graphemes, and the selectors of variants that no terminal draws.
_DRAWN_AS_NOTHING = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
) | {chr(point) for points in (range(0xFE00, 0xFE0E), range(0xE0100, 0xE01F0)) for point in points}

# Both mean something in Devanagari or Arabic, one of them in emoji, and nothing elsewhere.
_JOINERS = frozenset("\u200c\u200d")
_EMOJI_JOINER = "\u200d"
# Arabic to Sinhala; Myanmar; Khmer and Mongolian.
_JOINED_SCRIPTS = (range(0x0600, 0x0E00), range(0x1000, 0x10A0), range(0x1780, 0x18B0))
_VIRAMA_CLASS = 9
# How an emoji is to be drawn: as text or as a picture.
_EMOJI_STYLES = frozenset("\ufe0e\ufe0f")
_EMOJI_BESIDE_SYMBOLS = frozenset("ℹ‼⁉〰")
# Pictures and nothing else, also those younger than the table of characters at hand.
_PICTURES = range(0x1F000, 0x1FB00)
_KEYS, _KEY_CAP = frozenset("0123456789#*"), "\u20e3"

# With their wide forms, which a spreadsheet takes for the same.
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")

_REMEMBERED_CHARACTERS = 256
_FIRST_COMBINING = "\u0300"
# What the program itself draws.
_NARROW_SIGNS = frozenset("…●○✗‖↷!◷▲▼✓·×‹›“”‘’→←–—•┃━─│")


def is_hidden(character: str) -> bool:
    """Say whether a character must not reach a terminal, whatever stands beside it."""
    if character in _JOINERS or ord(character) in _PICTURES:
        return False
    return unicodedata.category(character) in _HIDDEN_CATEGORIES or character in _DRAWN_AS_NOTHING


def has_control_characters(text: str) -> bool:
    """Say whether a name holds a character that `clean` would have to replace."""
    return clean(text) != text


def clean(text: str) -> str:
    """Return outside text as one line of printable characters.

    Tabs and line breaks become a space; every other hidden character becomes its code point
    in angle quotes (`‹U+001B›`), so that nothing is lost and nothing is obeyed. So do joiners
    and emoji selectors where they mean nothing, marks without a letter, and more than
    `MARKS_MAXIMUM` on one. A text of more than `CHARACTERS_MAXIMUM` ends with an ellipsis.
    """
    if text.isascii() and text.isprintable() and len(text) <= CHARACTERS_MAXIMUM:
        return text
    return _cleaned(text) if len(text) <= _REMEMBERED_CHARACTERS else _clean_all(text)


def _clean_all(text: str) -> str:
    cleaned: list[str] = []
    # The character before, where it is shown as it is; and the marks it has.
    before, marks = "", MARKS_MAXIMUM
    for place, character in enumerate(text[:CHARACTERS_MAXIMUM]):
        is_mark = unicodedata.category(character)[0] == "M"
        marks = marks + 1 if is_mark else 0
        if character in "\t\n\r":
            before = " "
        elif marks > MARKS_MAXIMUM or not _means_something(text, place, character, before):
            before, marks = "", MARKS_MAXIMUM
            cleaned.append(f"‹U+{ord(character):04X}›")
            continue
        else:
            before = character
        cleaned.append(before)
    whole = "".join(cleaned)
    if max(len(text), len(whole)) <= CHARACTERS_MAXIMUM:
        return whole
    return whole[: CHARACTERS_MAXIMUM - 1].rstrip("\u200c\u200d\ufe0e\ufe0f") + ELLIPSIS


# The same names and signs come again with every picture.
_cleaned = lru_cache(maxsize=4096)(_clean_all)


def _means_something(text: str, place: int, character: str, before: str) -> bool:
    if character in _JOINERS or character in _EMOJI_STYLES:
        after = text[place + 1 : place + 2]
        if character in _EMOJI_STYLES:
            return _is_emoji(before) or (before in _KEYS and after == _KEY_CAP)
        is_emoji = character == _EMOJI_JOINER and _is_emoji(after)
        if is_emoji and (_is_emoji(before) or before in _EMOJI_STYLES):
            return True
        return _is_joined(before) and (
            _is_joined(after) or unicodedata.combining(before) == _VIRAMA_CLASS
        )
    return not is_hidden(character)


def _is_emoji(character: str) -> bool:
    """Say whether a character may be drawn as a picture; not for an empty text."""
    if character.isascii() or character in _DRAWN_AS_NOTHING:
        return False
    return (
        unicodedata.category(character) in ("So", "Sm")
        or character in _EMOJI_BESIDE_SYMBOLS
        or ord(character) in _PICTURES
    )


def _is_joined(character: str) -> bool:
    """Say whether a character is a letter or mark of a script whose letters join."""
    return (
        character != ""
        and any(ord(character) in script for script in _JOINED_SCRIPTS)
        and unicodedata.category(character)[0] in "LM"
    )


def spreadsheet_cell(text: str) -> str:
    """Return a text for a cell of CSV: cleaned, and never taken for a formula.

    What a spreadsheet would compute gets an apostrophe in front, which it shows as plain text.
    """
    shown = clean(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA_STARTS) else shown


def width_cells(text: str) -> int:
    """Return how many terminal cells a cleaned text occupies."""
    return len(text) if text.isascii() else _width_of_other(text)


@lru_cache(maxsize=4096)
def _width_of_other(text: str) -> int:
    if is_narrow(text):
        return len(text)
    from wcwidth import iter_graphemes, wcswidth

    # Of a whole text wcwidth counts some conjuncts otherwise than glyph by glyph, as it is drawn.
    return sum(max(0, wcswidth(grapheme)) for grapheme in iter_graphemes(text))


def shorten(text: str, width: int) -> str:
    """Return `text` cut to at most `width` cells, with an ellipsis where something was cut."""
    if width_cells(text) <= width:
        return text
    if width <= 0:
        return ""
    if is_narrow(text):
        return text[: width - 1] + ELLIPSIS
    from wcwidth import iter_graphemes, wcswidth

    used = 0
    end = 0
    for grapheme in iter_graphemes(text):
        cells = max(0, wcswidth(grapheme))
        if used + cells > width - 1:
            break
        used += cells
        end += len(grapheme)
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


def searchable(text: str) -> str:
    """Return a text to look for lower-case words in: once more without accents where it has any.

    `zurich` then finds Zürich too: not every keyboard has an ü. The two are on lines of their own.
    """
    lower = text.lower()
    if lower.isascii():
        return lower
    decomposed = unicodedata.normalize("NFD", lower)
    plain = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return lower if plain == lower else f"{lower}\n{plain}"


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
