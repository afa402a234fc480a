"""What a killed program left behind: temporary files of ours that nobody writes any more."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import time
from pathlib import Path

# A file that is being written, and bytes of a large download that can be continued.
_NAME = re.compile(r"\..+\.[0-9a-f]{16}\.(part|resume)", re.DOTALL)
_AGE_SECONDS = {"part": 60 * 60, "resume": 7 * 24 * 60 * 60}

# The folders this process has swept, by device and inode: once is enough.
_swept: set[tuple[int, int]] = set()


def temporary_name(name: str) -> str:
    """Return a name for a temporary file beside the file it is for."""
    return f".{name}.{os.urandom(8).hex()}.part"


def sweep_once(folder: int) -> None:
    """Remove leftovers from a folder (a descriptor), unless this process has done so before.

    Nothing is removed but regular files of this user with such a name that are old and that no
    living process holds. What cannot be removed stays.
    """
    with contextlib.suppress(OSError):
        status = os.fstat(folder)
        place = status.st_dev, status.st_ino
        if place in _swept:
            return
        _swept.add(place)
        with os.scandir(folder) as entries:
            found = [entry.name for entry in entries if entry.name.endswith((".part", ".resume"))]
        for name in found:
            with contextlib.suppress(OSError):
                _remove_leftover(folder, name)


def sweep_folder(path: Path) -> None:
    """Sweep a folder that may not be there; what cannot be opened is left alone."""
    with contextlib.suppress(OSError):
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            sweep_once(folder)
        finally:
            os.close(folder)


def _remove_leftover(folder: int, name: str) -> None:
    parts = _NAME.fullmatch(name)
    if parts is None:
        return
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder)
    try:
        status = os.fstat(file)
        is_ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
        if is_ours and status.st_mtime < time.time() - _AGE_SECONDS[parts[1]]:
            # Whoever still writes it holds this lock; then it is refused at once.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name, dir_fd=folder)
    finally:
        os.close(file)
