"""Files written whole or not at all, and readable by their owner only.

Everything is written to a temporary file beside its target and forced to disk. Only then it gets
its name, which is read back before it is reported. A failure or an interruption removes the
temporary file; what a kill left behind is removed by a later save in that folder, and from the
program's own folders by its next run.
"""

from __future__ import annotations

from tui_licenses.files.folder import locked
from tui_licenses.files.leftovers import sweep_folder
from tui_licenses.files.pending import NewFile
from tui_licenses.files.reading import open_regular, read_private, read_regular, unreadable
from tui_licenses.files.refusals import FOLDER_REFUSALS, exists
from tui_licenses.files.writing import write_private, write_sets

__all__ = [
    "FOLDER_REFUSALS",
    "NewFile",
    "exists",
    "locked",
    "open_regular",
    "read_private",
    "read_regular",
    "sweep_folder",
    "unreadable",
    "write_private",
    "write_sets",
]
