"""T3: every code point there is, and random strings of what terminals obey, pass the cleaner."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable

from tests.trust.harness import Broken, Run, TrustClass
from tui_licenses.text import clean

_FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Where letters or emoji join, and nowhere else.
_JOINERS = frozenset("\u200c\u200d")
_DRAWN_AS_NOTHING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u2800\u3164\uffa0\ufe00")
# Kept for emoji, also for those that are younger than Python's table of characters.
_PICTURES = range(0x1F000, 0x1FB00)
_MARKS_MAXIMUM = 6
_CHARACTERS_MAXIMUM = 4_096
# What sequences are made of: introducers, terminators, parameters, and what hides them; what
# joins, selects, piles up and fills.
_ALPHABET = (
    "\x1b\x1b\x1b[]()PX^_\\;?0123456789mHJKhlnqcR\x07\x08\x0b\x0c\r\n\t\x00\x7f"
    "\x80\x84\x85\x90\x98\x9b\x9c\x9d\x9e\x9f\u061c\u200b\u200e\u200f\u2028\u2029"
    "\u202a\u202e\u2066\u2069\ufeff\ufff9\ud800\udfff\ue000\U000e0041\U0010ffffAz ☃漢é\u0301"
    "\u0301\u0301\u0336\u0489\u200c\u200d\u200d\ufe0e\ufe0f\ufe00\u20e3\u3164\u2800\u034f"
    "क\u094d\u093fبن1#👩❤🏽‹›"
)


def _sweep(run: Run, cleaned: Callable[[str], str]) -> None:
    # Most of the others are ideographs, private, or nothing.
    few = (*range(0x3400), *range(0xA000, 0x20000), *range(0xE0000, 0xE0200))
    for code_point in few if run.is_fast else range(sys.maxunicode + 1):
        _look(run, cleaned, chr(code_point))
    for _ in range(run.count(200_000, 20_000)):
        text = "".join(run.random.choices(_ALPHABET, k=run.random.randint(1, 40)))
        _look(run, cleaned, text)
        run.disturb()
    for length in (_CHARACTERS_MAXIMUM, _CHARACTERS_MAXIMUM + 1, 100_000):
        _look(run, cleaned, "".join(run.random.choices(_ALPHABET, k=length)))


def _look(run: Run, cleaned: Callable[[str], str], text: str) -> None:
    shown = cleaned(text)
    before, marks = "", 0
    for character in shown:
        category = unicodedata.category(character)
        is_hidden = category in _FORBIDDEN and ord(character) not in _PICTURES
        if character in _JOINERS:
            is_hidden = before == "" or before.isascii()
        if is_hidden or character in _DRAWN_AS_NOTHING:
            run.report(Broken.RAW, f"U+{ord(character):04X} in the cleaned form of {text[:60]!a}")
        marks = marks + 1 if category[0] == "M" else 0
        if marks > _MARKS_MAXIMUM or (marks and before == ""):
            run.report(Broken.OTHER, f"a pile of marks in the cleaned form of {text[:60]!a}")
        before = character
    if len(shown) > _CHARACTERS_MAXIMUM:
        run.report(Broken.OTHER, f"{len(shown)} characters of {len(text)}")
    if cleaned(shown) != shown:
        run.report(Broken.CORRUPT, f"cleaned twice, {text[:60]!a} is another text")


def _run(run: Run) -> None:
    _sweep(run, clean)


def _control(run: Run) -> None:
    _sweep(run, lambda text: text.replace("\x1b", ""))


CLASS = TrustClass(
    "T3",
    "every code point and random sequences, cleaned",
    200_000,
    _run,
    _control,
    are_faults=False,
)
