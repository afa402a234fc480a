"""Where things live on this host: the XDG folders of the program, created private when used."""

from __future__ import annotations

from pathlib import Path

from platformdirs import PlatformDirs

from tui_licenses.errors import FileError

# What a change in the journal is named with, after its Idempotency-Key.
CHANGE_SUFFIX = ".change"

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


def cloud_secrets_folder(name: str) -> Path:
    """Return the folder with the secrets of a license cloud whose database is on a server."""
    return _DIRECTORIES.user_data_path / "clouds" / name


def trust_folder() -> Path:
    """Return the folder of the trust store."""
    return _DIRECTORIES.user_data_path / "trust"


def state_folder() -> Path:
    """Return the folder of what is noted on the way: serials, copies, open changes, the log."""
    return _DIRECTORIES.user_state_path


def copy_file(context_name: str) -> Path:
    """Return the local copy of the inventory of a context."""
    return state_folder() / "copies" / f"{context_name}.copy"


def picture_file(copy: Path) -> Path:
    """Return the first picture of the list that a local copy fills."""
    return copy.with_suffix(".picture")


def journal_folder(context_name: str) -> Path:
    """Return the folder of the changes of a context whose outcome is not known."""
    return state_folder() / "journal" / context_name


def log_file() -> Path:
    """Return the log of unexpected failures."""
    return state_folder() / "tui-licenses.log"


def private_folder(folder: Path) -> Path:
    """Create a folder that only its owner can enter, and return it.

    Raises `FileError` (`folder-not-writable`).
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            "folder-not-writable",
            f"The folder {folder} cannot be created: {error.strerror}.",
            "Check its permissions, or set HOME or the XDG variables to a folder of yours.",
        ) from error
    return folder
