"""Keys: how people write them, and those that move the cursor of any table."""

from __future__ import annotations

from dataclasses import dataclass

_SHOWN_KEYS = {
    "question_mark": "?",
    "slash": "/",
    "plus": "+",
    "colon": ":",
    "asterisk": "*",
    "space": "space",
    "enter": "Enter",
    "escape": "Esc",
    "up": "Up",
    "down": "Down",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "f1": "F1",
    "f7": "F7",
    "f8": "F8",
    "shift+down": "Shift-Down",
    "shift+up": "Shift-Up",
    "ctrl+c": "Ctrl-C",
    "ctrl+l": "Ctrl-L",
    "ctrl+p": "Ctrl-P",
}


def shown_key(key: str) -> str:
    """Return a key as people write it."""
    return _SHOWN_KEYS.get(key, key)


@dataclass(frozen=True, slots=True)
class MoveKey:
    """Keys that move the cursor of any table; `action` is one of the table."""

    keys: tuple[str, ...]
    help: str
    action: str


MOVE_KEYS: tuple[MoveKey, ...] = (
    MoveKey(("up", "k"), "One row up.", "move(-1)"),
    MoveKey(("down", "j"), "One row down.", "move(1)"),
    MoveKey(("pageup",), "One page up.", "page(-1)"),
    MoveKey(("pagedown",), "One page down.", "page(1)"),
    MoveKey(("home", "g"), "To the first row.", "first"),
    MoveKey(("end", "G"), "To the last row.", "last"),
)
