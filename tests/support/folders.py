"""Looking into folders."""

from __future__ import annotations

from pathlib import Path


def names_in(folder: Path) -> list[str]:
    """Return the names of everything in a folder, hidden files too, sorted."""
    return sorted(entry.name for entry in folder.iterdir())
