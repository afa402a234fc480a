"""The highest serial seen for each instance: what keeps an old license file from coming back.

Kept per trust root and fingerprint, so that a lab never speaks for a real cloud; and per trust
root the highest revision of its trust document. Each file holds the number and a checksum of the
number and its place: a damaged or exchanged file is found, and is no reason to believe less.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from pathlib import Path

from tui_licenses import paths
from tui_licenses.errors import DocumentError, FileError
from tui_licenses.files import NewFile, locked, read_private, write_sets

_log = logging.getLogger(__name__)

_CONTENT = re.compile(rb"(0|[1-9][0-9]{0,15}) [0-9a-f]{64}\n")
# In the place of a fingerprint, which is 64 hex digits.
_REVISION = "trust-revision"


def highest_serial(trust_fingerprint: str, fingerprint: str) -> int | None:
    """Return the highest serial seen, None where none was.

    Raises `DocumentError` (`serial-unreadable`) where it cannot be told any more.
    """
    file = _file(trust_fingerprint, fingerprint)
    try:
        content = read_private(file)
        found = _CONTENT.fullmatch(content)
        if found and content == _content(trust_fingerprint, fingerprint, int(found[1])):
            return int(found[1])
        reason = "it is damaged."
    except FileError as error:
        if error.code == "file-not-found":
            return None
        reason = error.message
    raise DocumentError(
        "serial-unreadable",
        f"The highest number seen so far cannot be read from {file}: {reason}",
        "Make sure that you have the present license file, then remove that file.",
    )


def highest_revision(trust_fingerprint: str) -> int | None:
    """Return the highest revision seen of a root's trust document, as `highest_serial` does."""
    return highest_serial(trust_fingerprint, _REVISION)


def remember_serial(trust_fingerprint: str, fingerprint: str, serial: int) -> None:
    """Keep a serial that is higher than the one kept, as `remember_serials` does."""
    remember_serials({(trust_fingerprint, fingerprint): serial})


def remember_revision(trust_fingerprint: str, revision: int) -> None:
    """Keep the revision of a root's trust document, as `remember_serials` keeps serials."""
    remember_serial(trust_fingerprint, _REVISION, revision)


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
    try:
        highest = highest_serial(trust_fingerprint, fingerprint)
    except DocumentError as error:
        # It was let through explicitly; what cannot be read stays until somebody removes it.
        _log.warning("%s", error)
        return []
    if highest is not None and serial <= highest:
        return []
    content = _content(trust_fingerprint, fingerprint, serial)
    return [NewFile(_file(trust_fingerprint, fingerprint), content, replace=True)]


def _content(trust_fingerprint: str, fingerprint: str, serial: int) -> bytes:
    place = f"{trust_fingerprint} {fingerprint} {serial}"
    return f"{serial} {hashlib.sha256(place.encode()).hexdigest()}\n".encode()


def _file(trust_fingerprint: str, fingerprint: str) -> Path:
    return _folder() / f"{trust_fingerprint}-{fingerprint}"


def _folder() -> Path:
    return paths.state_folder() / "serials"
