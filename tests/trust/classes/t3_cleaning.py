"""T3: every code point there is, and random strings of what terminals obey, pass the cleaner."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable

from tests.trust.harness import Broken, Run, TrustClass
from tui_licenses.text import clean

_FORBIDDEN = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
# Kept for emoji, also for those that are younger than Python's table of characters.
_PICTURES = range(0x1F000, 0x1FB00)
# What sequences are made of: introducers, terminators, parameters, and what hides them.
_ALPHABET = (
    "\x1b\x1b\x1b[]()PX^_\\;?0123456789mHJKhlnqcR\x07\x08\x0b\x0c\r\n\t\x00\x7f"
    "\x80\x84\x85\x90\x98\x9b\x9c\x9d\x9e\x9f\u061c\u200b\u200e\u200f\u2028\u2029"
    "\u202a\u202e\u2066\u2069\ufeff\ufff9\ud800\udfff\ue000\U000e0041\U0010ffffAz ☃漢é\u0301"
)


def _sweep(run: Run, cleaned: Callable[[str], str]) -> None:
    for code_point in range(sys.maxunicode + 1):
        _look(run, cleaned, chr(code_point))
    for _ in range(run.count(200_000, 20_000)):
        text = "".join(run.random.choices(_ALPHABET, k=run.random.randint(1, 40)))
        _look(run, cleaned, text)
        run.disturb()


def _look(run: Run, cleaned: Callable[[str], str], text: str) -> None:
    for character in cleaned(text):
        if unicodedata.category(character) in _FORBIDDEN and ord(character) not in _PICTURES:
            run.report(Broken.RAW, f"U+{ord(character):04X} in the cleaned form of {text!a}")


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
