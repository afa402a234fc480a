"""The highest serial seen for each instance: what keeps an old license file from coming back.

Kept per trust root and fingerprint, so that a lab never speaks for a real cloud.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui_licenses import paths
from tui_licenses.errors import FileError
from tui_licenses.files import read_private, write_private

_log = logging.getLogger(__name__)


def highest_serial(trust_fingerprint: str, fingerprint: str) -> int | None:
    """Return the highest serial seen; None where there is none that can be read."""
    try:
        text = read_private(_file(trust_fingerprint, fingerprint)).decode("ascii")
        return int(text)
    except FileError as error:
        if error.code != "file-not-found":
            _log.warning("The highest serial seen cannot be read: %s", error)
    except ValueError:
        _log.warning("The highest serial seen for a server is damaged.")
    return None


def remember_serial(trust_fingerprint: str, fingerprint: str, serial: int) -> None:
    """Keep a serial that is higher than the one kept.

    A folder that cannot be written is logged, not raised: the file was verified all the same.
    """
    try:
        with _locked():
            highest = highest_serial(trust_fingerprint, fingerprint)
            if highest is None or serial > highest:
                write_private(_file(trust_fingerprint, fingerprint), b"%d" % serial)
    except (FileError, OSError) as error:
        _log.warning("The highest serial seen cannot be kept: %s", error)


def _file(trust_fingerprint: str, fingerprint: str) -> Path:
    return _folder() / f"{trust_fingerprint}-{fingerprint}"


def _folder() -> Path:
    return paths.state_folder() / "serials"


@contextmanager
def _locked() -> Iterator[None]:
    """Hold the lock of the folder: two programs may verify at once."""
    folder = paths.private_folder(_folder())
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
