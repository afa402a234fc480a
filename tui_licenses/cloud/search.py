"""Words for searching: a query matches where each of its words begins a word of the object."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+")
_WORDS_MAXIMUM = 16

# Greater than every character of a word: the end of the range of words with one prefix.
_AFTER_ALL = "\U0010ffff"

_FULL_KEY = re.compile(r"[A-Za-z0-9]{16}|(?:[A-Za-z0-9]{4}[ -]){3}[A-Za-z0-9]{4}")


def words(text: str) -> tuple[str, ...]:
    """Return the distinct lower-case words of a text, in their order."""
    found = (match.group() for match in _WORD.finditer(text.casefold()))
    return tuple(dict.fromkeys(found))[:_WORDS_MAXIMUM]


def prefix_range(word: str) -> tuple[str, str]:
    """Return the first and the last text that begin with `word`."""
    return word, word + _AFTER_ALL


def looks_like_a_key(text: str) -> bool:
    """Say whether a query is a whole license key, which has no place in an address."""
    return _FULL_KEY.fullmatch(text.strip()) is not None


def name_order(name: str) -> str:
    """Return what names are sorted by: their letters without regard to case."""
    return name.casefold()
