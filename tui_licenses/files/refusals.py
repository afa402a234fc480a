"""What the operating system refuses, in plain sentences."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui_licenses.errors import FileError

# Where one of these is told of a file, nothing else can be saved in its folder either.
FOLDER_REFUSALS = frozenset(
    {"disk-failing", "disk-full", "folder-not-writable", "folder-unsafe", "name-too-long"}
)

# The handle of a network folder that was exported anew, a call that a signal broke off.
_PASSING = frozenset({errno.ESTALE, errno.EINTR})


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Raise what the operating system refuses as the `FileError` of the file to be saved."""
    try:
        yield
    except OSError as error:
        raise refused(path, error) from error
    except ValueError as error:
        # A NUL, or what the encoding of the file system cannot write.
        raise FileError(
            "folder-not-writable",
            f"Nothing can be saved in {path.parent}: no folder or file can have such a name.",
            "Choose another folder.",
        ) from error


def refused(path: Path, error: OSError) -> FileError:
    """Return the error for a file that cannot be saved."""
    name, folder = path.name, path.parent
    match error.errno:
        case errno.EEXIST | errno.EISDIR:
            return exists(path)
        case errno.ENOSPC | errno.EFBIG:
            return FileError(
                "disk-full",
                f"There is no room for {name} in {folder}.",
                "Free some space or choose another folder.",
            )
        case errno.EDQUOT:
            return FileError(
                "disk-full",
                f"Your quota leaves no room for {name} in {folder}.",
                "Remove files of yours, ask for more, or choose another folder.",
            )
        case errno.EIO:
            return FileError(
                "disk-failing",
                f"The disk that holds {folder} reports errors: it may be failing.",
                "Save into a folder on another disk, and look into the system log.",
            )
        case errno.ENAMETOOLONG:
            return FileError(
                "name-too-long",
                f"The name {name} is too long for {folder}.",
                "Choose a folder on another disk.",
            )
        case errno.EROFS:
            reason = "its disk can only be read"
        case _:
            reason = error.strerror or "it was refused"
    return unusable(folder, reason)


def unusable(folder: Path, reason: str) -> FileError:
    """Return the error for a folder that takes no files."""
    return FileError(
        "folder-not-writable",
        f"Nothing can be saved in {folder}: {reason}.",
        "Choose another folder, or check that this one exists and is yours.",
    )


def exists(path: Path) -> FileError:
    """Return the error for a name that something else has."""
    return FileError(
        "file-exists",
        f"{path} already exists and holds something else.",
        "Choose another folder or another name.",
    )


def is_passing(error: FileError) -> bool:
    """Say whether what was refused is worth one more attempt."""
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in _PASSING
