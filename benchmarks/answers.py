"""What a terminal notes of a program's output beside the picture: questions and modes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

# One control sequence (CSI), operating system command (OSC) or device control string (DCS).
_SEQUENCE = re.compile(
    rb"\x1b\[(?P<prefix>[<=>?]?)(?P<numbers>[0-9;:]*)(?P<middle>[ -/]*)(?P<final>[@-~])"
    rb"|\x1b\](?P<command>\d+);(?P<argument>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    rb"|\x1bP(?P<request>[$+]q)(?P<name>[^\x1b]*)\x1b\\"
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[\]P^_X][^\x07\x1b]*\x1b?|[()*+#%]?)?$")
# No sequence that matters here is longer; a chunk is not searched further back for its start.
_SEQUENCE_BYTES_MAXIMUM = 4096
# Modes that an xterm has from the start: it wraps lines and shows the cursor.
_MODES_AT_START = {7: True, 25: True}
_COLOURS = {b"10": b"rgb:e5e5/e5e5/e5e5", b"11": b"rgb:0000/0000/0000"}


class Profile(Enum):
    """Which terminal is played."""

    XTERM = "xterm"
    # A serial console, or a program on the way that swallows answers.
    MUTE = "mute"


def split_unfinished(data: bytes) -> tuple[bytes, bytes]:
    """Return the data up to a sequence that has begun but not ended, and that beginning."""
    tail = data[-_SEQUENCE_BYTES_MAXIMUM:]
    found = _UNFINISHED.search(tail)
    if found is None:
        return data, b""
    size = len(tail) - found.start()
    return data[:-size], data[-size:]


@dataclass
class Answers:
    """Reads a program's output, answers what it asks, and keeps the modes that it sets."""

    profile: Profile
    columns: int
    rows: int
    modes: dict[int, bool] = field(default_factory=lambda: dict(_MODES_AT_START))
    keyboard_depth: int = 0
    has_margins: bool = False
    _carried: bytes = b""
    _cursor: tuple[int, int] = (1, 1)

    def read(self, data: bytes) -> list[bytes]:
        """Return the answers to what is asked in the next bytes of the output."""
        if b"\x1b" not in data and not self._carried:
            return []
        whole, self._carried = split_unfinished(self._carried + data)
        answers = [self._answer(found) for found in _SEQUENCE.finditer(whole)]
        if self.profile is Profile.MUTE:
            return []
        return [answer for answer in answers if answer]

    def left_behind(self) -> list[str]:
        """Return what a program that has ended should have undone and has not."""
        wanted_off = {
            1: "application cursor keys",
            47: "alternate screen",
            1047: "alternate screen",
            1049: "alternate screen",
            1000: "mouse",
            1002: "mouse",
            1003: "mouse",
            1004: "focus reports",
            1006: "mouse coordinates",
            2004: "bracketed paste",
            2026: "synchronised output",
            2048: "size reports",
        }
        found = [name for mode, name in wanted_off.items() if self.modes.get(mode)]
        if not self.modes.get(25):
            found.append("hidden cursor")
        if not self.modes.get(7):
            found.append("no line wrap")
        if self.keyboard_depth > 0:
            found.append("kitty keyboard")
        if self.has_margins:
            found.append("scroll region")
        return sorted(set(found))

    def _answer(self, found: re.Match[bytes]) -> bytes:
        prefix, numbers, middle, final = found.group("prefix", "numbers", "middle", "final")
        if final is not None:
            self._note(prefix, numbers, middle + final)
            return self._reply(prefix, numbers, middle + final)
        command, argument = found.group("command", "argument")
        if command is not None:
            colour = _COLOURS.get(command)
            is_question = argument == b"?" and colour is not None
            return b"\x1b]%b;%b\x1b\\" % (command, colour or b"") if is_question else b""
        if found["request"] == b"$q":
            return b"\x1bP1$r0m\x1b\\" if found["name"] == b"m" else b"\x1bP0$r\x1b\\"
        return b"\x1bP0+r\x1b\\"

    def _note(self, prefix: bytes, numbers: bytes, final: bytes) -> None:
        """Keep what a control sequence sets."""
        match prefix, final:
            case b"?", b"h" | b"l":
                for mode in numbers.split(b";"):
                    self.modes[int(mode or 0)] = final == b"h"
            case b">", b"u":
                self.keyboard_depth += 1
            case b"<", b"u":
                self.keyboard_depth = max(0, self.keyboard_depth - int(numbers or 1))
            case b"", b"H":
                row, _, column = numbers.partition(b";")
                self._cursor = (int(row or 1), int(column or 1))
            case b"", b"r":
                self.has_margins = numbers not in {b"", b";", b"1;%d" % self.rows}

    def _reply(self, prefix: bytes, numbers: bytes, final: bytes) -> bytes:
        """Return what a control sequence is answered with, if it asks."""
        if (prefix, final) == (b"?", b"$p"):
            return b"\x1b[?%b;%d$y" % (numbers, self._mode_report(int(numbers or 0)))
        size = b"\x1b[8;%d;%dt" % (self.rows, self.columns)
        replies = {
            (b"", b"5", b"n"): b"\x1b[0n",
            (b"", b"6", b"n"): b"\x1b[%d;%dR" % self._cursor,
            (b"", b"", b"c"): b"\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c",
            (b"", b"0", b"c"): b"\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c",
            (b">", b"", b"c"): b"\x1b[>41;379;0c",
            (b">", b"", b"q"): b"\x1bP>|XTerm(379)\x1b\\",
            (b">", b"0", b"q"): b"\x1bP>|XTerm(379)\x1b\\",
            (b"", b"18", b"t"): size,
        }
        return replies.get((prefix, numbers, final), b"")

    def _mode_report(self, mode: int) -> int:
        """Return what DECRQM answers: 0 unknown, 1 set, 2 not set."""
        # An xterm of this version knows neither synchronised output nor size reports.
        if mode >= 2000 and mode != 2004:
            return 0
        return 1 if self.modes.get(mode) else 2
