"""Canonical JSON as docs/license-file.md has it: one value, one sequence of bytes.

Names are sorted, there are no spaces, numbers are integers from 0 to 2^53-1, text is NFC and
holds no control characters.
"""

from __future__ import annotations

import json
import unicodedata
from typing import NoReturn

from tui_licenses.errors import DocumentError

INTEGER_MAXIMUM = 2**53 - 1
DEPTH_MAXIMUM = 4
TEXT_LENGTH_MAXIMUM = 256

_REFUSED_CATEGORIES = frozenset({"Cc", "Cs"})


class _RefusalError(ValueError):
    """Why bytes are not strict JSON; becomes a `DocumentError` before it leaves this module."""


def encode_canonical(value: object) -> bytes:
    """Return the canonical bytes of plain dictionaries, lists, strings, integers and None."""
    text = json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    return text.encode("utf-8")


def decode_strict(data: bytes, code: str, text_length_maximum: int = TEXT_LENGTH_MAXIMUM) -> object:
    """Return the JSON value of hostile bytes.

    Raises `DocumentError` with `code` for anything but UTF-8, for duplicate names, floats,
    integers out of range, control characters, text that is not NFC or too long, deep nesting.
    It does not check that the bytes are canonical: encode the value again and compare.
    """
    try:
        value: object = json.loads(
            data.decode("utf-8", errors="strict"),
            object_pairs_hook=_object_without_duplicates,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_integer,
        )
        _check(value, text_length_maximum, DEPTH_MAXIMUM)
    except (ValueError, RecursionError) as error:
        reason = (
            str(error) if isinstance(error, _RefusalError) else "it is not strict JSON in UTF-8"
        )
        raise DocumentError(
            code,
            f"The document is not well formed: {reason}.",
            "Get the document again from where it was issued.",
        ) from error
    return value


def _object_without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _RefusalError("a name occurs twice")
    return members


def _refuse_number(_: str) -> NoReturn:
    raise _RefusalError("a number is not an integer")


def _integer(digits: str) -> int:
    # The length is looked at first: turning a megabyte of digits into a number takes long.
    if digits.startswith("-") or len(digits) > len(str(INTEGER_MAXIMUM)):
        raise _RefusalError("a number is out of range")
    number = int(digits)
    if number > INTEGER_MAXIMUM:
        raise _RefusalError("a number is out of range")
    return number


def _check(value: object, text_length_maximum: int, depth_left: int) -> None:
    if isinstance(value, str):
        _check_text(value, text_length_maximum)
    elif isinstance(value, dict | list):
        if depth_left < 0:
            raise _RefusalError("it is nested too deeply")
        if isinstance(value, dict):
            for name in value:
                _check_text(name, TEXT_LENGTH_MAXIMUM)
            value = list(value.values())
        for item in value:
            _check(item, text_length_maximum, depth_left - 1)


def _check_text(text: str, length_maximum: int) -> None:
    if len(text) > length_maximum:
        raise _RefusalError("a text is too long")
    if text.isascii() and text.isprintable():
        return
    if any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in text):
        raise _RefusalError("a text holds a control character")
    if not unicodedata.is_normalized("NFC", text):
        raise _RefusalError("a text is not in Unicode normal form C")
