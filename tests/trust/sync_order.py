"""What a trace says of the order of calls: was everything on disk before it was acknowledged?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

ACKNOWLEDGED = "acknowledged!"

# `123 fsync(7</home/file>) = 0`, also where another thread came between both halves.
_CALL = re.compile(r"(?P<process>\d+) +(?P<name>\w+)\((?P<words>.*)")
_RESUMED = re.compile(r"(?P<process>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<words>.*)")
_FILE = re.compile(r"\d+<(?P<path>/[^>]*)>")
# A name and the folder it is relative to, or a whole path.
_NAMED = re.compile(r"(?:(?:\d+|AT_FDCWD)<(?P<folder>/[^>]*)>, )?\"(?P<name>[^\"]*)\"")
_WRITES = frozenset({"write", "pwrite64", "writev", "ftruncate"})
_SYNCS = frozenset({"fsync", "fdatasync"})
_NAMES = frozenset({"link", "linkat", "rename", "renameat", "renameat2"})

TRACED_CALLS = ",".join(sorted(_WRITES | _SYNCS | _NAMES))


class SyncOrder:
    """Follows a trace; counts acknowledgements, and those that something unsynced stood behind.

    `below` is the folder whose files count. The index that SQLite shares in memory is made anew.
    """

    def __init__(self, below: str) -> None:
        self._below = below
        self._unsynced: set[str] = set()
        self._waiting: dict[str, str] = {}
        self.acknowledged = 0
        self.too_early: list[str] = []

    def follow(self, lines: Sequence[str]) -> None:
        """Take in the lines of `strace -f -y`."""
        for line in lines:
            resumed = _RESUMED.match(line)
            if resumed is not None:
                begun = self._waiting.pop(resumed["process"], "")
                self._see(resumed["name"], begun + resumed["words"])
                continue
            call = _CALL.match(line)
            if call is None:
                continue
            if line.endswith("<unfinished ...>"):
                self._waiting[call["process"]] = call["words"]
                # What is written may be on its way already.
                if call["name"] not in _SYNCS:
                    self._see(call["name"], call["words"])
                continue
            self._see(call["name"], call["words"])

    def _see(self, name: str, words: str) -> None:
        if ACKNOWLEDGED in words:
            if not words.rstrip().endswith("<unfinished ...>"):
                self._acknowledge()
            return
        if name in _NAMES:
            folder = _folder_of_new_name(words)
            if folder.startswith(self._below):
                self._unsynced.add(folder)
            return
        file = _FILE.match(words)
        if file is None or not file["path"].startswith(self._below):
            return
        if name in _WRITES and not file["path"].endswith("-shm"):
            self._unsynced.add(file["path"])
        elif name in _SYNCS and "= 0" in words:
            self._unsynced.discard(file["path"])

    def _acknowledge(self) -> None:
        self.acknowledged += 1
        if self._unsynced:
            self.too_early.append(", ".join(sorted(self._unsynced)))
            self._unsynced.clear()


def _folder_of_new_name(words: str) -> str:
    """Return the folder in which a call gives a name, which is the last of its words."""
    folder, name = _NAMED.findall(words)[-1]
    return str(PurePosixPath(folder, name).parent)


def is_in_order(calls: Sequence[str]) -> bool:
    """Say of the calls of one save, by name, that each was synced in time.

    Bytes before their name, names before the end.
    """
    is_written = is_named = False
    for call in calls:
        match call:
            case "write":
                is_written = True
            case "fsync":
                is_written = is_named = False
            case "link" | "rename":
                if is_written:
                    return False
                is_named = True
    return not (is_written or is_named)
