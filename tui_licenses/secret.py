"""Secrets: texts that nothing shows by accident, and that no sentence for a user may hold.

A `Secret` is taken in where a token, a passphrase or a private key enters the program, and
revealed where it is used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from typing import NoReturn, Self
from weakref import ReferenceType, ref

REFRESH_TOKEN_VARIABLE = "TUI_LICENSES_REFRESH_TOKEN"  # noqa: S105 - a name
_MASK = "‹secret›"
# What is shorter stands in too many innocent words.
_REDACTED_CHARACTERS_MINIMUM = 8
_LAST_OF_KEY = 4
# linux/prctl.h
_PR_SET_DUMPABLE = 4
# Tokens of this cloud, JSON web tokens, long mixed texts; full license keys.
_TOKENS = re.compile(
    r"\btl[ra]_[\w-]+"
    r"|\beyJ[\w-]{10,}(?:\.[\w-]+)*"
    r"|(?<![\w-])(?=[\w-]*[0-9])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[A-Za-z0-9_-]{32,}(?![\w-])"
)
_KEYS = re.compile(
    r"(?<![\w-])(?=[A-Za-z-]*[0-9])"
    r"(?:(?:[A-Z0-9]{4}-){3}[A-Z0-9]{4}|(?:[a-z0-9]{4}-){3}[a-z0-9]{4}|[A-Z0-9]{16})(?![\w-])"
)

_live: list[ReferenceType[Secret]] = []
_held: dict[str, Secret] = {}


class Secret:
    """A text that is shown masked, compared in constant time, and never pickled or copied."""

    __slots__ = ("__weakref__", "_text")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, text: str) -> None:
        self._text = text
        _live.append(ref(self, _live.remove))

    def reveal(self) -> str:
        """Return the text, for the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        return _MASK

    def __format__(self, _format: str) -> str:
        return _MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        from hmac import compare_digest

        mine, theirs = (text.encode("utf-8", "surrogatepass") for text in (self._text, other._text))
        return compare_digest(mine, theirs)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memory: object) -> Self:
        return self

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("A secret is not pickled.")


def hold_secrets(environment: MutableMapping[str, str]) -> None:
    """Take the secrets out of the environment of this process, for `secret_from` to find.

    Programs that this one starts do not inherit them.
    """
    _held.clear()
    if REFRESH_TOKEN_VARIABLE in environment:
        _held[REFRESH_TOKEN_VARIABLE] = Secret(environment.pop(REFRESH_TOKEN_VARIABLE))


def secret_from(environment: Mapping[str, str], name: str) -> Secret | None:
    """Return the secret that an environment gives, or gave before it was taken out of it."""
    text = environment.get(name)
    if text is not None:
        return Secret(text)
    return _held.get(name) if environment is os.environ else None


def redact(text: str) -> str:
    """Return a sentence without secrets: those the program holds, and what looks like one.

    Of a license key the last four characters stay.
    """
    for reference in tuple(_live):
        secret = reference()
        if secret is not None and len(secret.reveal()) >= _REDACTED_CHARACTERS_MINIMUM:
            text = text.replace(secret.reveal(), _MASK)
    text = _TOKENS.sub(_MASK, text)
    return _KEYS.sub(lambda found: f"…{found[0][-_LAST_OF_KEY:]}", text)


def protect_process() -> None:
    """Forbid core dumps, and other programs of the same user to read this one's memory.

    For processes that hold secrets; where the system refuses, they run without.
    """
    import ctypes
    import resource
    from contextlib import suppress

    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
