"""The bytes that a terminal sends for a key."""

from __future__ import annotations

_KEYS = {
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "ctrl+home": "\x1b[1;5H",
    "enter": "\r",
    "escape": "\x1b",
    "space": " ",
    "backspace": "\x7f",
    "tab": "\t",
}
_CURSOR_KEYS = {"up", "down", "right", "left", "home", "end"}


def key_bytes(key: str, *, has_application_cursor: bool = False) -> bytes:
    """Return what a terminal sends for a key by name, or for a character.

    A program may have asked for cursor keys in application mode (DECCKM).
    """
    if has_application_cursor and key in _CURSOR_KEYS:
        return _KEYS[key].replace("[", "O").encode()
    if key.startswith("ctrl+") and len(key) == len("ctrl+x"):
        return bytes([ord(key[-1]) & 0x1F])
    return _KEYS.get(key, key).encode()
