"""Whether a disk has room for what is to be saved."""

from __future__ import annotations

import os
from pathlib import Path

# What a full disk needs to stay usable.
_ROOM_BYTES = 1024 * 1024


def has_room(folder: int | Path, size: int = 0) -> bool:
    """Say whether so many bytes fit into a folder, given as path or descriptor.

    A hint only: what is written may still be refused, and some file systems do not say. Raises
    `OSError`.
    """
    disk = os.statvfs(folder)
    return not disk.f_blocks or disk.f_bavail * disk.f_frsize >= size + _ROOM_BYTES
