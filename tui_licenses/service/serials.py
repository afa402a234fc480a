"""The highest serial seen for each instance: what keeps an old license file from coming back.

Kept per trust root and fingerprint, so that a lab never speaks for a real cloud.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from tui_licenses import paths
from tui_licenses.errors import FileError
from tui_licenses.files import NewFile, locked, read_private, write_sets

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
    """Keep a serial that is higher than the one kept, as `remember_serials` does."""
    remember_serials({(trust_fingerprint, fingerprint): serial})


def remember_serials(seen: Mapping[tuple[str, str], int]) -> None:
    """Keep the serials, by root and server, that are higher than those kept.

    A folder that cannot be written is logged, not raised: the files were verified all the same.
    """
    try:
        # Locked: two programs may verify at once.
        with locked(paths.private_folder(_folder())):
            outcomes = write_sets([_higher(*place, serial) for place, serial in seen.items()])
        for outcome in outcomes:
            if isinstance(outcome, FileError):
                raise outcome
    except (FileError, OSError) as error:
        _log.warning("The highest serial seen cannot be kept: %s", error)


def _higher(trust_fingerprint: str, fingerprint: str, serial: int) -> list[NewFile]:
    """Return the file to write for a serial; none where it is not higher than the one kept."""
    highest = highest_serial(trust_fingerprint, fingerprint)
    if highest is not None and serial <= highest:
        return []
    return [NewFile(_file(trust_fingerprint, fingerprint), b"%d" % serial, replace=True)]


def _file(trust_fingerprint: str, fingerprint: str) -> Path:
    return _folder() / f"{trust_fingerprint}-{fingerprint}"


def _folder() -> Path:
    return paths.state_folder() / "serials"
