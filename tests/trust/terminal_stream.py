"""What a program sends to a terminal, examined byte by byte.

Every control character must belong to a sequence that this program itself writes.
"""

from __future__ import annotations

import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from fcntl import ioctl

from tui_licenses.text import is_hidden

# What the dashboard writes: the driver of Textual, our screen diff, and the clipboard.
DASHBOARD = re.compile(
    r"\x1b\[[0-9;:]*[ABCDHJKmrX]"
    r"|\x1b\[\?(?:1049|25|7|1000|1002|1003|1004|1006|1015|1016|2004|2026|2048)[hl]"
    r"|\x1b\[\?(?:2026|2048)\$p|\x1b\[>25u|\x1b\[<u|\x1b\[>4;[01]m|\x1b[DM]"
    # The shape of the pointer.
    r"|\x1b\]22;(?:default|text|pointer|)\x07"
    r"|\x1b\]52;c;(?!cHduZWQ=)[A-Za-z0-9+/]*=*\x07"
)
# What a command writes: a bold heading, a red word, and the progress line that is redrawn.
COMMAND_LINE = re.compile(r"\x1b\[(?:1|31|0)m|\r(?!\n)")
# What the hostile texts say, and nothing of ours.
_FOREIGN_NUMBER = "666"
_SHOWN_BESIDE = 20


def foreign_control(data: bytes, ours: re.Pattern[str]) -> Iterator[str]:
    """Give each piece of the stream that holds a control character of somebody else."""
    # A byte that is no UTF-8 becomes a surrogate, and so is found.
    text = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    rest: list[str] = []
    end = 0
    for match in ours.finditer(text):
        rest.append(text[end : match.start()])
        end = match.end()
        if _FOREIGN_NUMBER in match[0]:
            yield repr(text[match.start() : end + _SHOWN_BESIDE])
    rest.append(text[end:])
    for piece in rest:
        for place, character in enumerate(piece):
            if is_hidden(character) and character not in "\n\r":
                yield repr(piece[max(0, place - _SHOWN_BESIDE) : place + _SHOWN_BESIDE])
                break


def run_in_terminal(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    columns: int = 200,
    rows: int = 60,
    seconds: float = 240,
) -> tuple[bytes, int]:
    """Run a program in a terminal to its end; returns all it wrote, and its exit status."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execvpe(command[0], list(command), dict(environment))
    ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    written = bytearray()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not select.select([descriptor], [], [], 1)[0]:
            continue
        try:
            data = os.read(descriptor, 65536)
        except OSError:
            break
        if not data:
            break
        written += data
    else:
        os.kill(pid, 9)
    _, status = os.waitpid(pid, 0)
    os.close(descriptor)
    return bytes(written), os.waitstatus_to_exitcode(status)
