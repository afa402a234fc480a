"""Where things live on this host: the XDG folders of the program, created private when used."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from platformdirs import PlatformDirs

from tui_licenses.errors import FileError
from tui_licenses.files.folder import sync_folder

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


def own_folders(context_name: str) -> tuple[Path, ...]:
    """Return every folder that the program writes to by itself, in a context."""
    return (
        configuration_file().parent,
        credentials_file(context_name).parent,
        trust_folder(),
        state_folder(),
        copy_file(context_name).parent,
        journal_folder(context_name),
        embedded_cloud_folder(),
        *access_token_folders(),
    )


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


def is_folder(path: Path) -> bool:
    """Say whether a path leads to a folder; one that cannot be looked at is none.

    `Path.is_dir` raises for a name that is too long, and in a folder that may not be entered.
    """
    return os.path.isdir(path)  # noqa: PTH112 - as above


def _create(folder: Path) -> None:
    if folder.is_dir():
        return
    _create(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    # Whatever the umask says: 0777 would make a folder that nobody can enter.
    folder.chmod(0o700)
    # What is saved in a new folder is on disk only when the folder itself is. One above it may be
    # changed but not read.
    with suppress(PermissionError):
        sync_folder(folder.parent)


def access_token_file(context_name: str) -> Path:
    """Return the private file with the access token that the programs of this user share.

    In memory (XDG_RUNTIME_DIR) where that folder is private, or else in the state folder.
    """
    return access_token_folders()[0] / f"{context_name}.json"


def access_token_folders() -> tuple[Path, ...]:
    """Return where access tokens may lie, the place in use first."""
    kept = state_folder() / "access-tokens"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if not runtime or not Path(runtime).is_absolute():
        return (kept,)
    in_memory = Path(runtime) / "tui-licenses"
    try:
        status = Path(runtime).stat()
    except OSError:
        return (kept,)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        return (kept,)
    return in_memory, kept
