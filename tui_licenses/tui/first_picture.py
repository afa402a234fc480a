"""The first picture: the list as its last user left it at its top, shown before anything else.

To import Textual takes most of a start. What the first rows looked like is known before that: the
dashboard keeps the picture beside the local copy it shows, and the next start on a terminal like
that one begins with it. Textual then sends what has changed since, which is mostly nothing.

Nothing here imports Textual or Rich.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import struct
import sys
import threading
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tui_licenses import __version__, paths
from tui_licenses.config import Configuration, choose_context, copy_owner
from tui_licenses.errors import FileError
from tui_licenses.files import write_private
from tui_licenses.tui.early_terminal import EarlyTerminal

if TYPE_CHECKING:
    from textual.drivers.linux_driver import LinuxDriver

    from tui_licenses.domain.inventory import Inventory
    from tui_licenses.tui.terminal_cells import Line

_MAGIC = b"tui-licenses first picture 1\n"
_HEAD = struct.Struct("<IIII")
_BYTES_MAXIMUM = 1024 * 1024
# Whatever decides how the terminal is drawn on.
_VARIABLES = ("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "LANG", "LC_ALL", "TZ", "TMUX")
_PREFIX = "TEXTUAL"
# Text, and the sequences that move, colour, erase and scroll; nothing that asks or sets.
_HARMLESS = re.compile(
    r"(?:[^\x00-\x1f\x7f-\x9f]|[\r\n]|\x1b\[[0-9;:]*[ABCDHJKLMPXdmr@bG]|\x1b[MD])*"
)


class FirstPicture(NamedTuple):
    """A picture of the list; `key` says for whom and on which terminal it may be shown.

    `output` draws it on an empty screen, `cells` is what `screen_diff` makes of it.
    """

    key: str
    output: str
    cells: bytes


class Opening(NamedTuple):
    """How the dashboard begins: with which picture, if any, on a terminal taken over already.

    `copy` is read while Textual is loaded: the picture is there, so nothing is gained by reading
    its first rows before the rest.
    """

    file: Path | None = None
    key: str = ""
    picture: FirstPicture | None = None
    terminal: EarlyTerminal | None = None
    copy: CopyReader | None = None

    def inventory(self) -> Inventory | None:
        """Return the whole local copy; None where it is not read ahead, or is no good."""
        return None if self.copy is None else self.copy.inventory()

    def driver_class(self) -> type[LinuxDriver] | None:
        """Return the driver of the terminal; None leaves the choice to the environment."""
        if "TEXTUAL_DRIVER" in os.environ:
            return None
        from tui_licenses.tui.driver import driver_for

        return driver_for(self.terminal)

    def lines(self) -> list[Line] | None:
        """Return the lines that the terminal shows, None where nothing is known of them."""
        if self.terminal is None or self.picture is None:
            return None
        from tui_licenses.tui.picture_cells import decode_lines

        return decode_lines(self.picture.cells)


class CopyReader(threading.Thread):
    """Reads a local copy in a thread of its own."""

    def __init__(self, file: Path, owner: str) -> None:
        super().__init__(daemon=True)
        self._file = file
        self._owner = owner
        self._inventory: Inventory | None = None
        self.start()

    def run(self) -> None:
        """Read."""
        from tui_licenses.service.local_copy import LocalCopy

        self._inventory = LocalCopy(self._file, self._owner).read()

    def inventory(self) -> Inventory | None:
        """Return what was read, and keep it no longer."""
        self.join()
        inventory, self._inventory = self._inventory, None
        return inventory


def show_first_picture(
    configuration: Configuration,
    context_name: str | None,
    environment: Mapping[str, str] = os.environ,
) -> Opening:
    """Show the kept picture, where there is one for this very terminal; raises `UseError`."""
    settings = configuration.settings
    context = choose_context(configuration, context_name, environment)
    if not (settings.local_copy and settings.screen_diff):
        return Opening()
    copy, owner = paths.copy_file(context.name), copy_owner(context, environment)
    file = paths.picture_file(copy)
    key = "\n".join(
        (
            __version__,
            str(_size()),
            # A picture tells its age by the time of day.
            time.strftime("%Y-%m-%d"),
            owner,
            repr(context),
            # Those settings that change how the list looks.
            f"{settings.theme} {settings.ascii} {settings.mask_keys} {settings.expiring_days}",
            *(f"{name}={environment[name]}" for name in _VARIABLES if name in environment),
            *(f"{name}={environment[name]}" for name in sorted(environment) if _PREFIX in name),
        )
    )
    picture = read_picture(file) if copy.exists() else None
    terminal = None
    if picture is not None and picture.key == key:
        terminal = _show(picture)
    if terminal is None:
        return Opening(file, key)
    return Opening(file, key, picture, terminal, CopyReader(copy, owner))


def _size() -> tuple[int, int]:
    try:
        return os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1)
    except OSError:
        return 0, 0


def _show(picture: FirstPicture) -> EarlyTerminal | None:
    import termios

    if not (sys.__stderr__ and sys.__stderr__.isatty()):
        return None
    try:
        terminal = EarlyTerminal()
    except (OSError, termios.error):
        return None
    terminal.show(picture.output)
    return terminal


def read_picture(file: Path) -> FirstPicture | None:
    """Return the picture that was kept; None for one that is damaged, or not private."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode) or mode & (stat.S_IRWXG | stat.S_IRWXO):
                return None
            data = stream.read(_BYTES_MAXIMUM)
        if not data.startswith(_MAGIC):
            return None
        start = len(_MAGIC) + _HEAD.size
        checksum, *sizes = _HEAD.unpack(data[len(_MAGIC) : start])
        body = data[start:]
        if len(body) != sum(sizes) or zlib.crc32(body) != checksum:
            return None
        key, output = body[: sizes[0]].decode(), body[sizes[0] : sizes[0] + sizes[1]].decode()
    except (OSError, ValueError, struct.error):
        return None
    if _HARMLESS.fullmatch(output) is None:
        return None
    return FirstPicture(key, output, body[sizes[0] + sizes[1] :])


def keep_picture(file: Path, picture: FirstPicture) -> None:
    """Keep a picture for the next start; one that cannot be kept is only missed."""
    parts = (picture.key.encode(), picture.output.encode(), picture.cells)
    body = b"".join(parts)
    head = _HEAD.pack(zlib.crc32(body), *map(len, parts))
    with contextlib.suppress(FileError):
        write_private(file, _MAGIC + head + body)
