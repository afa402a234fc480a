"""The files and folders of this user: who may read and write them, and whether there is room."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tui_licenses import paths
from tui_licenses.config import Configuration, load_configuration
from tui_licenses.doctor.finding import Finding, fault, fine, skipped, warning
from tui_licenses.errors import FileError, TuiLicensesError
from tui_licenses.private_files import is_writable_by_others
from tui_licenses.text import clean

_CONFIGURATION = "Configuration"
_FOLDERS = "Folders"
_CLOCK = "Clock"

# A download and its copy need far less; below it, disks have a habit of being full.
_FREE_BYTES_LEAST = 16 * 1024 * 1024
# File systems keep times in steps, and two processes may write in the same moment.
_CLOCK_SLACK = timedelta(minutes=1)


def examine_configuration() -> tuple[Configuration, Finding]:
    """Read the settings; where they cannot be read, go on with the defaults."""
    file = paths.configuration_file()
    try:
        configuration = load_configuration()
    except TuiLicensesError as error:
        return Configuration(), fault(_CONFIGURATION, error)
    if not file.exists():
        return configuration, fine(_CONFIGURATION, "There is no file; the defaults hold.")
    count = len(configuration.contexts)
    message = f"{file}: {count} {'context' if count == 1 else 'contexts'}."
    return configuration, fine(_CONFIGURATION, message, file=str(file))


def folders() -> dict[str, Path]:
    """Return the folders of the program by what they hold."""
    return {
        "settings": paths.configuration_file().parent,
        "data": paths.embedded_cloud_folder().parent,
        "state": paths.state_folder(),
    }


def examine_folders() -> Iterator[Finding]:
    """Say whether the folders of the program are private, writable and have room."""
    problems = [
        finding for folder in folders().values() for finding in _examine_folder(_existing(folder))
    ]
    yield from problems
    if not problems:
        places = {name: str(folder) for name, folder in folders().items()}
        yield fine(_FOLDERS, "Settings, data and state can be written.", **places)


def _existing(folder: Path) -> Path:
    """Return a folder, or the closest one above it that is there."""
    return folder if folder.exists() or folder.parent == folder else _existing(folder.parent)


def _examine_folder(folder: Path) -> Iterator[Finding]:
    try:
        status = folder.stat()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield fault(_FOLDERS, _unusable(folder, error.strerror or "it cannot be looked at"))
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield fault(_FOLDERS, _unusable(folder, "it is not yours to write"))
    # Of the parents of ours, which others may share, only what lies below counts.
    elif folder in folders().values() and is_writable_by_others(status):
        yield fault(
            _FOLDERS,
            FileError(
                "folder-not-private",
                f"Other users may write into {folder}.",
                f"Run `chmod 700 {folder}`, and look at what is in it.",
            ),
        )
    if free < _FREE_BYTES_LEAST:
        yield warning(
            _FOLDERS,
            "disk-full",
            f"There are {free // 1024} KiB left for {folder}.",
            "Free some space: downloads and settings are refused when it is full.",
        )


def _unusable(folder: Path, reason: str) -> FileError:
    return FileError(
        "folder-not-writable",
        f"Nothing can be saved in {folder}: {clean(reason)}.",
        "Check its owner and permissions, or set HOME or the XDG variables to a folder of yours.",
    )


def examine_own_clock(now: datetime) -> Finding:
    """Say whether the clock ran back since this program wrote its last file."""
    newest = max(map(_modified, _state_files()), default=None)
    if newest is None:
        return skipped(_CLOCK, "Nothing was written here before that could tell the time.")
    if newest > now + _CLOCK_SLACK:
        return warning(
            _CLOCK,
            "clock-wrong",
            f"The clock of this host ran back: a file was written at {newest:%Y-%m-%d %H:%M} UTC.",
            "Set the clock; license files are judged by it where no cloud can be asked.",
        )
    return fine(_CLOCK, "The clock of this host has not run back.")


def _state_files() -> list[Path]:
    folder = paths.state_folder()
    try:
        return [file for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]
    except OSError:
        return []


def _modified(file: Path) -> datetime:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:
        return datetime.min.replace(tzinfo=UTC)
