"""Copying over SSH: OSC 52, which the terminal at the user's end obeys."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from tui_licenses.text import is_hidden

# Terminals drop longer sequences, some silently.
TEXT_BYTES_MAXIMUM = 74_000
# tmux swallows the sequence unless it is wrapped, every ESC inside doubled.
_TMUX_START, _TMUX_END = "\x1bPtmux;", "\x1b\\"


def copy_sequence(text: str, environment: Mapping[str, str]) -> str | None:
    """Return what to write to the terminal, or None where the text is too long for it.

    Hidden characters stay behind: what is copied here is pasted into a shell there.
    """
    safe = "".join(sign for sign in text if sign == "\n" or not is_hidden(sign))
    data = safe.encode()
    if len(data) > TEXT_BYTES_MAXIMUM:
        return None
    sequence = f"\x1b]52;c;{base64.b64encode(data).decode('ascii')}\a"
    if environment.get("TMUX"):
        return _TMUX_START + sequence.replace("\x1b", "\x1b\x1b") + _TMUX_END
    return sequence
