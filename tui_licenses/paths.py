"""Where things live on this host: the XDG folders of the program, created private when used."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from platformdirs import PlatformDirs

from tui_licenses.errors import FileError

# A folder that may be changed but not read, or whose file system cannot force it to disk.
_CANNOT_SYNC = frozenset({errno.EACCES, errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})

_DIRECTORIES = PlatformDirs("tui-licenses", appauthor=False)


def configuration_file() -> Path:
    """Return the TOML file with settings and contexts."""
    return _DIRECTORIES.user_config_path / "config.toml"


def credentials_file(context_name: str) -> Path:
    """Return the private file with the refresh token of a context."""
    return _DIRECTORIES.user_data_path / "credentials" / f"{context_name}.json"


def embedded_cloud_folder() -> Path:
    """Return the folder of the embedded cloud: database, signing keys, credentials."""
    return _DIRECTORIES.user_data_path / "cloud"


def embedded_database_file() -> Path:
    """Return the SQLite database of the embedded cloud."""
    return embedded_cloud_folder() / "cloud.sqlite3"


def trust_folder() -> Path:
    """Return the folder of the trust store."""
    return _DIRECTORIES.user_data_path / "trust"


def state_folder() -> Path:
    """Return the folder of what can be made again: highest serials seen, local copies, the log."""
    return _DIRECTORIES.user_state_path


def copy_file(context_name: str) -> Path:
    """Return the local copy of the inventory of a context."""
    return state_folder() / "copies" / f"{context_name}.copy"


def picture_file(copy: Path) -> Path:
    """Return the first picture of the list that a local copy fills."""
    return copy.with_suffix(".picture")


def log_file() -> Path:
    """Return the log of unexpected failures."""
    return state_folder() / "tui-licenses.log"


def private_folder(folder: Path) -> Path:
    """Create a folder that only its owner can enter, and return it.

    Folders above it that are missing are created alike. Raises `FileError`
    (`folder-not-writable`).
    """
    try:
        _create(folder)
    except OSError as error:
        raise FileError(
            "folder-not-writable",
            f"The folder {folder} cannot be created: {error.strerror}.",
            "Check its permissions, or set HOME or the XDG variables to a folder of yours.",
        ) from error
    return folder


def _create(folder: Path) -> None:
    if folder.is_dir():
        return
    _create(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    # What is saved in a new folder is on disk only when the folder itself is.
    try:
        above = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(above)
        finally:
            os.close(above)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
